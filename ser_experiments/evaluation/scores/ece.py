"""Expected calibration error: the mean gap between confidence and accuracy over equal-width bins, weighted by rows.

References
----------
Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import ratio, truth_of
from ser_experiments.frames import Predictions

#: Bins of equal width between 0 and 1.
N_BINS = 10


def confidences(predictions: Predictions) -> tuple[Floats, NDArray[np.bool_], NDArray[np.intp]]:
    """Return of each row the highest probability, whether that class is right, and the bin it falls into."""
    values = predictions.values
    confidence = values.max(axis=1)
    right = values.argmax(axis=1) == truth_of(predictions)
    return confidence, right, np.minimum((confidence * N_BINS).astype(np.intp), N_BINS - 1)


def gaps(predictions: Predictions) -> Floats:
    """Return by row and bin the gap and one row, shape (n_rows, N_BINS, 2)."""
    confidence, right, place = confidences(predictions)
    cells = np.zeros((len(place), N_BINS, 2))
    cells[np.arange(len(place)), place] = np.column_stack([right - confidence, np.ones(len(place))])
    return cells


def ece(sums: Floats) -> Floats:
    """Return the weighted mean of the gaps."""
    return ratio(np.abs(sums[:, :, 0]).sum(axis=1), sums[:, :, 1].sum(axis=1))


SCORE = Score("calibration error", better=-1, sums=gaps, value=ece, needs_values=True)
