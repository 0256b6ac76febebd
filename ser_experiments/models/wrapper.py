"""What estimators that are put around another share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_regressor
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import has_fit_parameter

from ser_experiments.errors import InputError
from ser_experiments.models.report import FitReport, report_of
from ser_experiments.models.spec import FitIdentity


def inner_has(method: str) -> Any:
    """Give a method to a wrapper only where what it wraps, fitted or not, has it."""
    return available_if(
        lambda self: hasattr(self.estimator_ if hasattr(self, "estimator_") else self.wrapped(), method)
    )


class Wrapper(FitIdentity, BaseEstimator):
    """An estimator around another, which is ``estimator_`` once it is fitted.

    It can do what that one can: it is a classifier or a regressor, has ``predict_proba``, takes weights of rows and
    tells of its fit where the other does.
    """

    estimator: BaseEstimator
    estimator_: BaseEstimator
    #: Whether its fit hands out work of its own, side by side where a cluster is there.
    parallel_inside: ClassVar[bool] = False

    def wrapped(self) -> BaseEstimator:
        """Return the unfitted estimator within."""
        return self.estimator

    def _hold(self, fitted: BaseEstimator) -> None:
        """Take a fitted estimator, and its classes where it has some."""
        self.estimator_ = fitted
        if hasattr(fitted, "classes_"):
            self.classes_ = fitted.classes_

    @inner_has("predict_proba")
    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities in the order of ``classes_``."""
        return self.estimator_.predict_proba(X)

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the most probable class of each row, or its numbers."""
        return self.estimator_.predict(X)

    def score(self, X: pd.DataFrame, y: Any, sample_weight: NDArray[np.float64] | None = None) -> float:
        """Return accuracy, or of numbers the coefficient of determination, as scikit-learn's estimators do."""
        mixin = RegressorMixin if is_regressor(self) else ClassifierMixin
        return float(mixin.score(self, X, y, sample_weight))

    def __sklearn_tags__(self) -> Tags:
        """Say of which type it is: that of the estimator within."""
        inner = get_tags(self.wrapped())
        return replace(
            super().__sklearn_tags__(),
            estimator_type=inner.estimator_type,
            target_tags=inner.target_tags,
            classifier_tags=inner.classifier_tags,
            regressor_tags=inner.regressor_tags,
        )

    @property
    def fit_report_(self) -> FitReport:
        """What the estimator within tells of its fit."""
        return report_of(self.estimator_)


def fit(estimator: BaseEstimator, X: Any, y: Any, sample_weight: NDArray[np.float64] | None = None) -> BaseEstimator:
    """Fit an estimator, with weights of rows where they are given.

    A pipeline hands them to its last step; what stands before is fitted without.

    Raises
    ------
    InputError
        There are weights, and the estimator takes none.
    """
    if sample_weight is None:
        return estimator.fit(X, y)
    last, name = estimator, "sample_weight"
    while isinstance(last, Pipeline):
        step, last = last.steps[-1]
        name = f"{step}__{name}"
    if not has_fit_parameter(last, "sample_weight"):
        raise InputError(f"{type(last).__name__} takes no weights of rows; choose a model that does")
    return estimator.fit(X, y, **{name: sample_weight})
