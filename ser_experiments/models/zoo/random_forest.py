"""Random forest."""

from __future__ import annotations

from sklearn.ensemble import RandomForestClassifier

from ser_experiments.models.spec import ModelSpec
from ser_experiments.models.zoo import _forest


def build(**params: object) -> RandomForestClassifier:
    """Build the classifier."""
    return RandomForestClassifier(**{**_forest.DEFAULTS, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: _forest.NAMES,
    estimator="sklearn.ensemble.RandomForestClassifier",
    trusted_types=_forest.TRUSTED,
)
