"""Concordance correlation coefficient: how near truth and prediction lie to the diagonal; mean over dimensions.

References
----------
Lin (1989), A concordance correlation coefficient to evaluate reproducibility, Biometrics 45: population moments.
"""

from __future__ import annotations

from ser_experiments.evaluation.score import Each, Floats, Score
from ser_experiments.evaluation.scores._moments import FISHER, concordances, products
from ser_experiments.evaluation.scores._sums import mean_over_present


def ccc(sums: Floats) -> Floats:
    """Return the mean over the dimensions that have one."""
    return mean_over_present(concordances(sums))


SCORE = Score(
    "CCC", better=1, limits=(-1.0, 1.0), sums=products, value=ccc, each=Each("ccc", concordances),
    kinds=("dimensions",), by_fold=True, scale=FISHER,
)  # fmt: skip
