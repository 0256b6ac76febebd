"""Read, check, mix down and resample recordings."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from ser_experiments.errors import AudioError

#: Below this peak (full scale is 1) a recording counts as silent: half a step of 16 bits.
SILENT_PEAK = 0.5 / 32768
#: Longest utterance that is read at once: functionals over more say little, and its spectrum would fill the memory.
MAX_UTTERANCE_S = 1800.0


def read_audio(
    source: str | os.PathLike[str] | bytes,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    sample_rate: int | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Read a recording, or a piece of one, as a mono float32 array.

    Parameters
    ----------
    source : path or bytes
        A file that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...), or the bytes of one.
    start_s, end_s : float, optional
        The piece to read, in seconds from the start; None or NaN mean the start and the end of the file.
    sample_rate : int, optional
        The rate wanted, in Hz; by default the recording's own.

    Returns
    -------
    audio : ndarray of shape (n_samples,), float32
        Full scale is 1; the channels are averaged.
    sample_rate : int
        The rate of ``audio`` in Hz.

    Raises
    ------
    AudioError
        The recording is missing, unreadable, empty, silent, longer than :data:`MAX_UTTERANCE_S`, or holds NaN or
        infinite samples.
    """
    name = "<bytes>" if isinstance(source, bytes) else str(source)
    with opened(source) as file:
        rate = int(file.samplerate)
        first = _sample(start_s, rate, 0)
        last = _sample(end_s, rate, file.frames)
        if not 0 <= first < max(last, 1) or first >= max(file.frames, 1):
            raise AudioError(
                name,
                f"segment {start_s}-{end_s} s lies outside the recording of {file.frames / rate:.3f} s",
            )
        if last - first > MAX_UTTERANCE_S * rate:
            raise AudioError(
                name,
                f"{(last - first) / rate:.0f} s long; an utterance has at most {MAX_UTTERANCE_S:.0f} s: give its start "
                "and end, or predict it with --timeline",
            )
        file.seek(first)
        samples = file.read(last - first, dtype="float32", always_2d=True)
    audio = to_mono(samples)
    validate(audio, name)
    if sample_rate is None or sample_rate == rate:
        return audio, rate
    return resample(audio, rate, sample_rate), sample_rate


@contextmanager
def opened(source: str | os.PathLike[str] | bytes) -> Iterator[soundfile.SoundFile]:
    """Open a recording; whatever goes wrong with it while it is open is an AudioError that names it.

    Raises
    ------
    AudioError
        The recording is missing, empty or unreadable.
    """
    name = "<bytes>" if isinstance(source, bytes) else str(source)
    handle = io.BytesIO(source) if isinstance(source, bytes) else Path(source)
    try:
        if isinstance(handle, Path):
            _check_file(handle, name)
        with soundfile.SoundFile(handle if isinstance(handle, io.BytesIO) else str(handle)) as file:
            yield file
    except AudioError:
        raise
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        said = getattr(error, "error_string", None) or getattr(error, "strerror", None) or error
        reason = str(said).strip().rstrip(".")
        raise AudioError(name, f"unreadable audio ({reason})") from error


def _check_file(path: Path, name: str) -> None:
    if not path.is_file():
        raise AudioError(name, "is a folder" if path.is_dir() else "no such file")
    if path.stat().st_size == 0:
        raise AudioError(name, "empty file (0 bytes)")
    if not os.access(path, os.R_OK):
        # libsndfile would speak of a system error.
        raise AudioError(name, "no permission to read it")


def to_mono(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average the channels of an array of shape (n_samples, n_channels) to shape (n_samples,)."""
    if samples.ndim == 1:
        return np.ascontiguousarray(samples, dtype=np.float32)
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0], dtype=np.float32)
    return samples.mean(axis=1, dtype=np.float32)


def validate(audio: NDArray[np.float32], source: str = "<array>") -> None:
    """Check that audio can be measured.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,)
        The samples.
    source : str
        What the message calls it.

    Raises
    ------
    AudioError
        No samples, NaN or infinite samples, or nothing but silence (a constant offset is silence too).
    """
    if audio.size == 0:
        raise AudioError(source, "empty recording (no samples)")
    low, high = float(audio.min()), float(audio.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise AudioError(source, "holds NaN or infinite samples")
    if high - low <= 2 * SILENT_PEAK:
        raise AudioError(source, "silent recording (all samples alike)")


def resample(audio: NDArray[np.float32], rate: int, target: int) -> NDArray[np.float32]:
    """Resample mono audio with soxr at high quality, as librosa does by default.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    rate, target : int
        Present and wanted rate in Hz.

    Returns
    -------
    ndarray of shape (ceil(n_samples * target / rate),), float32
    """
    if rate == target:
        return audio
    import soxr

    n_samples = math.ceil(len(audio) * target / rate)
    new = soxr.resample(audio, rate, target, quality="HQ")
    if len(new) < n_samples:
        new = np.pad(new, (0, n_samples - len(new)))
    return np.ascontiguousarray(new[:n_samples], dtype=np.float32)


def _sample(time_s: float | None, rate: int, default: int) -> int:
    if time_s is None or math.isnan(time_s):
        return default
    return round(time_s * rate)
