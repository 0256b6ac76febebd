"""Extremely randomised trees: a forest that draws its thresholds, cheaper and smoother than a random forest."""

from __future__ import annotations

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from ser_experiments.models.spec import ModelSpec, Regression
from ser_experiments.models.zoo import _forest


def build(**params: object) -> ExtraTreesClassifier:
    """Build the classifier."""
    return ExtraTreesClassifier(**{**_forest.DEFAULTS, **params})


def build_regressor(**params: object) -> ExtraTreesRegressor:
    """Build the regressor."""
    return ExtraTreesRegressor(**{**_forest.DEFAULTS, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: _forest.NAMES,
    estimator="sklearn.ensemble.ExtraTreesClassifier",
    regression=Regression(
        build=build_regressor,
        params=lambda: _forest.OF_NUMBERS,
        estimator="sklearn.ensemble.ExtraTreesRegressor",
        without=_forest.OF_CLASSES,
        several=True,
    ),
    trusted_types=_forest.TRUSTED,
)
