"""Read, check, mix down and resample an utterance."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.container import File, name_of
from ser_experiments.audio.limits import Bounds, Limits
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
UTTERANCE = Limits(
    MAX_UTTERANCE_S,
    said=f"an utterance has at most {MAX_UTTERANCE_S:.0f} s: give its start and end, or predict it with --timeline",
)


def read_audio(
    source: File,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    sample_rate: int | None = None,
    limits: Bounds | None = None,
) -> tuple[NDArray[np.float32], int]:
    """Read a recording, or a piece of one, as a mono float32 array.

    It is mixed down block by block, so that the memory it takes does not depend on the number of channels.

    Parameters
    ----------
    source : path or bytes
        A file that libsndfile reads (WAV, FLAC, OGG, MP3, AIFF, ...), or the bytes of one.
    start_s, end_s : float, optional
        The piece to read, in seconds from the start; None or NaN mean the start and the end of the file.
    sample_rate : int, optional
        The rate wanted, in Hz; by default the recording's own.
    limits : Limits or Budget, optional
        How much is decoded; by default :data:`MAX_UTTERANCE_S`.

    Returns
    -------
    audio : ndarray of shape (n_samples,), float32
        Full scale is 1; the channels are averaged, or the loudest is taken where they cancel each other.
    sample_rate : int
        The rate of ``audio`` in Hz.

    Raises
    ------
    AudioError
        The recording is missing, unreadable, empty, silent, or holds NaN or infinite samples; or the piece does not lie
        in it.
    TooLong
        It has more than the limits allow; where its header says so, nothing was decoded.
    """
    name = name_of(source)
    audio, rate, channel = _mixed(source, (start_s, end_s), limits)
    if channel is not None:
        # Only at its end is it known that the mix is none.
        audio, rate, _ = _mixed(source, (start_s, end_s), limits, channel)
    validate(audio, name)
    if sample_rate is None or sample_rate == rate:
        return audio, rate
    return resample(audio, rate, sample_rate), sample_rate


def _mixed(
    source: File, piece: tuple[float | None, float | None], limits: Bounds | None, channel: int | None = None
) -> tuple[NDArray[np.float32], int, int | None]:
    """Read a piece as one channel, with its rate, and the channel to take instead where the channels cancel out."""
    with opened(source, limits) as file:
        rate = int(file.samplerate)
        mix = Mix(file.channels, channel)
        how = _Reading(name_of(source), limits or UTTERANCE, mix)
        audio = _piece(file, _sample(piece[0], rate), _sample(piece[1], rate), how)
    return audio, rate, mix.instead()


class Mix:
    """Mix blocks of shape (n_samples, n_channels) down to one channel.

    Parameters
    ----------
    n_channels : int
        Of every block.
    channel : int, optional
        Take this one; by default they are averaged.
    """

    def __init__(self, n_channels: int, channel: int | None = None) -> None:
        self._channel, self._averages = channel, n_channels > 1 and channel is None
        self._of_mix, self._of_channels = 0.0, np.zeros(n_channels)

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a block of samples as one channel."""
        if not self._averages:
            return to_mono(samples, self._channel)
        mix = averaged(samples)
        of_mix, of_channels = powers(samples, mix)
        self._of_mix, self._of_channels = self._of_mix + of_mix, self._of_channels + of_channels
        return mix

    def instead(self) -> int | None:
        """Return the channel to take instead of the average, where the channels cancel each other."""
        return cancelled(self._of_mix, self._of_channels) if self._averages else None


class _Reading(NamedTuple):
    name: str
    limits: Bounds
    mix: Mix


def _piece(file: Forward, first: int | None, last: int | None, how: _Reading) -> NDArray[np.float32]:
    """Read a piece, shape (n_samples,); an AudioError says where it does not lie in the recording."""
    rate, total, begin = file.samplerate, file.n_frames, first or 0
    said = f"segment {begin / rate:g}-{'' if last is None else format(last / rate, 'g')} s"
    if wrong := _outside(begin, last, total, rate):
        raise AudioError(how.name, f"{said} {wrong}")
    end = total if last is None else last
    if end is not None and total is not None:
        how.limits.check(min(end, total) - begin, rate, file.channels, how.name)
    file.skip(begin)
    audio = _read_on(file, None if end is None else end - begin, how)
    if begin and not len(audio):
        raise AudioError(how.name, f"{said} lies outside the recording")
    # It may be cut off, or not have said its length.
    if wrong := _outside(begin, last, begin + len(audio), rate):
        raise AudioError(how.name, f"{said} {wrong}")
    return audio


def _outside(begin: int, end: int | None, total: int | None, rate: int) -> str:
    """Say how a segment does not lie in a recording, all in frames; nothing where it does or that is not known."""
    length = "" if total is None else f" of {total / rate:.3f} s"
    if begin < 0 or any(begin >= max(one, 1) for one in (end, total) if one is not None):
        return f"lies outside the recording{length}"
    if end is not None and total is not None and end > total + round(_PAST_END_S * rate):
        return f"ends after the recording{length}; start and end are seconds in the file"
    return ""


def _read_on(file: Forward, n_frames: int | None, how: _Reading) -> NDArray[np.float32]:
    """Read so many frames, or all that are left, shape (n_samples,)."""
    known = n_frames is not None and file.n_frames is not None
    if known and file.channels == 1:
        return how.mix(file.read(n_frames or 0, dtype="float32", always_2d=True))
    blocks, n_read = [], 0
    for block in file.blocks_of(BLOCK, n_frames):
        blocks.append(how.mix(block))
        n_read += len(block)
        if not known:
            how.limits.check(n_read, file.samplerate, file.channels, how.name, ended=False)
    return blocks[0] if len(blocks) == 1 else np.concatenate([np.zeros(0, np.float32), *blocks])


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
