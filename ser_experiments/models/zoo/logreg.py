"""Multinomial logistic regression with an L2 penalty."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression

from ser_experiments.models.spec import ModelSpec

NAMES = ("C", "l1_ratio", "solver", "tol", "max_iter", "fit_intercept", "class_weight", "n_jobs", "random_state")


def build(**params: object) -> LogisticRegression:
    """Build the classifier.

    A small `C` suits a thousand standardised, correlated columns on a few hundred rows; `tol` is what the third
    digit of a probability needs.
    """
    return LogisticRegression(**{"C": 0.01, "tol": 1e-3, "max_iter": 1000, **params})


SPEC = ModelSpec(
    build=build,
    params=lambda: NAMES,
    estimator="sklearn.linear_model.LogisticRegression",
)
