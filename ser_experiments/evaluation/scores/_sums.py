"""Sums over rows that several scores are made from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.frames import Predictions

Floats = NDArray[np.float64]


def truth_of(predictions: Predictions) -> NDArray[np.intp]:
    """Return the place of each row's class, -1 of a row without one; an InputError names what is no class."""
    return predictions.task.places(predictions.frame)


def counts(predictions: Predictions) -> Floats:
    """Return the confusion matrix of each row alone, shape (n_rows, n_classes, n_classes + 1): true, predicted.

    The last column counts predictions of something that is none of the classes. A row without a class, such as one that
    raters do not agree on, counts nowhere.
    """
    truth, n_classes = truth_of(predictions), len(predictions.task.targets)
    cells = np.zeros((len(truth), n_classes, n_classes + 1))
    rows = np.flatnonzero(truth >= 0)
    cells[rows, truth[rows], predictions.decided[rows]] = 1  # of none is -1: the last
    return cells


def rows_of(counts: Floats) -> Floats:
    """Return how many rows each class has, shape (n_weightings, n_classes)."""
    return counts.sum(axis=2)


def hits_of(counts: Floats) -> Floats:
    """Return how many rows of each class are right, shape (n_weightings, n_classes)."""
    return np.diagonal(counts, axis1=1, axis2=2)


def predicted_of(counts: Floats) -> Floats:
    """Return how many rows are predicted as each class, shape (n_weightings, n_classes)."""
    return counts.sum(axis=1)[:, :-1]


def ratio(above: Floats, below: Floats, *, empty: float = np.nan) -> Floats:
    """Divide; `empty` where there is nothing below."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(below > 0, above / below, empty)


def mean_over_present(values: Floats) -> Floats:
    """Return the mean over the targets that are defined, shape (n_weightings,); NaN where none is."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0).sum(axis=1), known.sum(axis=1))


def mean_of_rows(values: Floats) -> Floats:
    """Return what a mean over rows is made from: values of shape (n_rows,) beside ones."""
    return np.column_stack([values, np.ones(len(values))])


def mean(sums: Floats) -> Floats:
    """Return the mean from the sums of :func:`mean_of_rows`."""
    return ratio(sums[:, 0], sums[:, 1])
