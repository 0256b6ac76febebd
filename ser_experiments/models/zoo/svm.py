"""Support vector machine with an RBF or a linear kernel, whose scores say how sure it is."""

from __future__ import annotations

from ser_experiments.models.pairwise import SVC, SVR
from ser_experiments.models.spec import ModelSpec, Regression

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


#: What a regressor has no use for: it has no classes, votes or draws.
_OF_CLASSES = ("class_weight", "break_ties", "random_state")


def build_regressor(**params: object) -> SVR:
    """Build the regressor; what lies within a tenth of a standard deviation is no mistake."""
    return SVR(**{"kernel": "rbf", "C": 1.0, "gamma": "scale", "cache_size": 500, "epsilon": 0.1, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="ser_experiments.models.pairwise.SVC",
    version="3",
    without_effect=("cache_size",),
    regression=Regression(
        build=build_regressor,
        params=lambda: (*(name for name in NAMES if name not in _OF_CLASSES), "epsilon"),
        estimator="ser_experiments.models.pairwise.SVR",
        without=_OF_CLASSES,
    ),
    trusted_types=("ser_experiments.models.pairwise.SVC", "ser_experiments.models.pairwise.SVR"),
)
