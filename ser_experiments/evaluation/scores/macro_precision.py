"""Macro precision: the mean over the classes that occur of the share of a class's predictions that are right."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._sums import counts, hits_of, mean_over_present, predicted_of, ratio, rows_of


def precisions(counts: Floats) -> Floats:
    """Return the precision of each class: 0 of one that is never predicted, NaN of one without rows."""
    values = ratio(hits_of(counts), predicted_of(counts), empty=0.0)
    return np.where(rows_of(counts) > 0, values, np.nan)


def macro_precision(counts: Floats) -> Floats:
    """Return their mean."""
    return mean_over_present(precisions(counts))


# Of votes the class is that of the majority; rows without one count nowhere.
SCORE = Score(
    "macro-precision",
    better=1,
    sums=counts,
    value=macro_precision,
    each=Each("precision", precisions),
    kinds=("classes", "votes"),
)
