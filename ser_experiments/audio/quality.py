"""What a recording is like, whatever is said in it: how long, how loud, how noisy, clipped, and where it ends above."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from ser_experiments.audio.activity import FRAME_S, VoiceActivity
from ser_experiments.audio.bandwidth import bandwidth
from ser_experiments.audio.container import File
from ser_experiments.audio.opening import opened
from ser_experiments.audio.read import read_audio
from ser_experiments.audio.spectra import Spectra, spectra

#: A recording holds nothing softer than so many dB of full scale: the rounding of 16 bits.
_FLOOR_DB = -100.0
#: Samples stand at the largest magnitude where they are within such a part of it, so many beside each other at least.
_AT_TOP, _BESIDE = 1e-6, 3
#: Noise is what is left at each frequency in the softest part of the frames: voices leave gaps between their sounds,
#: and between harmonics, where pauses are short.
_SOFT = 0.1
#: Hz of the bands in which that is found, and bins that hold one independent draw of a noise, by the window.
_BAND_HZ, _BINS_A_DRAW = 250.0, 1.5
#: A speech-to-noise ratio beyond these ends, in dB, says no more than its end.
_SNR_DB = (-10.0, 60.0)


class Quality(NamedTuple):
    """What a recording is like.

    Attributes
    ----------
    duration_s : float
        Its length.
    sample_rate : float
        As it is stored, in Hz.
    bandwidth_hz : float
        Where its spectrum ends; see :func:`~ser_experiments.audio.bandwidth.bandwidth`.
    level_db : float
        Of what is speech, in dB of full scale (RMS).
    noise_db : float
        Of what goes on below it, in dB of full scale.
    snr_db : float
        Speech above noise, in dB, at least -10 and at most 60.
    clipped : float
        The share of the samples that are cut off at the largest magnitude.
    speech : float
        The share of the time that is speech; of what is shorter than a frame of the detector, 0.
    channels : float
        As it is stored.
    """

    duration_s: float
    sample_rate: float
    bandwidth_hz: float
    level_db: float
    noise_db: float
    snr_db: float
    clipped: float
    speech: float
    channels: float


def quality_of(path: str, *, start_s: float | None = None, end_s: float | None = None) -> Quality:
    """Read a recording, or a piece of one, and measure what it is like.

    Parameters
    ----------
    path : str
        The file.
    start_s, end_s : float, optional
        The piece, in seconds; None or NaN mean the start and the end of the file.

    Raises
    ------
    AudioError
        It cannot be used.
    """
    audio, rate = read_audio(path, start_s=start_s, end_s=end_s)
    return quality(audio, rate, channels_of(path))


def channels_of(source: File) -> int:
    """Return the number of channels that a recording is stored with.

    Raises
    ------
    AudioError
        It is missing or unreadable.
    """
    with opened(source) as file:
        return int(file.channels)


def quality(audio: NDArray[np.float32], sample_rate: int, channels: int = 1) -> Quality:
    """Measure what a recording is like.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        As :func:`~ser_experiments.audio.read_audio` gives it, at its own rate; not silent.
    sample_rate : int
        In Hz.
    channels : int
        That it is stored with; they are one here.
    """
    # A constant offset is no sound.
    sound = audio - audio.mean(dtype=np.float64).astype(np.float32)
    spoken = VoiceActivity(sample_rate, float(np.abs(sound).max()) or 1.0)(sound, last=True)
    found = spectra(sound, sample_rate)
    level = _level(sound, sample_rate, spoken)
    noise = min(_noise(found), level)
    snr_db = _decibel(max(level - noise, 0.0)) - _decibel(noise)
    return Quality(
        duration_s=len(audio) / sample_rate,
        sample_rate=float(sample_rate),
        bandwidth_hz=bandwidth(found),
        level_db=_decibel(level),
        noise_db=_decibel(noise),
        snr_db=float(np.clip(snr_db, *_SNR_DB)),
        clipped=clipped(audio),
        speech=float(spoken.mean()) if len(spoken) else 0.0,
        channels=float(channels),
    )


def clipped(audio: NDArray[np.float32]) -> float:
    """Return the share of the samples that stand beside others at the largest magnitude: a wave that is cut off.

    What was clipped before it was filtered, resampled or coded has no flat tops any more, and is not found.
    """
    high, low = audio.max(), audio.min()
    tops = (np.flatnonzero(audio >= high - _AT_TOP * abs(high)), np.flatnonzero(audio <= low + _AT_TOP * abs(low)))
    return sum(_beside(places) for places in tops) / len(audio)


def _beside(places: NDArray[np.intp]) -> int:
    """Return how many of some places stand in a row of so many that a wave is cut off."""
    lengths = np.diff(np.flatnonzero(np.diff(places, prepend=-2, append=len(places) + places[-1] + 2) != 1))
    return int(lengths[lengths >= _BESIDE].sum())


def _level(audio: NDArray[np.float32], sample_rate: int, spoken: NDArray[np.bool_]) -> float:
    """Return the mean square of what is speech; of all where nothing is."""
    size = FRAME_S * sample_rate
    edges = np.flatnonzero(np.diff(spoken.astype(np.int8), prepend=0, append=0))
    # Stretch by stretch: of half an hour, a number beside each sample would fill the memory.
    stretches = [audio[round(begin * size) : round(end * size)] for begin, end in edges.reshape(-1, 2)]
    stretches = [one for one in stretches if len(one)] or [audio]
    return float(sum(float(np.dot(one, one)) for one in stretches) / sum(map(len, stretches)))


def _noise(found: Spectra) -> float:
    """Return the mean square of what goes on in the softest part of the time, found band by band."""
    # Silence of zeros is no soft noise but a place where nothing was recorded.
    powers = found.powers[found.powers.any(axis=1)]
    if not len(powers):
        return 0.0
    width = min(max(1, round(_BAND_HZ / found.step_hz)), powers.shape[1])
    n_bands = powers.shape[1] // width
    bands = powers[:, : n_bands * width].reshape(len(powers), n_bands, width).sum(axis=2)
    rank = int(_SOFT * (len(bands) - 1))
    soft = np.partition(bands, rank, axis=0)[rank]
    # Of a noise alone, the softest frames of a band are softer than its mean by what a sum of so many draws spreads.
    draws = width / _BINS_A_DRAW
    return float(soft.sum(dtype=np.float64)) * draws / float(gammaincinv(draws, _SOFT))


def _decibel(power: float) -> float:
    return max(10 * float(np.log10(power + 1e-20)), _FLOOR_DB)
