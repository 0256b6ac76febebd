"""Support vector machine with an RBF or a linear kernel, whose scores say how sure it is."""

from __future__ import annotations

from ser_experiments.models.pairwise import SVC
from ser_experiments.models.spec import ModelSpec

#: ``probability`` is missing on purpose: its folds mix speakers, and scikit-learn removes it. Calibrate the pipeline.
NAMES = (
    "C",
    "kernel",
    "gamma",
    "degree",
    "coef0",
    "shrinking",
    "tol",
    "cache_size",
    "class_weight",
    "break_ties",
    "random_state",
)


def build(**params: object) -> SVC:
    """Build the classifier; ties between one-against-one votes are broken by the margins, as ``predict`` must agree."""
    return SVC(**{"kernel": "rbf", "C": 1.0, "gamma": "scale", "cache_size": 500, "break_ties": True, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="ser_experiments.models.pairwise.SVC",
    version="3",
    without_effect=("cache_size",),
    trusted_types=("ser_experiments.models.pairwise.SVC",),
)
