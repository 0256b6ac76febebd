"""Spectral contrast: how far the peaks of each octave stand above its valleys, equal to librosa's."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel
from ser_experiments.features.dsp.mel import power_to_db


class Bands(NamedTuple):
    """Bins ``first[k]`` to ``last[k]`` (excluded) of each band; its `extreme` highest bins make the peak."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    extreme: NDArray[np.int64]


@lru_cache(maxsize=8)
def octave_bands(sample_rate: int, n_bins: int, n_bands: int, fmin: float = 200.0, quantile: float = 0.02) -> Bands:
    """Cut the spectrum as ``librosa.feature.spectral_contrast`` does.

    Each band also holds the bin below it, and all but the last give up their last bin, except for counting.
    """
    frequencies = np.fft.rfftfreq(2 * (n_bins - 1), 1.0 / sample_rate)
    edges = np.concatenate([[0.0], fmin * 2.0 ** np.arange(n_bands + 1)])
    bands = []
    for k in range(n_bands + 1):
        inside = np.flatnonzero((frequencies >= edges[k]) & (frequencies <= edges[k + 1]))
        first = int(inside[0]) - (k > 0)
        last = n_bins if k == n_bands else int(inside[-1]) + 1
        count = max(int(np.rint(quantile * (last - first))), 1)
        bands.append((first, last - (k < n_bands), count))
    first_, last_, count_ = (np.array(column, dtype=np.int64) for column in zip(*bands, strict=True))
    return Bands(first_, last_, count_)


def contrast(magnitude: NDArray[np.float32], sample_rate: int, n_bands: int = 6) -> NDArray[np.float32]:
    """Return ``librosa.feature.spectral_contrast(S=magnitude, n_bands=n_bands)``.

    Level of the highest 2 % of the bins of each octave over that of the lowest 2 %, in dB (Jiang et al., 2002).

    Parameters
    ----------
    magnitude : ndarray of shape (n_bins, n_frames), float32
        Frequency first, unlike elsewhere.
    sample_rate : int
    n_bands : int
        Octaves above 200 Hz; one more band lies below.

    Returns
    -------
    ndarray of shape (n_bands + 1, n_frames), float32
    """
    bands = octave_bands(sample_rate, len(magnitude), n_bands)
    extremes = np.empty((2, n_bands + 1, magnitude.shape[1]), dtype=np.float32)
    _extremes(magnitude, bands.first, bands.last, bands.extreme, extremes)
    return power_to_db(extremes[0]) - power_to_db(extremes[1])


@kernel("void(f4[:,::1], i8[::1], i8[::1], i8[::1], f4[:,:,::1])")
def _extremes(
    spectra: NDArray[np.float32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    count: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    n_frames = spectra.shape[1]
    width = 64
    high = np.empty((count.max(), width), dtype=np.float32)
    low = np.empty((count.max(), width), dtype=np.float32)
    up = np.empty(width, dtype=np.float32)
    down = np.empty(width, dtype=np.float32)
    for begin in range(0, n_frames, width):
        lanes = min(width, n_frames - begin)
        for b in range(first.size):
            high[:] = np.float32(-1.0)
            low[:] = np.float32(3.4e38)
            for k in range(first[b], last[b]):
                row = spectra[k, begin : begin + lanes]
                for t in range(lanes):
                    up[t] = row[t]
                    down[t] = row[t]
                # Sorted lists of many frames at once: the newcomer sinks past each entry or takes its place.
                for j in range(count[b]):
                    for t in range(lanes):
                        entry = high[j, t]
                        high[j, t] = max(entry, up[t])
                        up[t] = min(entry, up[t])
                        entry = low[j, t]
                        low[j, t] = min(entry, down[t])
                        down[t] = max(entry, down[t])
            peak = out[0, b, begin : begin + lanes]
            valley = out[1, b, begin : begin + lanes]
            peak[:] = np.float32(0.0)
            valley[:] = np.float32(0.0)
            for j in range(count[b]):
                for t in range(lanes):
                    peak[t] += high[j, t] / np.float32(count[b])
                    valley[t] += low[j, t] / np.float32(count[b])
