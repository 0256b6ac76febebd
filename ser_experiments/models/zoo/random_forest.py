"""Random forest."""

from __future__ import annotations

from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from ser_experiments.models.spec import ModelSpec, Regression
from ser_experiments.models.zoo import _forest


def build(**params: object) -> RandomForestClassifier:
    """Build the classifier."""
    return RandomForestClassifier(**{**_forest.DEFAULTS, **params})


def build_regressor(**params: object) -> RandomForestRegressor:
    """Build the regressor."""
    return RandomForestRegressor(**{**_forest.DEFAULTS, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: _forest.NAMES,
    estimator="sklearn.ensemble.RandomForestClassifier",
    regression=Regression(
        build=build_regressor,
        params=lambda: _forest.OF_NUMBERS,
        estimator="sklearn.ensemble.RandomForestRegressor",
        without=_forest.OF_CLASSES,
        several=True,
    ),
    trusted_types=_forest.TRUSTED,
)
