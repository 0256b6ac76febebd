"""Moments of truth and prediction that scores of numbers are made from, as sums over rows.

Both are counted from their own mean over the table, so that an offset of the scale costs no digits; how far the two
means are apart is kept beside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.evaluation.intervals import Scale
from ser_experiments.evaluation.score import Floats
from ser_experiments.evaluation.scores._sums import ratio
from ser_experiments.frames import Predictions

#: A variance below this share of the mean square it is a difference of is rounding.
ROUNDING = 1e-10


class Moments(NamedTuple):
    """Population moments (divided by n) under each weighting, shape (n_weightings, n_dimensions) each.

    `gap` is the mean of the predictions less that of the truth. A spread that is rounding alone is 0; all are NaN with
    fewer than two rows.
    """

    gap: Floats
    truth: Floats
    predicted: Floats
    covariance: Floats


def numbers_of(predictions: Predictions) -> tuple[Floats, Floats]:
    """Return truth and prediction, shape (n_rows, n_dimensions) each; an InputError names a cell that is no number."""
    truth, predicted = predictions.truth, predictions.decided
    for columns, values in ((predictions.task.truth_columns, truth), (predictions.task.columns, predicted)):
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            row, place = wrong[0]
            where = f"{columns[place]} of {predictions.frame.index[row]!r}"
            raise InputError(f"predictions: {where} is {values[row, place]}; must be a number")
    return truth, predicted


def products(predictions: Predictions) -> Floats:
    """Return what moments are made from, shape (n_rows, n_dimensions, 7).

    Of truth t and prediction p, each less its own mean: 1, t, p, tp, tt, pp, and how far the two means are apart.
    """
    truth, predicted = numbers_of(predictions)
    middle, center = truth.mean(axis=0), predicted.mean(axis=0)
    t, p = truth - middle, predicted - center
    return np.stack([np.ones_like(t), t, p, t * p, t * t, p * p, np.broadcast_to(center - middle, t.shape)], axis=-1)


def moments(sums: Floats) -> Moments:
    """Return the moments from sums of :func:`products`, shape (n_weightings, n_dimensions, 7)."""
    n = np.where(sums[..., 0] > 1, sums[..., 0], np.nan)
    t, p, tp, tt, pp, apart = np.moveaxis(sums[..., 1:] / n[..., None], -1, 0)
    truth, predicted = _spread(tt, t), _spread(pp, p)
    gap = p - t + apart
    size = np.abs(p) + np.abs(t) + np.abs(apart)
    return Moments(
        np.where(np.abs(gap) < ROUNDING * size, 0, gap),
        truth,
        predicted,
        np.where((truth > 0) & (predicted > 0), tp - t * p, np.where(np.isnan(n), np.nan, 0)),
    )


def _spread(square: Floats, mean: Floats) -> Floats:
    variance = square - mean**2
    return np.where(variance < ROUNDING * square, 0, variance)


def within(values: Floats) -> Floats:
    """Cut off what rounding put beyond -1 and 1."""
    return np.clip(values, -1, 1)


def concordances(sums: Floats) -> Floats:
    """Return Lin's coefficient of each dimension.

    NaN with fewer than two rows, and where truth and prediction are one and the same number throughout; 0 where one of
    the two does not vary and the other is not the same number.
    """
    of = moments(sums)
    return within(ratio(2 * of.covariance, of.truth + of.predicted + of.gap**2))


def correlations(sums: Floats) -> Floats:
    """Return Pearson's coefficient of each dimension; NaN with fewer than two rows, or where one does not vary."""
    of = moments(sums)
    return within(ratio(of.covariance, np.sqrt(of.truth) * np.sqrt(of.predicted)))


#: The numbers nearest to -1 and 1 that have a z.
_END = float(np.nextafter(1.0, 0.0))


def _z(values: Floats) -> Floats:
    return np.arctanh(np.clip(values, -_END, _END))


#: Fisher's z (1921), on which the errors of a correlation are nearly normal and do not depend on its value.
FISHER = Scale(_z, np.tanh)
