"""Log loss: the mean negative logarithm of the probability of the true class."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import mean, mean_of_rows, truth_of
from ser_experiments.frames import Predictions

#: A probability of 0 for what happened is counted as this.
LEAST = 1e-15


def losses(predictions: Predictions) -> Floats:
    """Return the loss of each row, beside ones."""
    truth = truth_of(predictions)
    of_truth = predictions.values[np.arange(len(truth)), truth]
    return mean_of_rows(-np.log(np.clip(of_truth, LEAST, 1)))


SCORE = Score("log loss", better=-1, limits=(0.0, np.inf), sums=losses, value=mean, needs_values=True)
