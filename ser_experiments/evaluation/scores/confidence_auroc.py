"""Does confidence tell right answers from wrong ones? The area under the ROC curve of the highest probability for that.

It is the chance that a right answer is given with a higher probability than a wrong one: 0.5 where probabilities tell
nothing, whether they are calibrated or not.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.scores.ece import confidences
from ser_experiments.frames import Predictions


def auroc(predictions: Predictions) -> float:
    """Return the area from the ranks of the right answers (Mann-Whitney); NaN where all are right, or all wrong."""
    confidence, right, _ = confidences(predictions)
    n_right = int(right.sum())
    n_wrong = len(right) - n_right
    if not n_right or not n_wrong:
        return float("nan")
    # Probabilities that differ by rounding alone are equal.
    ranks = rankdata(np.round(confidence, 9))
    return float((ranks[right].sum() - n_right * (n_right + 1) / 2) / (n_right * n_wrong))


SCORE = Score("AUROC of confidence", better=1, statistic=auroc, needs_values=True)
