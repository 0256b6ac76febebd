"""Does confidence tell right answers from wrong ones? The area under the ROC curve of the highest probability for that.

It is the chance that a right answer is given with a higher probability than a wrong one: 0.5 where probabilities tell
nothing, whether they are calibrated or not.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import ratio
from ser_experiments.evaluation.scores.ece import confidences
from ser_experiments.evaluation.selective import levels
from ser_experiments.frames import Predictions


def auroc(predictions: Predictions) -> Callable[[Floats], Floats]:
    """Return the area as a function of how often each row counts; NaN where all answers are right, or all wrong.

    It is the share of pairs of a right and a wrong answer in which the right one is surer; equal ones count half (Mann
    and Whitney, 1947).
    """
    _, right, _ = confidences(predictions)
    order, first = levels(predictions)
    is_right = right[order]

    def weighed(weights: Floats) -> Floats:
        ordered = weights[:, order]
        rights = np.add.reduceat(ordered * is_right, first, axis=1)
        wrongs = np.add.reduceat(ordered * ~is_right, first, axis=1)
        less_sure = wrongs.sum(axis=1, keepdims=True) - np.cumsum(wrongs, axis=1)
        area = (rights * (less_sure + wrongs / 2)).sum(axis=1)
        return ratio(area, rights.sum(axis=1) * wrongs.sum(axis=1))

    return weighed


SCORE = Score("AUROC of confidence", better=1, weighing=auroc, needs_values=True)
