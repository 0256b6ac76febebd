"""Macro F1: the mean over the classes that occur of the harmonic mean of recall and precision."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._sums import counts, hits_of, mean_over_present, predicted_of, ratio, rows_of


def f1(counts: Floats) -> Floats:
    """Return F1 of each class, NaN of one without rows."""
    rows = rows_of(counts)
    return np.where(rows > 0, ratio(2 * hits_of(counts), rows + predicted_of(counts)), np.nan)


def macro_f1(counts: Floats) -> Floats:
    """Return their mean."""
    return mean_over_present(f1(counts))


# Of votes the class is that of the majority; rows without one count nowhere.
SCORE = Score("macro-F1", better=1, sums=counts, value=macro_f1, each=Each("f1", f1), kinds=("classes", "votes"))
