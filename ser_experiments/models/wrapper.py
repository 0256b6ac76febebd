"""What estimators that are put around another share."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline
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


class Wrapper(FitIdentity, ClassifierMixin, BaseEstimator):
    """A classifier around another, which is ``estimator_`` once it is fitted.

    It can do what that one can: it has ``predict_proba``, takes weights of rows and tells of its fit where the other
    does.
    """

    estimator: BaseEstimator
    estimator_: BaseEstimator
    #: Whether its fit hands out work of its own, side by side where a cluster is there.
    parallel_inside: ClassVar[bool] = False

    def wrapped(self) -> BaseEstimator:
        """Return the unfitted estimator within."""
        return self.estimator

    @inner_has("predict_proba")
    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities in the order of ``classes_``."""
        return self.estimator_.predict_proba(X)

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        return self.estimator_.predict(X)

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
