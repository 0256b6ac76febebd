"""Which formats can be read here, found out by reading one of each that can be made here.

What a library says of itself is no proof: a codec may lack in it, and a build of it may be broken.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import soundfile

from ser_experiments.audio.decoded import is_installed
from ser_experiments.audio.read import read_audio
from ser_experiments.errors import AudioError

Outcome = Literal["read", "refused", "not made"]

_RATE_HZ, _SECONDS = 16_000, 0.5
#: Samples without a header, what is no audio (matrices), and what knows one rate alone, of instruments and organisers.
_NOT_MEANT = {"RAW", "MAT4", "MAT5", "SD2", "WVE", "XI"}
#: Codecs that are formats to whoever has recordings, besides each format's usual one.
_MORE = (("OGG", "OPUS"), ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("WAV", "GSM610"))
#: What phones, browsers and recorders write and libsndfile does not read: ending, container, codec, rate in Hz.
_FOREIGN = (
    ("m4a", "mp4", "aac", _RATE_HZ), ("aac", "adts", "aac", _RATE_HZ), ("webm", "webm", "libopus", 48_000),
    ("mka", "matroska", "libopus", 48_000), ("3gp", "3gp", "aac", _RATE_HZ),
    ("amr", "amr", "libopencore_amrnb", 8_000), ("wma", "asf", "wmav2", 44_100), ("ac3", "ac3", "ac3", 48_000),
    ("wv", "wv", "wavpack", _RATE_HZ), ("tta", "tta", "tta", _RATE_HZ), ("avi", "avi", "pcm_s16le", _RATE_HZ),
    ("mov", "mov", "alac", _RATE_HZ),
)  # fmt: skip


class Tried(NamedTuple):
    """What became of one format.

    Parameters
    ----------
    name : str
        The format, and its codec where it is not the usual one.
    by : str
        The library that reads it.
    outcome : {"read", "refused", "not made"}
        ``not made``: this machine writes none, so that nobody knows.
    why : str
        What was said where it was not read.
    """

    name: str
    by: str
    outcome: Outcome
    why: str = ""


def tried() -> Iterator[Tried]:
    """Make half a second of a tone in each format, read it as recordings are read, and yield what became of it."""
    for form in sorted(soundfile.available_formats()):
        if form not in _NOT_MEANT:
            yield _tried(form, "libsndfile", partial(_by_libsndfile, form, None))
    for form, codec in _MORE:
        if codec in soundfile.available_subtypes(form):
            name = f"{form} ({codec})"
            yield _tried(name, "libsndfile", partial(_by_libsndfile, form, codec))
    for ending, container, codec, rate in _FOREIGN if is_installed() else ():
        yield _tried(ending, "av", partial(_by_av, container, codec, rate))


def foreign() -> list[str]:
    """List the formats that only ``av`` reads, by the endings of their files."""
    return [ending for ending, *_ in _FOREIGN]


def _tried(name: str, by: str, make: Callable[[], bytes]) -> Tried:
    try:
        made = make()
    except Exception as error:  # whatever a library has against writing it
        return Tried(name, by, "not made", str(error).partition("\n")[0])
    try:
        # A file, since some are known by its ending alone.
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / (f"tone.{name}" if by == "av" else "tone")
            file.write_bytes(made)
            audio, rate = read_audio(file)
    except AudioError as error:
        return Tried(name, by, "refused", error.reason)
    seconds = len(audio) / rate
    # Codecs add silence at both ends; a tone of which nothing is left was not read.
    heard = 0.8 * _SECONDS < seconds < 2 * _SECONDS and float(np.abs(audio).max()) > 0.02
    return Tried(name, by, "read" if heard else "refused", "" if heard else f"{seconds:.2f} s came of {_SECONDS} s")


def _tone(rate: int) -> np.ndarray:
    time_s = np.arange(int(_SECONDS * rate)) / rate
    return (0.3 * np.sin(2 * np.pi * 220 * time_s)).astype(np.float32)


def _by_libsndfile(form: str, codec: str | None) -> bytes:
    buffer = io.BytesIO()
    rates = (_RATE_HZ, 8_000, 44_100)
    # Some formats know some rates alone.
    rate = next((one for one in rates if soundfile.check_format(form, codec) and _takes(form, codec, one)), _RATE_HZ)
    soundfile.write(buffer, _tone(rate), rate, format=form, subtype=codec)
    return buffer.getvalue()


def _takes(form: str, codec: str | None, rate: int) -> bool:
    try:
        soundfile.write(io.BytesIO(), _tone(rate)[:160], rate, format=form, subtype=codec)
    except (soundfile.LibsndfileError, RuntimeError, TypeError, ValueError):
        return False
    return True


def _by_av(container: str, codec: str, rate: int) -> bytes:
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        stream: Any = out.add_stream(codec, rate=rate, layout="mono")
        stream.bit_rate = 12_200 if "amr" in codec else 64_000
        frame = av.AudioFrame.from_ndarray(_tone(rate)[None, :], format="fltp", layout="mono")
        frame.sample_rate = rate
        for made in (frame, None):
            out.mux(stream.encode(made))
    return buffer.getvalue()
