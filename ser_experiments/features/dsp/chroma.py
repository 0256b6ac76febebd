"""Spectral peaks, the tuning they imply, and the energy of the twelve pitch classes, equal to librosa's."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel
from ser_experiments.features.dsp.mel import FilterBank, band_energies, pack


class Peaks(NamedTuple):
    """Local maxima of spectra: the frame, frequency in Hz and magnitude of each, in order of time."""

    frame: NDArray[np.int64]
    hz: NDArray[np.float32]
    magnitude: NDArray[np.float32]


def spectral_peaks(
    magnitude: NDArray[np.float32],
    sample_rate: int,
    *,
    fmin: float = 150.0,
    fmax: float = 4000.0,
    threshold: float = 0.1,
) -> Peaks:
    """Find the peaks of ``librosa.piptrack(S=magnitude.T, ...)``, refined by a parabola (Smith & Serra, 1987).

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), float32
    sample_rate : int
    fmin, fmax : float
        Range of bins in Hz, `fmax` excluded.
    threshold : float
        Of the largest magnitude of the frame; lower peaks are left out.

    Returns
    -------
    Peaks
    """
    n_bins = magnitude.shape[1]
    bin_hz = sample_rate / 2.0 / (n_bins - 1)
    frequencies = np.arange(n_bins) * bin_hz
    inside = np.flatnonzero((frequencies >= fmin) & (frequencies < min(fmax, sample_rate / 2.0)))
    first, last = int(inside[0]), min(int(inside[-1]) + 1, n_bins - 1)
    room = len(magnitude) * (n_bins // 2 + 1)
    frame, hz, size = np.empty(room, np.int64), np.empty(room, np.float32), np.empty(room, np.float32)
    found = _peaks(magnitude, max(first, 1), last, bin_hz, np.float32(threshold), frame, hz, size)
    return Peaks(frame[:found], hz[:found], size[:found])


def tuning(peaks: Peaks, resolution: float = 0.01) -> float:
    """Return ``librosa.estimate_tuning`` of the recording whose peaks these are.

    The most frequent deviation from equal temperament at A4 = 440 Hz among the louder half of the peaks.

    Parameters
    ----------
    peaks : Peaks
        Of 150 to 4000 Hz.
    resolution : float
        Width of a bin of the histogram, in semitones.

    Returns
    -------
    float
        In semitones, -0.5 to 0.5; 0 without peaks.
    """
    if not peaks.hz.size:
        return 0.0
    hz = peaks.hz[(peaks.magnitude >= np.median(peaks.magnitude)) & (peaks.hz > 0)]
    residual = np.mod(12 * np.log2(hz / (440.0 / 16.0)), 1.0)
    residual[residual >= 0.5] -= 1.0
    edges = np.linspace(-0.5, 0.5, int(np.ceil(1.0 / resolution)) + 1)
    counts, _ = np.histogram(residual, edges)
    return float(edges[np.argmax(counts)])


@lru_cache(maxsize=128)
def chroma_bank(sample_rate: int, n_fft: int, tuning: float) -> FilterBank:
    """Return ``librosa.filters.chroma(sr=sample_rate, n_fft=n_fft, tuning=tuning)``."""
    from librosa.filters import chroma

    return pack(chroma(sr=sample_rate, n_fft=n_fft, tuning=tuning))


def chroma(power: NDArray[np.float32], sample_rate: int, tuning: float = 0.0) -> NDArray[np.float32]:
    """Return ``librosa.feature.chroma_stft(S=power.T, tuning=tuning)``.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), float32
    sample_rate : int
    tuning : float
        In semitones.

    Returns
    -------
    ndarray of shape (12, n_frames), float32
        C to B, the largest of a frame is 1; zero in silence.
    """
    classes = band_energies(power, chroma_bank(sample_rate, 2 * (power.shape[1] - 1), tuning))
    largest = classes.max(axis=0)
    largest[largest < np.finfo(np.float32).tiny] = 1.0
    return np.divide(classes, largest, out=classes)


def entropy(classes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the entropy of the pitch classes, 0 (one class) to 1 (all alike); 1 in silence.

    Parameters
    ----------
    classes : ndarray of shape (12, n_frames), float32

    Returns
    -------
    ndarray of shape (n_frames,), float32
    """
    share = np.maximum(classes, np.float32(1e-6))
    share /= share.sum(axis=0)
    return -(share * np.log(share)).sum(axis=0) / np.float32(np.log(len(classes)))


@kernel("i8(f4[:,::1], i8, i8, f8, f4, i8[::1], f4[::1], f4[::1])")
def _peaks(
    magnitude: NDArray[np.float32],
    first: int,
    last: int,
    bin_hz: float,
    threshold: np.float32,
    frame: NDArray[np.int64],
    hz: NDArray[np.float32],
    size: NDArray[np.float32],
) -> int:
    found = 0
    for t in range(magnitude.shape[0]):
        top = np.float32(0.0)
        for k in range(magnitude.shape[1]):
            top = max(top, magnitude[t, k])
        least = threshold * top
        for k in range(first, last):
            here = magnitude[t, k]
            before = magnitude[t, k - 1]
            after = magnitude[t, k + 1]
            if here > least and here > before and here >= after:
                rise = 0.5 * (np.float64(after) - np.float64(before))
                bend = np.float64(after) + np.float64(before) - 2.0 * np.float64(here)
                shift = -rise / bend if abs(rise) < abs(bend) else 0.0
                frame[found] = t
                hz[found] = (k + shift) * bin_hz
                size[found] = here + 0.5 * rise * shift
                found += 1
    return found
