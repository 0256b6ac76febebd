"""WAVs of recorders that were switched off: their header says that nothing follows, and they are read for what does."""

from __future__ import annotations

import io
import os
import struct
from typing import BinaryIO


class Patched(io.RawIOBase):
    """A file some of whose bytes read as others.

    Parameters
    ----------
    file : binary file
        Closed together with this one.
    at : int
        Where the other bytes stand.
    others : bytes
        They replace as many of the file's.
    """

    def __init__(self, file: BinaryIO, at: int = 0, others: bytes = b"") -> None:
        self._file, self._at, self._others = file, at, others

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return where it stands."""
        return self._file.tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read, with the other bytes in their place."""
        start = self._file.tell()
        found = self._file.read(len(buffer))
        view = memoryview(buffer).cast("B")
        view[: len(found)] = found
        for place, byte in enumerate(self._others, start=self._at - start):
            if 0 <= place < len(found):
                view[place] = byte
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def unfinished(file: BinaryIO) -> int | None:
    """Return where a WAV says that it holds no samples while it does; None of any other file.

    Returns
    -------
    int or None
        Position of the four bytes with the length of its data.
    """
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or head[8:12] != b"WAVE":
        return None
    order = ">" if head[:4] == b"RIFX" else "<"
    size = file.seek(0, os.SEEK_END)
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if name == b"data":
            return at + 4 if length == 0 and at + 8 < size and not _only_chunks(file, at + 8, size, order) else None
        at += 8 + length + length % 2
    return None


def _only_chunks(file: BinaryIO, at: int, size: int, order: str) -> bool:
    """Whether nothing but whole chunks follows: then there are no samples."""
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        if not name.strip(b" ").isalnum():
            return False
        at += 8 + length + length % 2
    return size <= at <= size + 1
