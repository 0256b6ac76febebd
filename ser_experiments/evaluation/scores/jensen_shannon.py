"""Jensen-Shannon divergence between votes and probabilities, to base 2: 0 where they are equal, 1 where apart.

References
----------
Lin (1991), Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37(1):145-151.
"""

from __future__ import annotations

import numpy as np
from scipy.special import rel_entr

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import mean, mean_of_rows
from ser_experiments.frames import Predictions


def divergence(shares: Floats, probabilities: Floats) -> Floats:
    """Return the divergence of each row of two arrays of shape (n_rows, n_classes)."""
    middle = (shares + probabilities) / 2
    apart = rel_entr(shares, middle).sum(axis=1) + rel_entr(probabilities, middle).sum(axis=1)
    return np.asarray(np.clip(apart / 2 / np.log(2), 0, 1), dtype=np.float64)


def divergences(predictions: Predictions) -> Floats:
    """Return the divergence of each row, beside ones."""
    return mean_of_rows(divergence(predictions.truth, predictions.values))


SCORE = Score("Jensen-Shannon divergence", better=-1, sums=divergences, value=mean, kinds=("votes",), needs_values=True)
