"""Describe how pitch and level move over an utterance, and its rhythm: numbers of one contour.

Times are relative to the stretch described (0 its first frame, 1 its last), so that long and short utterances of the
same shape have the same numbers. Where there is nothing to describe, every number is 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp import contour
from ser_experiments.features.dsp.functionals import NAMES, relative_time, summarise

#: Semitones count from here: between the voices of men and women, so that 0 is also a fair guess where none is heard.
REFERENCE_HZ = 150.0
#: Voiced stretches shorter than this, in frames, are mistakes of the tracker more often than voice.
SHORTEST_VOICED = 3
#: Stretches from which the movement within a syllable is read, in frames.
SHORTEST_RUN = 5
#: Gaps of 80 ms and more are pauses; shorter ones are closures of stops.
SHORTEST_PAUSE_S = 0.08
#: Share of the frames at the beginning and at the end that are compared with the whole.
EDGE = 0.2


def semitones(f0: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn Hz into semitones above :data:`REFERENCE_HZ`."""
    return np.float32(12.0) * np.log2(f0 / np.float32(REFERENCE_HZ))


def without_short_runs(mask: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """Clear the stretches of True that are shorter than `least` frames."""
    begin, end = runs(mask)
    kept = np.zeros(len(mask) + 1, dtype=np.int64)
    long = end - begin >= least
    kept[begin[long]] += 1
    kept[end[long]] -= 1
    return np.cumsum(kept[:-1]) > 0


def runs(mask: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first frame of each stretch of True, and the frame after its last."""
    padded = np.zeros(len(mask) + 2, dtype=np.int8)
    padded[1:-1] = mask
    change = np.diff(padded)
    return np.flatnonzero(change == 1), np.flatnonzero(change == -1)


def legendre(time: NDArray[np.floating], values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Fit the first three Legendre polynomials above the constant by least squares.

    Parameters
    ----------
    time : ndarray of shape (n,)
        From 0 to 1.
    values : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (3,)
        Rise, bend and wave of the contour, in units of the values. Zero with fewer than eight points.

    References
    ----------
    Grabe, E., Kochanski, G. & Coleman, J. (2007). Language and Speech 50, 281-310.
    """
    if len(values) < 8:
        return np.zeros(3)
    u = 2.0 * time.astype(np.float64) - 1.0
    basis = np.stack([np.ones_like(u), u, (3.0 * u**2 - 1.0) / 2.0, (5.0 * u**3 - 3.0 * u) / 2.0])
    gram = basis @ basis.T
    # A millionth of the weight keeps the solution bounded when the points lie at two or three places only.
    gram[np.diag_indices(4)] += 1e-6 * len(u)
    return np.asarray(np.linalg.solve(gram, basis @ values.astype(np.float64))[1:])


def shape(time: NDArray[np.floating], values: NDArray[np.floating]) -> dict[str, float]:
    """Describe the course of a contour.

    Parameters
    ----------
    time : ndarray of shape (n,)
        From 0 to 1, rising.
    values : ndarray of shape (n,)

    Returns
    -------
    dict of str to float
        Legendre coefficients 1 to 3; mean of the first and of the last fifth of the points minus the mean; the time
        at which the contour is highest (mean time of its top twentieth), 0.5 for none.
    """
    if len(values) == 0:
        return dict.fromkeys(("legendre_1", "legendre_2", "legendre_3", "start", "end"), 0.0) | {"peak_place": 0.5}
    edge = max(round(EDGE * len(values)), 1)
    mean = float(values.mean())
    top = max(len(values) // 20, 1)
    highest = np.argpartition(values, len(values) - top)[-top:]
    first, second, third = legendre(time, values).tolist()
    return {
        "legendre_1": first,
        "legendre_2": second,
        "legendre_3": third,
        "start": float(values[:edge].mean()) - mean,
        "end": float(values[-edge:].mean()) - mean,
        "peak_place": float(time[highest].mean()),
    }


def pitch_numbers(pitch: NDArray[np.float32], voiced: NDArray[np.bool_], frame_s: float) -> dict[str, float]:
    """Describe a pitch contour.

    Parameters
    ----------
    pitch : ndarray of shape (n_frames,), float32
        Semitones; anything finite where unvoiced.
    voiced : ndarray of shape (n_frames,), bool
    frame_s : float

    Returns
    -------
    dict of str to float
    """
    where = np.flatnonzero(voiced)
    table = summarise(pitch[None, :], voiced)[:, 0]
    numbers = {name: float(table[NAMES.index(name)]) for name in ("mean", "std", "skew", "range")}
    numbers |= {name: float(table[NAMES.index(name)]) for name in ("p05", "p20", "p50", "p80", "p95")}
    numbers["range_80_20"] = numbers["p80"] - numbers["p20"]
    names = ("rising", "rise_rate", "fall_rate")
    numbers |= dict(zip(names, contour.movement(pitch, voiced, frame_s), strict=True))
    time = relative_time(where) if where.size else np.zeros(0, np.float32)
    numbers |= shape(time, pitch[where])
    return numbers | _within_runs(pitch, voiced, frame_s)


def _within_runs(pitch: NDArray[np.float32], voiced: NDArray[np.bool_], frame_s: float) -> dict[str, float]:
    """Describe the movement within the voiced stretches, which are about a syllable long."""
    names = ("run_range", "run_slope", "run_slope_std", "roughness")
    begin, end = runs(without_short_runs(voiced, SHORTEST_RUN))
    if begin.size == 0:
        return dict.fromkeys(names, 0.0)
    ranges, slopes = [], []
    for first, last in zip(begin.tolist(), end.tolist(), strict=True):
        part = pitch[first:last].astype(np.float64)
        time = np.arange(last - first) - (last - first - 1) / 2.0
        ranges.append(float(part.max() - part.min()))
        slopes.append(float(time @ part / (time @ time)) / frame_s)
    bend = np.abs(np.diff(pitch, n=2))[voiced[2:] & voiced[1:-1] & voiced[:-2]]
    values = (np.mean(ranges), np.mean(slopes), np.std(slopes), bend.mean())
    return dict(zip(names, map(float, values), strict=True))


def level_numbers(
    level: NDArray[np.float32], active: NDArray[np.bool_], voiced: NDArray[np.bool_], frame_s: float
) -> dict[str, float]:
    """Describe the level over the active frames.

    Parameters
    ----------
    level : ndarray of shape (n_frames,), float32
        dB, relative to a reference that does not depend on the gain.
    active, voiced : ndarray of shape (n_frames,), bool
    frame_s : float

    Returns
    -------
    dict of str to float
    """
    where = np.flatnonzero(active)
    table = summarise(level[None, :], active)[:, 0]
    numbers = {name: float(table[NAMES.index(name)]) for name in ("std", "p05", "p50", "p95", "iqr")}
    numbers |= dict(zip(("rise_rate", "fall_rate"), contour.movement(level, active, frame_s)[1:], strict=True))
    course = shape(relative_time(where) if where.size else np.zeros(0, np.float32), level[where])
    numbers |= {name: value for name, value in course.items() if name != "start"}
    quiet = active & ~voiced
    heard = level[voiced]
    numbers["voiced_std"] = float(heard.std()) if heard.size else 0.0
    numbers["voiced_excess"] = float(heard.mean() - level[quiet].mean()) if heard.size and quiet.any() else 0.0
    return numbers


def pause_numbers(active: NDArray[np.bool_], frame_s: float) -> tuple[float, float]:
    """Return the share of pauses in the time between the first and last active frame, and pauses per second."""
    cut = contour.inner(active)
    if cut.size == 0:
        return 0.0, 0.0
    gaps = contour.run_lengths(cut)[1]
    long = gaps[gaps * frame_s >= SHORTEST_PAUSE_S - 1e-9]
    return float(long.sum() / cut.size), float(long.size / (cut.size * frame_s))


def syllable_numbers(level: NDArray[np.float32], active: NDArray[np.bool_], frame_s: float) -> dict[str, float]:
    """Describe the peaks of the level, most of which are syllables.

    Parameters
    ----------
    level : ndarray of shape (n_frames,), float32
        dB.
    active : ndarray of shape (n_frames,), bool
    frame_s : float

    Returns
    -------
    dict of str to float
        Peaks per second of speech and pauses, and per second of speech; coefficient of variation of the intervals
        between them; standard deviation of their levels.
    """
    numbers = dict.fromkeys(("rate", "articulation_rate", "interval_variation", "level_std"), 0.0)
    place = contour.peaks(contour.smooth(level, 5), 3.0)
    place = place[active[place]]
    if place.size == 0:
        return numbers
    span_s = max(contour.inner(active).size, 1) * frame_s
    numbers["rate"] = place.size / span_s
    numbers["articulation_rate"] = place.size / (float(active.sum()) * frame_s)
    if place.size > 1:
        intervals = np.diff(place)
        numbers["interval_variation"] = float(intervals.std() / intervals.mean())
    numbers["level_std"] = float(level[place].std())
    return numbers


def slope_and_correlation(y: NDArray[np.floating], x: NDArray[np.floating]) -> tuple[float, float]:
    """Return the least-squares slope of `y` over `x`, and their correlation; 0 where either is constant."""
    if len(x) < 5:
        return 0.0, 0.0
    dx, dy = x.astype(np.float64) - float(x.mean()), y.astype(np.float64) - float(y.mean())
    xx, yy, xy = float(dx @ dx), float(dy @ dy), float(dx @ dy)
    least = 1e-6 * len(x)
    if xx <= least or yy <= least:
        return 0.0, 0.0
    return xy / xx, xy / np.sqrt(xx * yy)
