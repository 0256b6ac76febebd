"""Cross-entropy to the votes: the mean over rows of minus the sum of share times logarithm of probability, in nats.

It is a proper score: least where the probabilities are the shares, where it is the entropy of the votes, which is above
zero wherever raters differ. Whoever answers each of n classes alike scores the logarithm of n.

References
----------
Good (1952), Rational decisions, Journal of the Royal Statistical Society B 14(1):107-114.
Gneiting, Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA 102(477):359-378.
"""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import mean, mean_of_rows
from ser_experiments.evaluation.scores.log_loss import LEAST
from ser_experiments.frames import Predictions


def losses(predictions: Predictions) -> Floats:
    """Return the loss of each row, beside ones."""
    return mean_of_rows(-(predictions.truth * np.log(np.clip(predictions.values, LEAST, 1))).sum(axis=1))


SCORE = Score(
    "cross-entropy",
    better=-1,
    limits=(0.0, np.inf),
    sums=losses,
    value=mean,
    kinds=("votes",),
    needs_values=True,
    by_fold=True,
)
