"""Cohen's kappa: agreement beyond what the frequencies of the classes give."""

from __future__ import annotations

from sklearn.metrics import cohen_kappa_score

from ser_experiments.evaluation.score import Score
from ser_experiments.frames import Predictions


def kappa(predictions: Predictions) -> float:
    """Return the kappa of all rows."""
    return float(cohen_kappa_score(predictions.truth, predictions.decided))


SCORE = Score("kappa", better=1, limits=(-1.0, 1.0), statistic=kappa)
