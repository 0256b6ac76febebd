"""Extremely randomised trees: a forest that draws its thresholds, cheaper and smoother than a random forest."""

from __future__ import annotations

from sklearn.ensemble import ExtraTreesClassifier

from ser_experiments.models.spec import ModelSpec
from ser_experiments.models.zoo import _forest


def build(**params: object) -> ExtraTreesClassifier:
    """Build the classifier."""
    return ExtraTreesClassifier(**{**_forest.DEFAULTS, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: _forest.NAMES,
    estimator="sklearn.ensemble.ExtraTreesClassifier",
    trusted_types=_forest.TRUSTED,
)
