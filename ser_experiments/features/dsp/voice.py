"""Measure the quality of a voice: harmonics, noise, and how much one cycle differs from the next.

References
----------
Boersma, P. (1993). Proc. Institute of Phonetic Sciences 17, 97-110 (harmonics-to-noise ratio). Hanson, H. (1997).
J. Acoust. Soc. Am. 101, 466-481 (H1-H2, H1-A1, H1-A3). Hillenbrand, J., Cleveland, R. & Erickson, R. (1994).
J. Speech Hear. Res. 37, 769-778 (cepstral peak prominence). Baken, R. & Orlikoff, R. (2000). Clinical Measurement
of Speech and Voice (jitter and shimmer).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ser_experiments.features.dsp import _voice_kernels as kernels
from ser_experiments.features.dsp.frames import hann
from ser_experiments.features.dsp.pitch import F0Track

#: Correlations beyond this are not told apart: 30 dB is a clear sustained vowel.
CLEAREST = 0.999
#: Neighbouring cycles whose periods differ by more than this factor are not neighbours (as in Praat).
LARGEST_STEP = 1.3


class Cycles(NamedTuple):
    """The cycles of the voice, one after the other, found by matching the waveform.

    Attributes
    ----------
    period : ndarray of shape (n_cycles,), float32
        Seconds.
    amplitude : ndarray of shape (n_cycles,), float32
        From the lowest to the highest sample of the cycle.
    match : ndarray of shape (n_cycles,), float32
        Correlation of the cycle with the next, -1 to 1.
    run : ndarray of shape (n_cycles,), int64
        Number of the voiced stretch that the cycle belongs to.
    """

    period: NDArray[np.float32]
    amplitude: NDArray[np.float32]
    match: NDArray[np.float32]
    run: NDArray[np.int64]


def hnr_db(periodicity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn the share of the power that repeats into a harmonics-to-noise ratio.

    Parameters
    ----------
    periodicity : ndarray of shape (n_frames,), float32
        As in :class:`~ser_experiments.features.dsp.pitch.F0Track`.

    Returns
    -------
    ndarray of shape (n_frames,), float32
        ``10 log10(r / (1 - r))`` in dB, between -30 and 30 (Boersma, 1993).
    """
    share = np.clip(periodicity, np.float32(1.0 - CLEAREST), np.float32(CLEAREST))
    return np.float32(10.0) * np.log10(share / (np.float32(1.0) - share))


def power_at(
    audio: NDArray[np.float32], chosen: NDArray[np.intp], *, window: int, n_fft: int, hop: int
) -> NDArray[np.float32]:
    """Compute the power spectrum of chosen frames only.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    chosen : ndarray of shape (n_chosen,), int
        Frame numbers; frame t is centred on sample ``t * hop``.
    window, n_fft, hop : int
        Length of the Hann window, of the transform, and the step, in samples.

    Returns
    -------
    ndarray of shape (n_chosen, 1 + n_fft // 2), float32
        A sinusoid of amplitude 1 has a peak of about 1.
    """
    count = 1 + len(audio) // hop
    padded = np.zeros((count - 1) * hop + window, dtype=np.float32)
    room = len(padded) - window // 2
    padded[window // 2 : window // 2 + len(audio)] = audio[:room]
    step = padded.itemsize
    cut = as_strided(padded, (count, window), (hop * step, step), writeable=False)
    taper = hann(window)
    spectrum = scipy.fft.rfft(cut[chosen] * (taper / (taper.sum() / 2)), n=n_fft, axis=1, overwrite_x=True)
    return np.square(spectrum.real) + np.square(spectrum.imag)


def harmonic_levels(level: NDArray[np.float32], f0: NDArray[np.float32], bin_hz: float) -> NDArray[np.float32]:
    """Read the levels of the first three harmonics.

    Parameters
    ----------
    level : ndarray of shape (n_frames, n_bins), float32
        Spectrum in dB.
    f0 : ndarray of shape (n_frames,), float32
        Hz.
    bin_hz : float
        Distance between bins.

    Returns
    -------
    ndarray of shape (3, n_frames), float32
        The highest level within 15 % of the fundamental around each multiple of it.
    """
    out = np.empty((3, len(f0)), dtype=np.float32)
    kernels.harmonics(level, f0 / np.float32(bin_hz), out)
    return out


def cycles(audio: NDArray[np.float32], track: F0Track, sample_rate: int = 16_000, *, hop: int = 160) -> Cycles:
    """Follow the cycles of each voiced stretch by matching the waveform with itself one period later.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    track : F0Track
        Of the same audio, with the same `hop`.
    sample_rate, hop : int

    Returns
    -------
    Cycles
    """
    period = np.where(track.voiced, np.float32(sample_rate) / np.nan_to_num(track.f0, nan=1.0), np.float32(0.0))
    pad = 2 * int(period.max()) + 8
    padded = np.zeros(len(audio) + 2 * pad, dtype=np.float32)
    padded[pad : pad + len(audio)] = audio
    shortest = float(period[track.voiced].min()) if track.voiced.any() else 1.0
    most = int(track.voiced.sum() * hop / (0.8 * shortest)) + len(period) + 1
    values = np.zeros((3, most), dtype=np.float32)
    run = np.zeros(most, dtype=np.int64)
    found = int(kernels.march(padded, period.astype(np.float32), hop, pad, values, run))
    length, amplitude, match = values[:, :found]
    return Cycles(length / np.float32(sample_rate), amplitude, match, run[:found])


def jitter(found: Cycles) -> tuple[float, float]:
    """Return how much the period changes from cycle to cycle.

    Returns
    -------
    local : float
        Mean absolute difference of neighbouring periods over the mean period.
    ddp : float
        The same of the differences of the differences, which a steady glide does not raise.
    """
    first, second = _steps(found)
    mean = float(found.period.mean()) if len(found.period) else 1.0
    period = found.period.astype(np.float64)
    step = np.abs(np.diff(period)[first]) / mean
    bend = np.abs(np.diff(period, n=2)[second]) / mean
    return _mean(step), _mean(bend)


def shimmer(found: Cycles) -> tuple[float, float]:
    """Return how much the amplitude changes from cycle to cycle.

    Returns
    -------
    local : float
        Mean absolute difference of neighbouring amplitudes in dB.
    ddp : float
        The same of the differences of the differences, which a steady rise does not raise.
    """
    first, second = _steps(found)
    level = 20.0 * np.log10(np.maximum(found.amplitude.astype(np.float64), 1e-9))
    return _mean(np.abs(np.diff(level)[first])), _mean(np.abs(np.diff(level, n=2)[second]))


def _steps(found: Cycles) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the pairs and the triples of cycles that follow one another."""
    if len(found.run) < 2:
        return np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    earlier, later = found.period[:-1], found.period[1:]
    near = np.maximum(earlier, later) < LARGEST_STEP * np.minimum(earlier, later)
    pairs = (found.run[1:] == found.run[:-1]) & near
    return pairs, pairs[1:] & pairs[:-1]


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if values.size else 0.0
