"""Root of the mean squared error, in the unit of the scale; mean over dimensions."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._moments import numbers_of
from ser_experiments.evaluation.scores._sums import mean_over_present, ratio
from ser_experiments.frames import Predictions


def squares(predictions: Predictions) -> Floats:
    """Return the squared distance of each prediction, beside ones, shape (n_rows, n_dimensions, 2)."""
    truth, predicted = numbers_of(predictions)
    return np.stack([(predicted - truth) ** 2, np.ones_like(truth)], axis=-1)


def errors(sums: Floats) -> Floats:
    """Return the root of the mean square of each dimension."""
    return np.sqrt(ratio(sums[..., 0], sums[..., 1]))


def rmse(sums: Floats) -> Floats:
    """Return the mean of these roots."""
    return mean_over_present(errors(sums))


SCORE = Score(
    "RMSE", better=-1, limits=(0.0, np.inf), sums=squares, value=rmse, each=Each("rmse", errors), kinds=("dimensions",)
)
