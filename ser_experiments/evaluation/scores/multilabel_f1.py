"""Macro F1 of the classes that have more than an even share: a row may be of several, or of none.

A class is true of a row where more of the votes than one in n_classes are for it, and predicted where its probability
is above that. The mean is over the classes that are true of a row at least.

References
----------
Wu, Chou, Chang, Goncalves, Du, Jang, Lee, Lee (2024), EMO-SUPERB: an in-depth look at speech emotion recognition,
arXiv:2402.13018.
"""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._sums import mean_over_present, ratio
from ser_experiments.frames import Predictions


def marked(shares: Floats, probabilities: Floats) -> Floats:
    """Return by row and class whether it is true and predicted, true, predicted, shape (n_rows, n_classes, 3)."""
    even = 1 / shares.shape[1]
    true, predicted = shares > even, probabilities > even
    return np.stack([true & predicted, true, predicted], axis=2).astype(np.float64)


def marks(predictions: Predictions) -> Floats:
    """Return :func:`marked` of predictions."""
    return marked(predictions.truth, predictions.values)


def f1(sums: Floats) -> Floats:
    """Return F1 of each class, NaN of one that is true of no row."""
    both, true, predicted = np.moveaxis(sums, -1, 0)
    return np.where(true > 0, ratio(2 * both, true + predicted), np.nan)


def macro_f1(sums: Floats) -> Floats:
    """Return their mean."""
    return mean_over_present(f1(sums))


SCORE = Score(
    "multilabel F1",
    better=1,
    sums=marks,
    value=macro_f1,
    each=Each("multilabel_f1", f1),
    kinds=("votes",),
    needs_values=True,
)
