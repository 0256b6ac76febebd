"""The floor: the same class for everybody, so that its UAR is one over the number of classes."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier, DummyRegressor

from ser_experiments.models.spec import ModelSpec, Regression

NAMES = ("strategy", "constant", "random_state")


def build(**params: object) -> DummyClassifier:
    """Build the classifier; it answers the class frequencies of its training rows unless told otherwise."""
    return DummyClassifier(**{"strategy": "prior", **params})


def build_regressor(**params: object) -> DummyRegressor:
    """Build the regressor; it answers the mean of its training rows."""
    return DummyRegressor(**params)


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="sklearn.dummy.DummyClassifier",
    regression=Regression(
        build=build_regressor,
        params=lambda: (),
        estimator="sklearn.dummy.DummyRegressor",
        without=NAMES,
        several=True,
        matched=False,
    ),
)
