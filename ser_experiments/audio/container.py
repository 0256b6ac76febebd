"""What a file is, by its beginning and its ending: audio that libsndfile reads, a container that it does not."""

from __future__ import annotations

import os
from pathlib import Path

from ser_experiments.files import open_regular

#: A recording in a file: its path, or its bytes.
File = str | os.PathLike[str] | bytes
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
#: So many first bytes tell what a file is.
HEAD = 32
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
#: What libsndfile says of a WAV whose codec it does not know.
_STRANGE_CODEC = ("Malformed 'fmt ' chunk", "unimplemented format", "Format not recognised")
#: Brands of MPEG-4 files that hold pictures.
_PICTURES = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx ")


def name_of(source: File) -> str:
    """Return what messages call a recording."""
    return "<bytes>" if isinstance(source, bytes) else str(source)


def ending_of(source: File) -> str:
    """Return the ending of a file in lower case, e.g. ``".wav"``; nothing of bytes."""
    return "" if isinstance(source, bytes) else os.path.splitext(str(source))[1].lower()


def head_of(source: File) -> bytes:
    """Return the first bytes of a file; nothing of one that cannot be opened."""
    if isinstance(source, bytes):
        return source[:HEAD]
    try:
        with open_regular(source) as file:
            return file.read(HEAD)
    except OSError:
        return b""


def is_recording(path: Path) -> bool:
    """Whether a file of a folder is meant as a recording, be it one that can be read or not."""
    ending = ending_of(path)
    if ending in READABLE or ending in FOREIGN or ending in HEADLESS:
        return True
    head = head_of(path)
    return is_readable(head) or _foreign(head) is not None


def container_of(source: File, head: bytes | None = None) -> str | None:
    """Name the container that a recording is in, where libsndfile does not read it; None of any other.

    Parameters
    ----------
    source : path or bytes
        What does not tell by its first bytes tells by its ending.
    head : bytes, optional
        The first bytes, where they have been read already.
    """
    ending = ending_of(source)
    return _foreign(head_of(source) if head is None else head) or (ending if ending in FOREIGN else None)


def _foreign(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _PICTURES else "MPEG-4"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "AVI"
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        return "AAC"
    return next((name for magic, name in _FOREIGN_HEADS if head.startswith(magic)), None)


def is_readable(head: bytes) -> bool:
    """Whether a file begins as one does that libsndfile reads."""
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return head[8:12] == b"WAVE"
    if head[:4] == b"FORM":
        return head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV")
    if head[:4] == b"OggS":
        return True
    # A frame of MPEG audio; eleven bits are set, then version and layer.
    mpeg = head[:1] == b"\xff" and len(head) > 2 and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 and head[2] >> 4 != 15
    return bool(mpeg) or head.startswith(_READABLE_HEADS)


def why_not(source: File, said: str = "") -> str:
    """Say what to do about a recording that libsndfile refused, with the words `said`; nothing where nobody knows."""
    container, ending = container_of(source), ending_of(source)
    cure = "convert it, e.g. ffmpeg -i FILE FILE.wav, or pip install 'ser_experiments[av]'"
    if container is not None:
        return f"{container} is not read by libsndfile: {cure}"
    if head_of(source)[8:12] == b"WAVE" and any(words in said for words in _STRANGE_CODEC):
        return f"a WAV of a codec that libsndfile does not read: {cure}"
    if ending in HEADLESS:
        return (
            f"headless samples ({ending}) say neither rate nor format: write them with a header, e.g. "
            "ffmpeg -f s16le -ar 16000 -ac 1 -i FILE FILE.wav"
        )
    return ""
