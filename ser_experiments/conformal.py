"""Thresholds that hold for a speaker nobody has heard: what is calibrated counts speakers, not utterances.

Utterances of one voice are alike, so that many of them say little about the next voice; conformal prediction, which
takes rows for exchangeable, promises too much for it. Here every speaker has the same weight, and the level at which
a threshold is taken is the one that would have held for each speaker when it was taken from the others.

References
----------
Barber, Candès, Ramdas, Tibshirani (2021), Predictive inference with the jackknife+, Annals of Statistics 49: scores
are those of models that did not see the row (CV+).
Dunn, Wasserman, Ramdas (2023), Distribution-free prediction sets for two-layer hierarchical models, JASA 118; Lee,
Barber, Willett (2023), Distribution-free inference with hierarchical data: groups as the units. Their guarantee for
every distribution asks for the level (1 + 1/n_groups) times the coverage, which no threshold reaches with nine
speakers at 90 %; what is kept of it here holds on average over speakers, and simulations hold it to that.
Geifman, El-Yaniv (2017), Selective classification for deep neural networks, NeurIPS: answers at a bounded risk.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
#: With fewer groups nothing can be said of another one.
FEWEST_GROUPS = 3
#: Groups are left out in at most so many parts.
_MOST_PARTS = 20
#: Levels of risk that are tried on the way to one.
_LEVELS = np.linspace(0, 1, 401)
#: Standard errors that are added to a risk before it is held against the one that is asked for.
_ERRORS = 1.0
#: Weights that sum to a level but for rounding reach it.
_ROUNDING = 1e-9


def equal_groups(groups: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
    """Return the number of each row's group, and the weight of each row: every group weighs the same, in sum 1.

    Parameters
    ----------
    groups : array-like of shape (n_rows,)
        Whose each row is.
    """
    _, codes, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    return codes.astype(np.intp), 1 / (len(sizes) * sizes[codes])


def covering(scores: Floats, groups: ArrayLike, coverages: Sequence[float]) -> Floats:
    """Return thresholds that such shares of the rows of a new group do not exceed.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        How far each row is from its truth, by models that did not see its group.
    groups : array-like of shape (n_rows,)
        Whose each row is.
    coverages : sequence of float
        Shares between 0 and 1.

    Returns
    -------
    ndarray of shape (n_coverages,)
        Infinite with fewer than :data:`FEWEST_GROUPS` groups.
    """
    codes, weights = equal_groups(groups)
    n_groups = codes.max() + 1
    if n_groups < FEWEST_GROUPS:
        return np.full(len(coverages), np.inf)
    own = np.empty_like(scores)
    for rows in _rows_of(codes):
        own[rows] = np.searchsorted(np.sort(scores[rows]), scores[rows], side="left") / len(rows)
    # The share of the other groups that lies below each row: at a greater level, the row is covered.
    reached = (n_groups * _below(scores, weights) - own) / (n_groups - 1)
    levels = _quantiles(reached, weights, np.asarray(coverages))
    return _quantiles(scores, weights, np.minimum(levels + 10 * _ROUNDING, 1.0))


def sure(confidence: Floats, wrong: NDArray[np.bool_], groups: ArrayLike, risks: Sequence[float]) -> Floats:
    """Return the least confidence at which at most such a share of the answers to a new group is wrong.

    Parameters
    ----------
    confidence : ndarray of shape (n_rows,)
        How sure each answer is.
    wrong : ndarray of bool of shape (n_rows,)
        Which answers are wrong; from models that did not see the row's group.
    groups : array-like of shape (n_rows,)
        Whose each row is.
    risks : sequence of float
        Shares between 0 and 1.

    Returns
    -------
    ndarray of shape (n_risks,)
        Infinite where no answer is sure enough, and with fewer than :data:`FEWEST_GROUPS` groups.
    """
    codes, weights = equal_groups(groups)
    if codes.max() + 1 < FEWEST_GROUPS:
        return np.full(len(risks), np.inf)
    parts = parts_of(codes)
    answered, mistaken = np.zeros((2, len(parts), len(_LEVELS)))
    for number, part in enumerate(parts):
        least = _at_risk(confidence[~part], wrong[~part], weights[~part], _LEVELS)
        given = confidence[part][None] >= least[:, None]
        answered[number] = given @ weights[part]
        mistaken[number] = (given & wrong[part][None]) @ weights[part]
    highest = _highest(answered, mistaken)
    held = [np.flatnonzero(highest <= one + _ROUNDING) for one in risks]
    levels = np.array([_LEVELS[one[-1]] if len(one) else -1.0 for one in held])
    return _at_risk(confidence, wrong, weights, levels)


def _highest(answered: Floats, mistaken: Floats) -> Floats:
    """Return the share of answers that is wrong plus its standard error over parts, by level; 0 where none is given.

    Few answers, or those to a few voices, say little about the next one: the standard error keeps the level of such
    from being chosen for its luck.
    """
    n_parts = len(answered)
    total, wrong = answered.sum(axis=0), mistaken.sum(axis=0)
    risk = np.divide(wrong, total, out=np.zeros_like(total), where=total > 0)
    left = total - answered
    without = np.divide(wrong - mistaken, left, out=np.ones_like(left), where=left > 1e-12)
    without[:, total <= 0] = 0.0
    error = np.sqrt((n_parts - 1) / n_parts * ((without - without.mean(axis=0)) ** 2).sum(axis=0))
    return risk + _ERRORS * error


def parts_of(codes: NDArray[np.intp]) -> list[NDArray[np.bool_]]:
    """Return which rows are left out together: each group alone, or so many at a time that there are twenty parts."""
    n_groups = int(codes.max()) + 1
    part = codes * min(n_groups, _MOST_PARTS) // n_groups
    return [part == one for one in range(int(part.max()) + 1)]


def _rows_of(codes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _below(scores: Floats, weights: Floats) -> Floats:
    """Return the weight of all rows with a lower score, for each row."""
    order = np.argsort(scores, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weights[order])])
    return sums[np.searchsorted(scores[order], scores, side="left")]


def _quantiles(values: Floats, weights: Floats, levels: Floats) -> Floats:
    """Return the least values that rows of such a weight do not exceed."""
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    places = np.searchsorted(sums / sums[-1], levels - _ROUNDING, side="left")
    return values[order][np.minimum(places, len(values) - 1)]


def _at_risk(confidence: Floats, wrong: NDArray[np.bool_], weights: Floats, levels: Floats) -> Floats:
    """Return the least confidence whose answers are at most so often wrong among these rows; infinite without one."""
    order = np.argsort(-confidence, kind="stable")
    last = np.append(np.diff(confidence[order]) < 0, True)
    answered = np.cumsum(weights[order])
    risk = (np.cumsum(weights[order] * wrong[order]) / answered)[last]
    ends = confidence[order][last]
    # The least risk of this many answers or more: the first that is too great has no place behind it that is not.
    least = np.minimum.accumulate(risk[::-1])[::-1]
    places = np.searchsorted(least, levels + _ROUNDING, side="right") - 1
    return np.where(places >= 0, ends[np.maximum(places, 0)], np.inf)
