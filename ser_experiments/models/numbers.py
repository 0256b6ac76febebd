"""Learning numbers: one regressor a target on standardised truth, and answers that are spread as the truth is."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone

from ser_experiments.errors import InputError
from ser_experiments.models.concordance import columns_of, moments
from ser_experiments.models.grouping import ByColumn
from ser_experiments.models.report import FitReport, report_of
from ser_experiments.models.row_weights import weighted_mean
from ser_experiments.models.wrapper import Wrapper, fit

log = logging.getLogger(__name__)
Floats = NDArray[np.float64]
#: A spread below this part of the truth's is none: to stretch it would only make noise large.
_LEAST_SPREAD = 1e-3


def matching(truth: Floats, answers: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Return the slope and the intercept that give answers the mean and the spread of the truth.

    Of all straight lines through answers that go with the truth, this one has the highest concordance: the one of least
    squares answers too near the mean. Answers that do not go with the truth, or are all alike, keep their slope.

    Parameters
    ----------
    truth, answers : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Answers for rows that were not learned from.
    weights : ndarray of shape (n_rows,), optional
        Of the rows.

    Returns
    -------
    slope, intercept : ndarray of shape (n_targets,)
    """
    known = moments(truth, answers, weights)
    wide, narrow = np.sqrt(known.variance_truth), np.sqrt(known.variance_answers)
    goes_along = (known.covariance > 0) & (narrow > _LEAST_SPREAD * wide)
    slope = np.divide(wide, narrow, out=np.ones_like(wide), where=goes_along)
    return slope, known.mean_truth - slope * known.mean_answers


def ends_of(truth: Floats) -> Floats:
    """Return the least and the greatest number of each target, shape (2, n_targets)."""
    return np.array([columns_of(truth).min(axis=0), columns_of(truth).max(axis=0)])


class EachTarget(RegressorMixin, BaseEstimator):
    """Fit a regressor on truth of mean 0 and standard deviation 1: one for all targets, or a copy for each.

    Parameters
    ----------
    estimator : regressor
        Unfitted.
    several : bool, default=False
        Whether one fit of it learns all targets.

    Attributes
    ----------
    estimators_ : list of regressor
        Fitted; one where it learns all targets.
    mean_, scale_ : ndarray of shape (n_targets,)
        Of the truth learned from; of a constant target the scale is 1.
    """

    def __init__(self, estimator: BaseEstimator, several: bool = False) -> None:
        self.estimator = estimator
        self.several = several

    def fit(self, X: pd.DataFrame | Floats, y: object, sample_weight: Floats | None = None) -> EachTarget:
        """Fit the regressors.

        Parameters
        ----------
        X : DataFrame or ndarray of shape (n_rows, n_columns)
            Handed on as it is.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        """
        given = np.asarray(y, dtype=np.float64)
        truth = columns_of(given)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self.flat_ = given.ndim == 1
        self.mean_ = weighted_mean(truth, weights)
        spread = np.sqrt(weighted_mean((truth - self.mean_) ** 2, weights))
        self.scale_ = np.where(spread > 0, spread, 1.0)
        standard = (truth - self.mean_) / self.scale_
        parts = [standard] if self.several and standard.shape[1] > 1 else list(standard.T)
        self.estimators_ = [fit(clone(self.estimator), X, part, weights) for part in parts]
        return self

    def predict(self, X: pd.DataFrame | Floats) -> Floats:
        """Return numbers on the scale of the truth, of the shape that the truth had."""
        found = np.column_stack([np.asarray(one.predict(X), dtype=np.float64) for one in self.estimators_])
        told = found * self.scale_ + self.mean_
        return told[:, 0] if self.flat_ else told

    @property
    def fit_report_(self) -> FitReport:
        """What the regressor of all targets, or that of the first, tells of its fit."""
        return report_of(self.estimators_[0])


class Matched(Wrapper):
    """Give answers the mean and the spread of the truth, as inner folds that keep groups apart show them.

    Whoever learns by squared errors answers near the mean where it is not sure, and concordance counts that as a
    mistake. One straight line a target makes up for it (:func:`matching`); it leaves the order of the answers as it is.
    What lies beyond the truth that was learned from is answered as the end of it: nobody rates 6 on a scale of 1 to 5.

    Parameters
    ----------
    estimator : regressor
        A whole pipeline.
    cv : splitter, optional
        Inner folds; ``ByColumn(3)`` by default.

    Attributes
    ----------
    estimator_ : regressor
        Fitted on all rows.
    slope_, intercept_ : ndarray of shape (n_targets,)
    ends_ : ndarray of shape (2, n_targets)
        The least and the greatest truth that was learned from.
    """

    def __init__(self, estimator: BaseEstimator, cv: object = None) -> None:
        self.estimator = estimator
        self.cv = cv

    def fit(self, X: pd.DataFrame, y: object, sample_weight: Floats | None = None) -> Matched:
        """Find the line on inner folds and fit the regressor on all rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            With the column ``group``.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        """
        truth = np.asarray(y, dtype=np.float64)
        width = columns_of(truth).shape[1]
        self.ends_ = ends_of(truth)
        self.slope_, self.intercept_ = np.ones(width), np.zeros(width)
        splitter = self.cv if self.cv is not None else ByColumn(3)
        try:
            splits = list(splitter.split(X, truth))  # type: ignore[attr-defined]
        except InputError as error:
            log.warning("answers stay as they are: %s", error)
            splits = []
        if splits:
            inside = np.zeros_like(truth)
            for train, test in splits:
                kept = None if sample_weight is None else sample_weight[train]
                inside[test] = fit(clone(self.estimator), X.iloc[train], truth[train], kept).predict(X.iloc[test])
            tested = np.sort(np.concatenate([test for _, test in splits]))
            weights = None if sample_weight is None else sample_weight[tested]
            self.slope_, self.intercept_ = matching(truth[tested], inside[tested], weights)
        self._hold(fit(clone(self.estimator), X, truth, sample_weight))
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return numbers of the shape that the truth had."""
        told = np.asarray(self.estimator_.predict(X), dtype=np.float64)
        matched = columns_of(told) * self.slope_ + self.intercept_
        return np.clip(matched, *self.ends_).reshape(told.shape)


#: What a saved model may hold of this module.
PERSISTED = (EachTarget, Matched)
