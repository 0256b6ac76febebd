"""Weighted accuracy, which weighs a class by its rows: the share of rows that are right."""

from __future__ import annotations

from ser_experiments.evaluation.score import Floats, Score
from ser_experiments.evaluation.scores._sums import counts, hits_of, ratio, rows_of


def accuracy(counts: Floats) -> Floats:
    """Return the share of hits."""
    return ratio(hits_of(counts).sum(axis=1), rows_of(counts).sum(axis=1))


# Of votes the class is that of the majority; rows without one count nowhere.
SCORE = Score("WA", better=1, sums=counts, value=accuracy, by_fold=True, kinds=("classes", "votes"))
