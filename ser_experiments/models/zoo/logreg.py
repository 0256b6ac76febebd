"""Multinomial logistic regression with an L2 penalty; of numbers ridge regression."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression, Ridge

from ser_experiments.models.spec import ModelSpec, Regression

NAMES = ("C", "l1_ratio", "solver", "tol", "max_iter", "fit_intercept", "class_weight", "n_jobs", "random_state")


def build(**params: object) -> LogisticRegression:
    """Build the classifier.

    A small `C` suits a thousand standardised, correlated columns on a few hundred rows; `tol` is what the third
    digit of a probability needs.
    """
    return LogisticRegression(**{"C": 0.01, "tol": 1e-3, "max_iter": 1000, **params})


#: What ridge regression has no use for.
_OF_CLASSES = ("class_weight", "l1_ratio", "solver", "n_jobs")


def build_regressor(C: float = 0.01, **params: object) -> Ridge:
    """Build the regressor; its penalty is that of the classifier, 1 / (2 C), on squared errors instead."""
    return Ridge(alpha=1 / (2 * C) if C else C, **{"tol": 1e-3, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="sklearn.linear_model.LogisticRegression",
    regression=Regression(
        build=build_regressor,
        params=lambda: [name for name in NAMES if name not in _OF_CLASSES],
        estimator="sklearn.linear_model.Ridge",
        without=_OF_CLASSES,
        several=True,
    ),
)
