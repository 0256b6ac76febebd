"""Read, check, mix down and resample an utterance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.container import File, name_of
from ser_experiments.audio.opening import BLOCK, Forward, opened
from ser_experiments.errors import AudioError

#: Below this peak (full scale is 1) a recording counts as silent: half a step of 16 bits.
SILENT_PEAK = 0.5 / 32768
#: A segment may end so much later than the recording: times of lists are rounded.
_PAST_END_S = 0.05
#: Channels whose mix keeps less than this part of what unrelated ones would keep cancel each other: one is the other
#: turned over.
_CANCELLED = 0.1
#: Longest utterance that is read at once: functionals over more say little, and its spectrum would fill the memory.
MAX_UTTERANCE_S = 1800.0


def read_audio(
    source: File,
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
        Full scale is 1; the channels are averaged, or the loudest is taken where they cancel each other.
    sample_rate : int
        The rate of ``audio`` in Hz.

    Raises
    ------
    AudioError
        The recording is missing, unreadable, empty, silent, longer than :data:`MAX_UTTERANCE_S`, or holds NaN or
        infinite samples; or the piece does not lie in it.
    """
    name = name_of(source)
    with opened(source) as file:
        rate = int(file.samplerate)
        samples = _piece(file, _sample(start_s, rate), _sample(end_s, rate), name)
    audio = to_mono(samples)
    validate(audio, name)
    if sample_rate is None or sample_rate == rate:
        return audio, rate
    return resample(audio, rate, sample_rate), sample_rate


def _piece(file: Forward, first: int | None, last: int | None, name: str) -> NDArray[np.float32]:
    """Read a piece, shape (n_samples, n_channels); an AudioError says where it does not lie in the recording."""
    rate, total, begin = file.samplerate, file.n_frames, first or 0
    said = f"segment {begin / rate:g}-{'' if last is None else format(last / rate, 'g')} s"
    if wrong := _outside(begin, last, total, rate):
        raise AudioError(name, f"{said} {wrong}")
    end = total if last is None else last
    if end is not None and total is not None and min(end, total) - begin > MAX_UTTERANCE_S * rate:
        raise AudioError(name, _too_long((min(end, total) - begin) / rate, "long"))
    file.skip(begin)
    samples = _read_on(file, None if end is None else end - begin, name)
    if begin and not len(samples):
        raise AudioError(name, f"{said} lies outside the recording")
    # It may be cut off, or not have said its length.
    if wrong := _outside(begin, last, begin + len(samples), rate):
        raise AudioError(name, f"{said} {wrong}")
    return samples


def _outside(begin: int, end: int | None, total: int | None, rate: int) -> str:
    """Say how a segment does not lie in a recording, all in frames; nothing where it does or that is not known."""
    length = "" if total is None else f" of {total / rate:.3f} s"
    if begin < 0 or any(begin >= max(one, 1) for one in (end, total) if one is not None):
        return f"lies outside the recording{length}"
    if end is not None and total is not None and end > total + round(_PAST_END_S * rate):
        return f"ends after the recording{length}; start and end are seconds in the file"
    return ""


def _too_long(seconds: float, how: str) -> str:
    return (
        f"{seconds:.0f} s {how}; an utterance has at most {MAX_UTTERANCE_S:.0f} s: give its start and end, or predict "
        "it with --timeline"
    )


def _read_on(file: Forward, n_frames: int | None, name: str) -> NDArray[np.float32]:
    """Read so many frames, or all that are left; where the header does not say how many there are, block by block."""
    if n_frames is not None and file.n_frames is not None:
        samples: NDArray[np.float32] = file.read(n_frames, dtype="float32", always_2d=True)
        return samples
    blocks, left = [], math.inf if n_frames is None else n_frames
    n_read, most = 0, MAX_UTTERANCE_S * file.samplerate
    while left > 0 and len(block := file.read(int(min(left, BLOCK)), dtype="float32", always_2d=True)):
        blocks.append(block)
        n_read, left = n_read + len(block), left - len(block)
        if n_read > most:
            raise AudioError(name, _too_long(n_read / file.samplerate, "or longer"))
    return np.concatenate(blocks) if blocks else np.zeros((0, file.channels), np.float32)


def to_mono(samples: NDArray[np.float32], channel: int | None = None) -> NDArray[np.float32]:
    """Make one channel of an array of shape (n_samples, n_channels), shape (n_samples,).

    Channels are averaged. Where they cancel each other, because a cable or a stereo effect turned one over, the mix
    would be silence and noise: then the loudest is taken.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,) or (n_samples, n_channels)
        Full scale is 1.
    channel : int, optional
        Take this one, whatever the mix is.
    """
    if samples.ndim == 1:
        return np.ascontiguousarray(samples, dtype=np.float32)
    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0], dtype=np.float32)
    mix = averaged(samples)
    chosen = cancelled(*powers(samples, mix)) if channel is None else channel
    return mix if chosen is None else np.ascontiguousarray(samples[:, chosen], dtype=np.float32)


def averaged(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of channels of shape (n_samples, n_channels), shape (n_samples,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean: NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32)
    return mean


def powers(samples: NDArray[np.float32], mix: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
    """Return the sums of squares of a mix and of its channels, shape (n_channels,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        of_channels = np.einsum("ij,ij->j", samples, samples, dtype=np.float64)
        return float(np.einsum("i,i->", mix, mix, dtype=np.float64)), of_channels


def cancelled(of_mix: float, of_channels: NDArray[np.float64]) -> int | None:
    """Return the loudest channel where the channels cancel each other, else None."""
    with np.errstate(invalid="ignore"):
        # Of n channels that have nothing to do with each other, or of which one alone sounds, a mix keeps 1 / n.
        gone = of_mix < _CANCELLED * of_channels.mean() / len(of_channels) and np.isfinite(of_channels).all()
    return int(of_channels.argmax()) if gone else None


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
    check_extent(audio.size, *((float(audio.min()), float(audio.max())) if audio.size else (0.0, 0.0)), source)


def check_extent(n_samples: int, low: float, high: float, source: str) -> None:
    """Check by its length and its extremes, of full scale 1, that a recording can be measured; as :func:`validate`."""
    if n_samples == 0:
        raise AudioError(source, "empty recording (no samples)")
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


def _sample(time_s: float | None, rate: int) -> int | None:
    return None if time_s is None or math.isnan(time_s) else round(time_s * rate)
