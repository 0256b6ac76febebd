"""Summarise descriptors over chosen frames: moments, percentiles, ranges and slope, from one sort."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel

#: The functionals in the order of the rows of :func:`summarise`.
NAMES = ("mean", "std", "skew", "kurtosis", "slope", "p05", "p20", "p50", "p80", "p95", "range", "iqr")
_PERCENTS = np.array([5.0, 20.0, 50.0, 80.0, 95.0, 25.0, 75.0])


def summarise(rows: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Take every functional of every row over the chosen frames.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_frames), float32
    chosen : ndarray of shape (n_frames,), bool

    Returns
    -------
    ndarray of shape (len(NAMES), n_rows), float32
        Percentiles interpolate linearly, as ``numpy.percentile`` does. Zero where no frame is chosen.
    """
    out = np.zeros((len(NAMES), len(rows)), dtype=np.float32)
    where = np.flatnonzero(chosen)
    if where.size == 0:
        return out
    picked = np.ascontiguousarray(rows[:, where])
    _moments(picked, relative_time(where), out)
    picked.sort(axis=1)
    percentiles = sorted_percentiles(picked, _PERCENTS)
    out[5:10] = percentiles[:5]
    out[10] = percentiles[4] - percentiles[0]
    out[11] = percentiles[6] - percentiles[5]
    return out


def relative_time(where: NDArray[np.integer]) -> NDArray[np.float32]:
    """Map frame numbers to 0 (the first) to 1 (the last)."""
    span = max(int(where[-1] - where[0]), 1)
    return ((where - where[0]) / span).astype(np.float32)


def sorted_percentiles(ordered: NDArray[np.float32], percents: NDArray[np.float64]) -> NDArray[np.float32]:
    """Read percentiles from rows that are sorted already.

    Parameters
    ----------
    ordered : ndarray of shape (n_rows, n), float32
    percents : ndarray of shape (n_percents,)
        From 0 to 100.

    Returns
    -------
    ndarray of shape (n_percents, n_rows), float32
    """
    place = percents / 100.0 * (ordered.shape[1] - 1)
    below = place.astype(np.intp)
    above = np.minimum(below + 1, ordered.shape[1] - 1)
    share = (place - below).astype(np.float32)[:, None]
    low, high = ordered.T[below], ordered.T[above]
    return low + share * (high - low)


@kernel("void(f4[:,::1], f4[::1], f4[:,::1])")
def _moments(rows: NDArray[np.float32], time: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    n = rows.shape[1]
    mean_time = time.sum() / np.float32(n)
    spread = np.float32(0.0)
    for t in range(n):
        spread += (time[t] - mean_time) * (time[t] - mean_time)
    for i in range(rows.shape[0]):
        total = np.float32(0.0)
        largest = np.float32(0.0)
        for t in range(n):
            total += rows[i, t]
            largest = max(largest, abs(rows[i, t]))
        mean = total / np.float32(n)
        m2 = np.float32(0.0)
        m3 = np.float32(0.0)
        m4 = np.float32(0.0)
        along = np.float32(0.0)
        for t in range(n):
            d = rows[i, t] - mean
            m2 += d * d
            m3 += d * d * d
            m4 += d * d * d * d
            along += d * (time[t] - mean_time)
        variance = m2 / np.float32(n)
        out[0, i] = mean
        # What is left of a constant row is rounding, whose higher moments mean nothing.
        if variance <= np.float32(1e-12) * largest * largest or n < 2:
            continue
        deviation = np.sqrt(variance)
        squared = variance * variance
        out[1, i] = deviation
        out[4, i] = along / spread
        # Nor do those of a spread so small that single precision cannot hold its powers.
        if squared > np.float32(0.0):
            out[2, i] = m3 / np.float32(n) / (variance * deviation)
            out[3, i] = m4 / np.float32(n) / squared - np.float32(3.0)
