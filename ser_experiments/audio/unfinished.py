"""Recordings of recorders that were switched off: headers say that little or nothing follows; what does is read."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator
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


#: Where something else stands than was meant, and what was meant.
Patch = tuple[int, bytes]
#: So many chunks are looked at before the samples, or after them.
_MOST_CHUNKS = 10_000
#: "Up to the end of the file", or "not known", in headers with lengths of 32 bits.
_TO_THE_END = b"\xff" * 4


def unfinished(file: BinaryIO) -> Patch | None:
    """Return what the header of a recording should say, where it says that it holds less than it does.

    A recorder writes the length of its samples when it is stopped. Until then it is 0 or what had been written when the
    header was last brought up to date, and -1 in CAF, which libsndfile takes for an error.

    Returns
    -------
    (int, bytes) or None
        Where the length of the data stands, and what it is to be; None of any other file.
    """
    head = file.read(12)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _wav(file, head[:4])
    if head[:4] == b".snd":
        (begin, length), size = struct.unpack(">II", head[4:]), file.seek(0, os.SEEK_END)
        return (8, _TO_THE_END) if length == 0 and size > begin else None
    return _caf(file) if head[:4] == b"caff" else None


def _wav(file: BinaryIO, kind: bytes) -> Patch | None:
    order = ">" if kind == b"RIFX" else "<"
    size = file.seek(0, os.SEEK_END)
    # Of lengths that take 64 bits, the first chunk knows: after the size of the file, that of the data.
    long_at = None
    for at, name, length in _chunks(file, 12, size, f"{order}4sI"):
        if name == b"ds64":
            long_at = at + 16
        elif name == b"data":
            there = size - at - 8
            if long_at is not None and length == 0xFFFFFFFF:
                file.seek(long_at)
                told = struct.unpack("<Q", file.read(8))[0]
                return (long_at, struct.pack("<Q", there)) if told == 0 < there else None
            # What follows the samples may be anything, but hardly more than they are.
            less = there > 2 * length and not _only_chunks(file, at + 8 + length + length % 2, size, order)
            return (at + 4, _TO_THE_END) if less else None
    return None


def _caf(file: BinaryIO) -> Patch | None:
    size = file.seek(0, os.SEEK_END)
    for at, name, length in _chunks(file, 8, size, ">4sq"):
        if name == b"data":
            return (at + 4, struct.pack(">q", size - at - 12)) if length in (-1, 0) and size > at + 12 else None
    return None


def _only_chunks(file: BinaryIO, at: int, size: int, order: str) -> bool:
    """Whether nothing but whole chunks follows: then there are no samples."""
    for place, name, length in _chunks(file, at, size, f"{order}4sI"):
        if not name.strip(b" ").isalnum():
            return False
        at = place + 8 + length + length % 2
    # Up to the end, or as many of them as are looked at.
    return size <= at <= size + 1 or at + 8 <= size


def _chunks(file: BinaryIO, at: int, size: int, head: str) -> Iterator[tuple[int, bytes, int]]:
    """Yield where chunks begin, their names and their lengths, up to the end of the file.

    No more than :data:`_MOST_CHUNKS`: of empty ones a file of megabytes holds millions.
    """
    n_bytes = struct.calcsize(head)
    for _ in range(_MOST_CHUNKS):
        if at + n_bytes > size:
            return
        file.seek(at)
        name, length = struct.unpack(head, file.read(n_bytes))
        yield at, name, length
        # In RIFF what has an odd length is followed by one more byte.
        at += n_bytes + max(0, length) + (length % 2 if n_bytes == 8 else 0)
