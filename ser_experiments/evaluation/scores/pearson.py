"""Pearson's correlation of truth and prediction, which forgives a wrong scale and mean; mean over dimensions."""

from __future__ import annotations

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._moments import FISHER, correlations, products
from ser_experiments.evaluation.scores._sums import mean_over_present


def pearson(sums: Floats) -> Floats:
    """Return the mean over the dimensions that have one."""
    return mean_over_present(correlations(sums))


SCORE = Score(
    "Pearson", better=1, limits=(-1.0, 1.0), sums=products, value=pearson, each=Each("pearson", correlations),
    kinds=("dimensions",), scale=FISHER,
)  # fmt: skip
