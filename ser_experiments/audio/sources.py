"""Recordings as somebody hands them over in Python: a path, bytes, samples with their rate, or several of them."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from numbers import Integral, Real
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.limits import Bounds
from ser_experiments.audio.read import read_audio, to_mono, validate
from ser_experiments.errors import InputError
from ser_experiments.words import cut

#: A recording: a path, the bytes of a file, or samples of shape (n_samples,) with their rate in Hz.
Source = str | os.PathLike[str] | bytes | tuple[NDArray[np.floating], int]
#: The same, or samples whose rate is said once for all.
Recording = Source | NDArray[np.floating]
_MEANT = "a recording is a path, the bytes of a file, or samples with their rate"
#: Reads back how samples are called in messages.
SAMPLES = "<array>"


def sources_of(said: Recording | Iterable[Recording], sample_rate: int | None = None) -> Iterable[Source]:
    """Return the recordings that are meant; what is one recording is a list of one.

    What is listed is checked at once, before anything is read; of an iterator each as it comes.

    Parameters
    ----------
    said : recording or iterable of recordings
        Paths, bytes, arrays of shape (n_samples,) or (n_samples, n_channels), or pairs of such an array and its rate.
    sample_rate : int, optional
        Of arrays that come without a rate, in Hz.

    Raises
    ------
    InputError
        Something is no recording, samples come without a rate or with a file, or are no samples.
    """
    if _is_one(said):
        return [_source(said, sample_rate)]
    if isinstance(said, Mapping) or hasattr(said, "columns"):
        raise InputError(f"got a {type(said).__name__}; recordings are a list: hand on its paths, e.g. table['path']")
    if not isinstance(said, Iterable):
        raise InputError(f"{_MEANT}, or a list of such; got {_shown(said)}")
    if isinstance(said, Iterator):
        return (_source(one, sample_rate) for one in said)
    return [_source(one, sample_rate) for one in said]


def heard(source: Source, limits: Bounds | None = None) -> tuple[NDArray[np.float32], int]:
    """Return the samples of one recording, shape (n_samples,), and their rate in Hz.

    Raises
    ------
    InputError
        It is no recording, or samples of a kind that says nothing of their full scale.
    AudioError
        It cannot be used.
    """
    if isinstance(source, tuple):
        audio, rate = samples_of(*source)
        validate(audio, SAMPLES)
        return audio, rate
    return read_audio(source if isinstance(source, bytes) else os.path.expanduser(source), limits=limits)


def file_of(source: Source) -> str | os.PathLike[str] | bytes:
    """Return one recording as what is read piece by piece: a path or the bytes of a file; samples are made one.

    Raises
    ------
    InputError
        It is no recording, or several.
    """
    if not _is_one(source):
        raise InputError(f"{_MEANT}; got {_shown(source)}")
    one = _source(source, None)
    if not isinstance(one, tuple):
        return one if isinstance(one, bytes) else os.path.expanduser(one)
    import soundfile

    written = io.BytesIO()
    soundfile.write(written, *one, format="WAV", subtype="FLOAT")
    return written.getvalue()


def samples_of(audio: NDArray[np.floating], sample_rate: int | None) -> tuple[NDArray[np.float32], int]:
    """Return samples as mono float32 of shape (n_samples,), and their rate in Hz.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,) or (n_samples, n_channels)
        Floating point, full scale is 1.
    sample_rate : int
        In Hz.

    Raises
    ------
    InputError
        No rate, or another shape or type.
    """
    rate = _rate(sample_rate)
    if audio.dtype.kind in "iu":
        full = 2 ** (8 * audio.dtype.itemsize - 1)
        away = "" if audio.dtype.kind == "i" else f" after taking {full} away"
        raise InputError(f"samples of type {audio.dtype}; full scale must be 1: divide by {full}{away}")
    if audio.dtype.kind != "f":
        raise InputError(f"samples of type {audio.dtype}; expected floating point numbers with a full scale of 1")
    if audio.ndim not in (1, 2) or (audio.ndim == 2 and audio.shape[1] > max(audio.shape[0], 1)):
        turned = ", here audio.T" if audio.ndim == 2 else ""
        raise InputError(f"samples of shape {audio.shape}; expected (n_samples,) or (n_samples, n_channels){turned}")
    return to_mono(audio.astype(np.float32, copy=False)), rate


def _is_one(said: object) -> TypeGuard[Recording]:
    if isinstance(said, tuple):
        # A pair of samples and a rate, in whichever order; a pair of anything else is a list of two.
        return len(said) == 2 and sum(isinstance(one, Real) for one in said) == 1
    return isinstance(said, str | os.PathLike | bytes | bytearray | memoryview | np.ndarray)


def _source(said: object, sample_rate: int | None) -> Source:
    if isinstance(said, np.ndarray):
        return samples_of(said, sample_rate)
    if isinstance(said, tuple):
        if len(said) != 2 or not isinstance(said[0], np.ndarray):
            raise InputError("samples and their rate are a pair (audio, sample_rate), in this order")
        return samples_of(*said)
    if not isinstance(said, str | os.PathLike | bytes | bytearray | memoryview):
        raise InputError(f"{_MEANT}; got {_shown(said)}")
    if sample_rate is not None:
        raise InputError(f"sample_rate={sample_rate} is of samples; a file says its own rate: leave it out")
    return bytes(said) if isinstance(said, bytearray | memoryview) else said


def _rate(said: object) -> int:
    if said is None:
        raise InputError("samples come without their rate; say sample_rate=, in Hz")
    number = isinstance(said, Real) and not isinstance(said, bool)
    if not number or not (isinstance(said, Integral) or float(said).is_integer()) or said <= 0:  # type: ignore[arg-type, operator]
        raise InputError(f"sample_rate must be a positive whole number of Hz, got {_shown(said)}")
    return int(said)  # type: ignore[call-overload]


def _shown(said: object) -> str:
    return f"{cut(repr(said))} ({type(said).__name__})" if isinstance(said, Real | str) else type(said).__name__
