"""The nearest mean of the training rows."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from ser_experiments.models.spec import ModelSpec


class NearestMean(ClassifierMixin, BaseEstimator):
    """Answer by the distance to the mean of each class.

    Parameters
    ----------
    sharpness : float, default=1.0
        Of the probabilities.
    """

    def __init__(self, sharpness: float = 1.0) -> None:
        self.sharpness = sharpness

    def fit(self, X, y):
        """Take the means."""
        X, y = np.asarray(X, dtype=float), np.asarray(y)
        self.classes_ = np.unique(y)
        self.means_ = np.stack([X[y == name].mean(axis=0) for name in self.classes_])
        return self

    def predict_proba(self, X):
        """Return probabilities in the order of ``classes_``."""
        away = np.square(np.asarray(X, dtype=float)[:, None] - self.means_).sum(axis=2)
        odds = np.exp(-self.sharpness * (away - away.min(axis=1, keepdims=True)))
        return odds / odds.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Return the most probable class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


# What a saved model may hold is said here, and never by the file that is read.
SPEC = ModelSpec(
    build=NearestMean,
    params=lambda: ("sharpness",),
    estimator=f"{__name__}.NearestMean",
    trusted_types=(f"{__name__}.NearestMean",),
)
