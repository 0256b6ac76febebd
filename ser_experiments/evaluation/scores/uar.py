"""Unweighted average recall: the mean of the recalls of the classes that occur (balanced accuracy)."""

from __future__ import annotations

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._sums import counts, hits_of, mean_over_present, ratio, rows_of


def recalls(counts: Floats) -> Floats:
    """Return the recall of each class, NaN of one without rows."""
    return ratio(hits_of(counts), rows_of(counts))


def uar(counts: Floats) -> Floats:
    """Return their mean."""
    return mean_over_present(recalls(counts))


# Of votes the class is that of the majority; rows without one count nowhere.
SCORE = Score(
    "UAR", better=1, sums=counts, value=uar, each=Each("recall", recalls), by_fold=True, kinds=("classes", "votes")
)
