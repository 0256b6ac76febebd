"""Brier score: the squared distance of the probabilities from the truth, summed over the classes (0 to 2)."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import mean, mean_of_rows, truth_of
from ser_experiments.frames import Predictions


def squares(predictions: Predictions) -> Floats:
    """Return the squared distance of each row, beside ones."""
    one_hot = np.eye(len(predictions.task.targets))[truth_of(predictions)]
    return mean_of_rows(((predictions.values - one_hot) ** 2).sum(axis=1))


SCORE = Score("Brier score", better=-1, limits=(0.0, 2.0), sums=squares, value=mean, needs_values=True)
