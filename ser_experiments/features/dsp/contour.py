"""Shape of one contour over time: runs of frames, rises and falls, peaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def run_lengths(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the lengths of the stretches of True and of False, in frames, in order of time."""
    if mask.size == 0:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    edges = np.flatnonzero(mask[1:] != mask[:-1]) + 1
    lengths = np.diff(np.concatenate([[0], edges, [mask.size]]))
    first, second = lengths[::2], lengths[1::2]
    return (first, second) if mask[0] else (second, first)


def inner(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cut the False frames at both ends off a mask."""
    where = np.flatnonzero(mask)
    return mask[where[0] : where[-1] + 1] if where.size else mask[:0]


def run_statistics(mask: NDArray[np.bool_], frame_s: float) -> list[float]:
    """Describe the rhythm of a mask between its first and last True frame.

    Parameters
    ----------
    mask : ndarray of shape (n_frames,), bool
    frame_s : float
        Step between frames in seconds.

    Returns
    -------
    list of 6 floats
        Fraction of True frames, runs of True per second, mean and standard deviation of the lengths of the True
        runs, and of the False runs between them (seconds).
    """
    cut = inner(mask)
    if cut.size == 0:
        return [0.0] * 6
    on, off = run_lengths(cut)
    means = [float(part.mean()) * frame_s if part.size else 0.0 for part in (on, off)]
    spreads = [float(part.std()) * frame_s if part.size else 0.0 for part in (on, off)]
    rate = on.size / (cut.size * frame_s)
    return [float(cut.mean()), rate, means[0], spreads[0], means[1], spreads[1]]


def movement(values: NDArray[np.float32], mask: NDArray[np.bool_], frame_s: float) -> list[float]:
    """Describe how a contour rises and falls from frame to frame, within the stretches of a mask.

    Parameters
    ----------
    values : ndarray of shape (n_frames,), float32
    mask : ndarray of shape (n_frames,), bool
    frame_s : float
        Step between frames in seconds.

    Returns
    -------
    list of 3 floats
        Fraction of the steps that rise, mean rate of the rising ones and mean rate of the falling ones (units per
        second, both positive).
    """
    steps = np.diff(values)[mask[1:] & mask[:-1]]
    if steps.size == 0:
        return [0.0, 0.0, 0.0]
    up, down = steps[steps > 0], steps[steps < 0]
    rise = float(up.mean()) / frame_s if up.size else 0.0
    fall = -float(down.mean()) / frame_s if down.size else 0.0
    return [up.size / steps.size, rise, fall]


def smooth(values: NDArray[np.float32], width: int) -> NDArray[np.float64]:
    """Average over `width` frames (odd), with the edge values continued."""
    padded = np.pad(values.astype(np.float64), width // 2, mode="edge")
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    return (sums[width:] - sums[:-width]) / width


def peaks(values: NDArray[np.floating], prominence: float) -> NDArray[np.intp]:
    """Find the peaks that stand out by `prominence` from the valleys on both sides.

    A single pass that alternates between climbing and falling (a zigzag): a peak is kept when the contour has risen
    by `prominence` before it and falls by as much after it. The end of the contour counts as a fall.

    Parameters
    ----------
    values : ndarray of shape (n_frames,)
    prominence : float
        In the units of the values.

    Returns
    -------
    ndarray of int
        Frame numbers.
    """
    found: list[int] = []
    low = high = float(values[0]) if values.size else 0.0
    place, climbing = 0, False
    for t, value in enumerate(values.tolist()):
        if climbing:
            if value > high:
                high, place = value, t
            elif high - value >= prominence:
                found.append(place)
                climbing, low = False, value
        elif value < low:
            low = value
        elif value - low >= prominence:
            climbing, high, place = True, value, t
    if climbing:
        found.append(place)
    return np.array(found, dtype=np.intp)
