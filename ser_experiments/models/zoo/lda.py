"""Linear discriminant analysis with a shrunk covariance: what varies within classes, such as voices, counts less."""

from __future__ import annotations

from ser_experiments.models.discriminant import LinearDiscriminantAnalysis
from ser_experiments.models.spec import ModelSpec

NAMES = ("shrinkage", "class_weight")


def build(**params: object) -> LinearDiscriminantAnalysis:
    """Build the classifier.

    Without a `shrinkage` it follows from the rows as if each were new; rows of a few speakers are alike, and a search
    inside the folds finds that more is better.
    """
    return LinearDiscriminantAnalysis(**params)  # type: ignore[arg-type]


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="ser_experiments.models.discriminant.LinearDiscriminantAnalysis",
    trusted_types=("ser_experiments.models.discriminant.LinearDiscriminantAnalysis",),
)
