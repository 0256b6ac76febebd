"""What a file is by its first bytes: audio that libsndfile reads, a container that it does not, or nothing of sound.

Recorders that were switched off leave a WAV whose header says that it holds nothing; it is read as if it said what
follows.
"""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path
from typing import BinaryIO

_READABLE = (
    ".wav .wave .bwf .rf64 .w64 .flac .ogg .oga .opus .spx .mp3 .mp2 .mp1 .mpga .aiff .aif .aifc .aff .au .snd .caf "
    ".sph .nist .wv1 .voc .vox .gsm .ircam .sf .svx .8svx .16svx .iff .paf .fap .pvf .xi .htk .sds .avr .sd2 .mpc2k"
)
_FOREIGN = (
    ".m4a .m4b .m4r .m4v .mp4 .aac .webm .weba .mkv .mka .mov .qt .3gp .3ga .3g2 .3gpp .amr .awb .wma .wmv .asf .avi "
    ".ra .ram .rm .ape .wv .mpc .tta .tak .dts .ac3 .eac3 .dsf .dff .shn .act .dss .ds2 .flv .f4a .ogv .mpg .mpeg"
)
_HEADLESS = ".raw .pcm .ulaw .alaw .ul .al .sw .s16 .s16le .s24le .s32le .f32 .f32le .g722 .g729 .l16"
#: Endings of what libsndfile reads.
READABLE = frozenset(_READABLE.split())
#: Endings of recordings that it does not read, and headless samples, which say neither rate nor format.
FOREIGN, HEADLESS = frozenset(_FOREIGN.split()), frozenset(_HEADLESS.split())
_HEAD = 32
#: What containers begin with that libsndfile does not read.
_FOREIGN_HEADS = ((b"\x1aE\xdf\xa3", "WebM or Matroska"), (b"0&\xb2u\x8ef\xcf\x11", "Windows Media"), (b"#!AMR", "AMR"),
                  (b".RMF", "RealMedia"), (b"MAC ", "Monkey's Audio"), (b"wvpk", "WavPack"), (b"FLV", "Flash"),
                  (b"ADIF", "AAC"), (b"MPCK", "Musepack"), (b"TTA1", "True Audio"), (b"\x02dss", "DSS"))  # fmt: skip
_READABLE_HEADS = (
    b"fLaC",
    b"ID3",
    b".snd",
    b"dns.",
    b"caff",
    b"NIST_1A",
    b"riff.\x91\xcf\x11",
    b"Creative Voice File",
    b"PVF1",
)
#: Brands of MPEG-4 files that hold pictures.
_PICTURES = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx ")


def head_of(source: str | os.PathLike[str] | bytes) -> bytes:
    """Return the first bytes of a file; nothing of one that cannot be opened."""
    if isinstance(source, bytes):
        return source[:_HEAD]
    try:
        with open(source, "rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def is_recording(path: Path) -> bool:
    """Whether a file of a folder is meant as a recording, be it one that can be read or not."""
    ending = path.suffix.lower()
    if ending in READABLE or ending in FOREIGN or ending in HEADLESS:
        return True
    head = head_of(path)
    return _is_readable(head) or foreign(head) is not None


def foreign(head: bytes) -> str | None:
    """Name the container that a file is, by its first bytes, where libsndfile does not read it."""
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURES else "MPEG-4"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "AAC"
    return next((name for magic, name in _FOREIGN_HEADS if head.startswith(magic)), None)


def _is_readable(head: bytes) -> bool:
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return head[8:12] == b"WAVE"
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV")
    if head[:4] == b"OggS":
        return True
    # A frame of MPEG audio; eleven bits are set, then version and layer.
    mpeg = head[:1] == b"\xff" and len(head) > 2 and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 and head[2] >> 4 != 15
    return bool(mpeg) or head.startswith(_READABLE_HEADS)


def why_not(source: str | os.PathLike[str] | bytes) -> str:
    """Say what to do about a recording that libsndfile refused; nothing where that is not known."""
    name = "" if isinstance(source, bytes) else str(source)
    ending = os.path.splitext(name)[1].lower()
    what = foreign(head_of(source))
    if what is None and ending in HEADLESS:
        return (
            f"headless samples ({ending}) say neither rate nor format: write them with a header, e.g. "
            "ffmpeg -f s16le -ar 16000 -ac 1 -i FILE FILE.wav"
        )
    if what is None and ending in FOREIGN:
        what = ending
    if what is None:
        return ""
    cure = "convert it, e.g. ffmpeg -i FILE FILE.wav, or pip install 'ser_experiments[av]'"
    return f"{what} is not read by libsndfile: {cure}"


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
