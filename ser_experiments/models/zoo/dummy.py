"""The floor: the same class for everybody, so that its UAR is one over the number of classes."""

from __future__ import annotations

from sklearn.dummy import DummyClassifier

from ser_experiments.models.spec import ModelSpec

NAMES = ("strategy", "constant", "random_state")


def build(**params: object) -> DummyClassifier:
    """Build the classifier; it answers the class frequencies of its training rows unless told otherwise."""
    return DummyClassifier(**{"strategy": "prior", **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="sklearn.dummy.DummyClassifier",
)
