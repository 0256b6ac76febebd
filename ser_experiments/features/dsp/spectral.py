"""Shape of the spectrum, frame by frame.

Spectra come with time first, shape (n_frames, n_bins); every function returns float32 with time last. What librosa
has equals librosa's.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel
from ser_experiments.features.dsp.mel import DB_PER_NEPER

#: Below this sum a spectrum has no shape: librosa's ``util.tiny`` of float32.
TINY = np.float32(np.finfo(np.float32).tiny)


def moments(magnitude: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Take the spectrum as a distribution over frequency: centre, spread, skewness and kurtosis.

    The first two are ``librosa.feature.spectral_centroid`` and ``spectral_bandwidth`` (both in Hz); skewness and
    excess kurtosis are the standardised third and fourth moments of the same distribution (Peeters, 2004).

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), float32
    sample_rate : int

    Returns
    -------
    ndarray of shape (4, n_frames), float32
        Zero where the frame is silent.
    """
    out = np.empty((4, len(magnitude)), dtype=np.float32)
    _moments(magnitude, sample_rate / 2.0 / (magnitude.shape[1] - 1), out)
    return out


def rolloff(
    magnitude: NDArray[np.float32], sample_rate: int, fractions: tuple[float, ...] = (0.85,)
) -> NDArray[np.float32]:
    """Find the frequencies below which given fractions of the magnitude lie.

    Equals ``librosa.feature.spectral_rolloff(S=magnitude.T, roll_percent=fraction)``; Hz.

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), float32
    sample_rate : int
    fractions : tuple of float
        In increasing order.

    Returns
    -------
    ndarray of shape (n_fractions, n_frames), float32
    """
    out = np.empty((len(fractions), len(magnitude)), dtype=np.float32)
    _rolloff(magnitude, np.array(fractions), sample_rate / 2.0 / (magnitude.shape[1] - 1), out)
    return out


def flatness(power: NDArray[np.float32], log_power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``librosa.feature.spectral_flatness(S=sqrt(power).T)[0]``.

    The geometric mean of the power over its arithmetic mean, both with the power raised to at least 1e-10.

    Parameters
    ----------
    power, log_power : ndarray of shape (n_frames, n_bins), float32
        The power and ``log(maximum(power, 1e-10))``.

    Returns
    -------
    ndarray of shape (n_frames,), float32
    """
    out = np.empty((2, len(power)), dtype=np.float32)
    _flatness(power, log_power, out)
    return np.exp(out[0] - np.log(out[1]))


def entropy(power: NDArray[np.float32], log_power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the Shannon entropy of the power over frequency, 0 (one bin) to 1 (flat) (Misra et al., 2004).

    Parameters
    ----------
    power, log_power : ndarray of shape (n_frames, n_bins), float32

    Returns
    -------
    ndarray of shape (n_frames,), float32
    """
    out = np.empty(len(power), dtype=np.float32)
    _entropy(power, log_power, out)
    return out


def flux(log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``librosa.onset.onset_strength(S=log_mel, center=False)``.

    The mean over bands of the rise in dB since the frame before; 0 for the first frame (Böck & Widmer, 2013).

    Parameters
    ----------
    log_mel : ndarray of shape (n_bands, n_frames), float32
        Levels in dB.

    Returns
    -------
    ndarray of shape (n_frames,), float32
    """
    out = np.zeros(log_mel.shape[1], dtype=np.float32)
    rise = log_mel[:, 1:] - log_mel[:, :-1]
    np.maximum(rise, np.float32(0.0), out=rise)
    rise.mean(axis=0, out=out[1:])
    return out


@lru_cache(maxsize=32)
def bins_between(sample_rate: int, n_bins: int, low_hz: float, high_hz: float) -> tuple[int, int]:
    """Return the first bin at or above `low_hz` and the first one above `high_hz`."""
    frequencies = np.fft.rfftfreq(2 * (n_bins - 1), 1.0 / sample_rate)
    return int(np.searchsorted(frequencies, low_hz)), int(np.searchsorted(frequencies, high_hz, side="right"))


def slopes(
    log_power: NDArray[np.float32], sample_rate: int, bands_hz: tuple[tuple[float, float], ...]
) -> NDArray[np.float32]:
    """Fit a line to the level of the spectrum between two frequencies, for each of several bands.

    Parameters
    ----------
    log_power : ndarray of shape (n_frames, n_bins), float32
        Natural logarithm of the power.
    sample_rate : int
    bands_hz : tuple of (low, high)

    Returns
    -------
    ndarray of shape (n_bands, n_frames), float32
        dB per kHz; least squares over the bins from low to high (eGeMAPS, Eyben et al., 2016, has 0-500 Hz and
        500-1500 Hz).
    """
    n_bins = log_power.shape[1]
    out = np.empty((len(bands_hz), len(log_power)), dtype=np.float32)
    for row, (low, high) in enumerate(bands_hz):
        begin, end = bins_between(sample_rate, n_bins, low, high)
        kilohertz = np.arange(begin, end) * (sample_rate / 2000.0 / (n_bins - 1))
        centred = kilohertz - kilohertz.mean()
        weights = (DB_PER_NEPER * centred / (centred @ centred)).astype(np.float32)
        _weigh(log_power, weights, begin, out[row])
    return out


def band_level(power: NDArray[np.float32], sample_rate: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Sum the power between two frequencies (bins at both included): shape (n_frames,)."""
    begin, end = bins_between(sample_rate, power.shape[1], low_hz, high_hz)
    out = np.empty(len(power), dtype=np.float32)
    _band_sum(power, begin, end, out)
    return out


def band_peak(power: NDArray[np.float32], sample_rate: int, low_hz: float, high_hz: float) -> NDArray[np.float32]:
    """Return the highest power between two frequencies (bins at both included): shape (n_frames,)."""
    begin, end = bins_between(sample_rate, power.shape[1], low_hz, high_hz)
    out = np.empty(len(power), dtype=np.float32)
    _band_max(power, begin, end, out)
    return out


def ratio_db(above: NDArray[np.float32], below: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``10 log10(above / below)``, both raised to at least 1e-10 so that silence gives 0 dB."""
    floor = np.float32(1e-10)
    return DB_PER_NEPER * (np.log(np.maximum(above, floor)) - np.log(np.maximum(below, floor)))


@kernel("void(f4[:,::1], f8, f4[:,::1])")
def _moments(magnitude: NDArray[np.float32], bin_hz: float, out: NDArray[np.float32]) -> None:
    n_bins = magnitude.shape[1]
    for t in range(magnitude.shape[0]):
        total = np.float32(0.0)
        first = np.float32(0.0)
        for k in range(n_bins):
            total += magnitude[t, k]
            first += magnitude[t, k] * np.float32(k)
        if total < TINY:
            out[:, t] = np.float32(0.0)
            continue
        centre = first / total
        m2 = np.float32(0.0)
        m3 = np.float32(0.0)
        m4 = np.float32(0.0)
        for k in range(n_bins):
            d = np.float32(k) - centre
            weighted = magnitude[t, k] * d * d
            m2 += weighted
            m3 += weighted * d
            m4 += weighted * d * d
        variance = m2 / total
        out[0, t] = centre * np.float32(bin_hz)
        out[1, t] = np.sqrt(variance) * np.float32(bin_hz)
        safe = max(variance, np.float32(1e-6))
        out[2, t] = m3 / total / (safe * np.sqrt(safe))
        out[3, t] = m4 / total / (safe * safe) - np.float32(3.0)


@kernel("void(f4[:,::1], f8[::1], f8, f4[:,::1])", fast=False)
def _rolloff(
    magnitude: NDArray[np.float32], fractions: NDArray[np.float64], bin_hz: float, out: NDArray[np.float32]
) -> None:
    n_bins = magnitude.shape[1]
    running = np.empty(n_bins, dtype=np.float32)
    for t in range(magnitude.shape[0]):
        total = np.float32(0.0)
        for k in range(n_bins):
            total += magnitude[t, k]
            running[k] = total
        k = 0
        for i in range(fractions.size):
            threshold = np.float32(np.float32(fractions[i]) * total)
            while k < n_bins - 1 and running[k] < threshold:
                k += 1
            out[i, t] = k * bin_hz


@kernel("void(f4[:,::1], f4[:,::1], f4[:,::1])")
def _flatness(power: NDArray[np.float32], log_power: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    n_bins = power.shape[1]
    for t in range(power.shape[0]):
        logs = np.float32(0.0)
        total = np.float32(0.0)
        for k in range(n_bins):
            logs += log_power[t, k]
            total += max(power[t, k], np.float32(1e-10))
        out[0, t] = logs / np.float32(n_bins)
        out[1, t] = total / np.float32(n_bins)


@kernel("void(f4[:,::1], f4[:,::1], f4[::1])")
def _entropy(power: NDArray[np.float32], log_power: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    n_bins = power.shape[1]
    for t in range(power.shape[0]):
        total = np.float32(0.0)
        weighted = np.float32(0.0)
        for k in range(n_bins):
            value = max(power[t, k], np.float32(1e-10))
            total += value
            weighted += value * log_power[t, k]
        out[t] = (np.log(total) - weighted / total) / np.log(np.float32(n_bins))


@kernel("void(f4[:,::1], f4[::1], i8, f4[::1])")
def _weigh(spectra: NDArray[np.float32], weights: NDArray[np.float32], begin: int, out: NDArray[np.float32]) -> None:
    for t in range(spectra.shape[0]):
        total = np.float32(0.0)
        values = spectra[t, begin : begin + weights.size]
        for k in range(weights.size):
            total += weights[k] * values[k]
        out[t] = total


@kernel("void(f4[:,::1], i8, i8, f4[::1])")
def _band_sum(power: NDArray[np.float32], begin: int, end: int, out: NDArray[np.float32]) -> None:
    for t in range(power.shape[0]):
        total = np.float32(0.0)
        for value in power[t, begin:end]:
            total += value
        out[t] = total


@kernel("void(f4[:,::1], i8, i8, f4[::1])")
def _band_max(power: NDArray[np.float32], begin: int, end: int, out: NDArray[np.float32]) -> None:
    for t in range(power.shape[0]):
        top = np.float32(0.0)
        for value in power[t, begin:end]:
            top = max(top, value)
        out[t] = top
