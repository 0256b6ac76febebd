"""Scores as functions of sums over groups, so that leaving groups out or drawing them again costs no pass over rows.

Every score here depends on the rows through sums alone (counts, hits, losses). The sums are kept for each group;
a weighting of the groups (0/1 for a jackknife, counts for a bootstrap) then gives the score by one product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError, nearest
from ser_experiments.evaluation.metrics import probabilities

Floats = NDArray[np.float64]
_BINS = 10


@dataclass(frozen=True)
class Score:
    """One score that can be compared over groups.

    Parameters
    ----------
    sums : callable
        ``sums(truth, predicted, chances)``: positions of the true and of the predicted class, shape (n_rows,), and
        probabilities of shape (n_rows, n_classes). Returns what is summed, shape (n_rows, ...).
    value : callable
        From sums of shape (n_weightings, ...) to scores of shape (n_weightings,); NaN where there are no rows.
    sign : {1, -1}
        1 where more is better.
    limits : tuple of float
        Where it can lie.
    title : str
        As people call it.
    """

    sums: Callable[[NDArray[np.intp], NDArray[np.intp], Floats], Floats]
    value: Callable[[Floats], Floats]
    sign: int
    limits: tuple[float, float]
    title: str


def _counts(truth: NDArray[np.intp], predicted: NDArray[np.intp], chances: Floats) -> Floats:
    n_classes = chances.shape[1]
    cells = np.zeros((len(truth), n_classes, n_classes))
    cells[np.arange(len(truth)), truth, predicted] = 1
    return cells


def _mean_over_present(values: Floats, present: NDArray[np.bool_]) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(present, values, 0).sum(axis=1) / present.sum(axis=1)


def _recalls(counts: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    rows = counts.sum(axis=2)
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return hits / np.maximum(rows, 1), rows > 0


def _uar(counts: Floats) -> Floats:
    return _mean_over_present(*_recalls(counts))


def _wa(counts: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.trace(counts, axis1=1, axis2=2) / counts.sum(axis=(1, 2))


def _macro_f1(counts: Floats) -> Floats:
    hits = np.diagonal(counts, axis1=1, axis2=2)
    both = counts.sum(axis=2) + counts.sum(axis=1)
    return _mean_over_present(2 * hits / np.maximum(both, 1), counts.sum(axis=2) > 0)


def _loss(truth: NDArray[np.intp], predicted: NDArray[np.intp], chances: Floats) -> Floats:
    of_truth = chances[np.arange(len(truth)), truth]
    return np.column_stack([-np.log(np.clip(of_truth, 1e-15, 1)), np.ones(len(truth))])


def _squares(truth: NDArray[np.intp], predicted: NDArray[np.intp], chances: Floats) -> Floats:
    one_hot = np.eye(chances.shape[1])[truth]
    return np.column_stack([((chances - one_hot) ** 2).sum(axis=1), np.ones(len(truth))])


def _ratio(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, 0] / sums[:, 1]


def _gaps(truth: NDArray[np.intp], predicted: NDArray[np.intp], chances: Floats) -> Floats:
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == truth
    cells = np.zeros((len(truth), _BINS, 2))
    cells[np.arange(len(truth)), np.minimum((confidence * _BINS).astype(int), _BINS - 1)] = np.column_stack(
        [right - confidence, np.ones(len(truth))]
    )
    return cells


def _ece(sums: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.abs(sums[:, :, 0]).sum(axis=1) / sums[:, :, 1].sum(axis=1)


#: What ``--metric`` may name.
SCORES: dict[str, Score] = {
    "uar": Score(_counts, _uar, 1, (0.0, 1.0), "UAR"),
    "wa": Score(_counts, _wa, 1, (0.0, 1.0), "WA"),
    "macro_f1": Score(_counts, _macro_f1, 1, (0.0, 1.0), "macro-F1"),
    "log_loss": Score(_loss, _ratio, -1, (0.0, np.inf), "log loss"),
    "brier": Score(_squares, _ratio, -1, (0.0, 2.0), "Brier score"),
    "ece": Score(_gaps, _ece, -1, (0.0, 1.0), "calibration error"),
}


def get_score(metric: str) -> Score:
    """Return a score by its name; an unknown one is an InputError with the nearest name."""
    if metric not in SCORES:
        raise InputError(f"unknown metric {metric!r}{nearest(metric, SCORES)}")
    return SCORES[metric]


def group_sums(predictions: pd.DataFrame, classes: Sequence[str], unit: str, metric: str) -> Floats:
    """Sum what a score needs over the rows of each group.

    Parameters
    ----------
    predictions : DataFrame
        ``label``, ``predicted``, ``p_<class>`` and the column `unit`.
    classes : sequence of str
        All classes.
    unit : str
        The column of the groups.
    metric : str
        A name of :data:`SCORES`.

    Returns
    -------
    ndarray of shape (n_groups, ...)
        In alphabetical order of the groups.
    """
    order = {c: i for i, c in enumerate(classes)}
    truth = np.array([order[c] for c in predictions["label"]], dtype=np.intp)
    predicted = np.array([order[c] for c in predictions["predicted"]], dtype=np.intp)
    rows = get_score(metric).sums(truth, predicted, probabilities(predictions, classes))
    _, group = np.unique(predictions[unit].to_numpy(dtype=str), return_inverse=True)
    sums = np.zeros((group.max() + 1, *rows.shape[1:]))
    np.add.at(sums, group, rows)
    return sums


def weighted(sums: Floats, weights: NDArray[np.floating], metric: str) -> Floats:
    """Return the score under each weighting of the groups.

    Parameters
    ----------
    sums : ndarray of shape (n_groups, ...)
        As :func:`group_sums` gives them.
    weights : ndarray of shape (n_weightings, n_groups)
        How often each group counts.
    metric : str
        A name of :data:`SCORES`.
    """
    return get_score(metric).value(np.tensordot(weights.astype(np.float64), sums, axes=1))
