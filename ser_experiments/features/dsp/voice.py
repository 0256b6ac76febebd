"""Measure the quality of a voice: harmonics, noise, and how much one cycle differs from the next.

References
----------
Boersma, P. (1993). Proc. Institute of Phonetic Sciences 17, 97-110 (harmonics-to-noise ratio). Hanson, H. (1997).
J. Acoust. Soc. Am. 101, 466-481 (H1-H2, H1-A1, H1-A3). Hammarberg, B. et al. (1980). Acta Otolaryngologica 90,
441-451. Baken, R. & Orlikoff, R. (2000). Clinical Measurement of Speech and Voice (jitter and shimmer).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ser_experiments.features.dsp import _voice_kernels as kernels
from ser_experiments.features.dsp import formants, spectral
from ser_experiments.features.dsp.frames import hann
from ser_experiments.features.dsp.pitch import F0Track

#: What :func:`quality_rows` measures, in order.
QUALITY = ("h1_h2", "h1_h3", "h1_a1", "h1_a3", "alpha", "hammarberg", "band_0_500", "band_500_1000")
#: Length of the window in seconds: it parts the harmonics of a voice of 80 Hz.
WINDOW_S = 0.05
#: Bands whose powers are compared, and ranges in which the highest harmonic is looked for: the first formant, the
#: third formant, and below and above 2 kHz.
BANDS_HZ = ((50.0, 500.0), (500.0, 1000.0), (50.0, 1000.0), (1000.0, 5000.0), (50.0, 8000.0))
PEAKS_HZ = ((200.0, 1100.0), (2300.0, 3500.0), (0.0, 2000.0), (2000.0, 5000.0))
#: Correlations beyond this are not told apart: 30 dB is a clear sustained vowel.
CLEAREST = 0.999
#: What matches the next period less is the onset or the end of a stretch rather than a cycle of it.
LEAST_MATCH = 0.3
#: Cycles whose periods or amplitudes differ by more than these factors are not compared (as in Praat): the voice
#: sets on or breaks there.
LARGEST_STEP = 1.3
LARGEST_AMPLITUDE_STEP = 1.6


class Cycles(NamedTuple):
    """The cycles of the voice, one after the other, found by matching the waveform.

    Attributes
    ----------
    period : ndarray of shape (n_cycles,), float32
        Seconds.
    amplitude : ndarray of shape (n_cycles,), float32
        Root mean square of the cycle, which noise sways less than its highest sample.
    match : ndarray of shape (n_cycles,), float32
        Correlation of the cycle with the next, from :data:`LEAST_MATCH` to 1.
    run : ndarray of shape (n_cycles,), int64
        Rising number of the unbroken stretch that the cycle belongs to.
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


def quality_rows(
    audio: NDArray[np.float32],
    chosen: NDArray[np.intp],
    f0: NDArray[np.float32],
    sample_rate: int = 16_000,
    *,
    hop: int = 160,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure the source spectrum of voiced frames.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    chosen : ndarray of shape (n_chosen,), int
        Numbers of voiced frames.
    f0 : ndarray of shape (n_chosen,), float32
        Their fundamental frequency in Hz.
    sample_rate, hop : int

    Returns
    -------
    rows : ndarray of shape (len(QUALITY), n_chosen), float32
        The measures named in :data:`QUALITY`, in dB.
    formants : ndarray of shape (3, n_chosen), float32
        Hz, NaN where none was found.
    """
    window = int(WINDOW_S * sample_rate)
    n_fft = scipy.fft.next_fast_len(int(1.28 * window), real=True)
    power = power_at(audio, chosen, window=window, n_fft=n_fft, hop=hop)
    bin_hz = sample_rate / n_fft
    first, second, third = harmonic_powers(power, f0, bin_hz)
    level = [spectral.band_level(power, sample_rate, *band) for band in BANDS_HZ]
    peak = [spectral.band_peak(power, sample_rate, *band) for band in PEAKS_HZ]
    pairs = [
        (first, second),
        (first, third),
        (first, peak[0]),
        (first, peak[1]),
        (level[2], level[3]),
        (peak[2], peak[3]),
        (level[0], level[4]),
        (level[1], level[4]),
    ]
    rows = np.stack([spectral.ratio_db(above, below) for above, below in pairs])
    return rows, formants.estimate(power, bin_hz)


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
    # Filled up here: scipy takes much longer to transform frames that it has to fill up itself.
    frames = np.zeros((len(chosen), n_fft), dtype=np.float32)
    np.multiply(cut[chosen], taper / (taper.sum() / 2), out=frames[:, :window])
    spectrum = scipy.fft.rfft(frames, axis=1, overwrite_x=True)
    return np.square(spectrum.real) + np.square(spectrum.imag)


def harmonic_powers(power: NDArray[np.float32], f0: NDArray[np.float32], bin_hz: float) -> NDArray[np.float32]:
    """Read the powers of the first three harmonics.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), float32
    f0 : ndarray of shape (n_frames,), float32
        Hz.
    bin_hz : float
        Distance between bins.

    Returns
    -------
    ndarray of shape (3, n_frames), float32
        The highest power within 15 % of the fundamental around each multiple of it.
    """
    out = np.empty((3, len(f0)), dtype=np.float32)
    kernels.harmonics(power, f0 / np.float32(bin_hz), out)
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
    found = int(kernels.march(padded, period.astype(np.float32), hop, pad, LEAST_MATCH, values, run))
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
    first, second = _steps(found.run, found.period, LARGEST_STEP)
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
    first, second = _steps(found.run, found.amplitude, LARGEST_AMPLITUDE_STEP)
    level = 20.0 * np.log10(np.maximum(found.amplitude.astype(np.float64), 1e-9))
    return _mean(np.abs(np.diff(level)[first])), _mean(np.abs(np.diff(level, n=2)[second]))


def _steps(
    run: NDArray[np.int64], values: NDArray[np.float32], largest: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the pairs and the triples of cycles that follow one another with values that differ by little."""
    if len(run) < 2:
        return np.zeros(0, np.bool_), np.zeros(0, np.bool_)
    near = np.maximum(values[1:], values[:-1]) < largest * np.minimum(values[1:], values[:-1])
    pairs = (run[1:] == run[:-1]) & near
    return pairs, pairs[1:] & pairs[:-1]


def _mean(values: NDArray[np.floating]) -> float:
    return float(values.mean()) if values.size else 0.0
