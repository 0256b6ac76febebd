"""Mean absolute error, in the unit of the scale; mean over dimensions."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._moments import numbers_of
from ser_experiments.evaluation.scores._sums import mean_over_present, ratio
from ser_experiments.frames import Predictions


def distances(predictions: Predictions) -> Floats:
    """Return how far each prediction is off, beside ones, shape (n_rows, n_dimensions, 2)."""
    truth, predicted = numbers_of(predictions)
    return np.stack([np.abs(predicted - truth), np.ones_like(truth)], axis=-1)


def errors(sums: Floats) -> Floats:
    """Return the mean distance of each dimension."""
    return ratio(sums[..., 0], sums[..., 1])


def mae(sums: Floats) -> Floats:
    """Return their mean."""
    return mean_over_present(errors(sums))


SCORE = Score(
    "MAE", better=-1, limits=(0.0, np.inf), sums=distances, value=mae, each=Each("mae", errors), kinds=("dimensions",)
)
