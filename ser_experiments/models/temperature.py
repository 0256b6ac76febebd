"""Probabilities from scores: one temperature, fitted on folds that keep groups apart."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, clone

from ser_experiments.errors import InputError
from ser_experiments.models.grouping import ByColumn
from ser_experiments.models.row_weights import weighted_mean
from ser_experiments.models.wrapper import Wrapper, fit

log = logging.getLogger(__name__)


class TemperatureScaled(Wrapper):
    """Turn a classifier's scores into calibrated probabilities with a single number.

    The scores of the training rows come from inner folds that keep groups apart; the temperature T that minimises
    the log loss of ``softmax(scores / T)`` on them is kept, and the classifier is fitted again on all rows. The order
    of the classes, and so every prediction, stays that of the scores. Inner folds whose training rows lack a class
    leave that class's column out, which scikit-learn's own calibration cannot do.

    Parameters
    ----------
    estimator : classifier
        A whole pipeline with ``decision_function`` or ``predict_proba``.
    cv : splitter, optional
        Inner folds; ``ByColumn(3)`` by default.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML.
    """

    def __init__(self, estimator: BaseEstimator, cv: object = None) -> None:
        self.estimator = estimator
        self.cv = cv

    def fit(self, X: pd.DataFrame, y: object, sample_weight: NDArray[np.float64] | None = None) -> TemperatureScaled:
        """Fit the temperature on inner folds and the classifier on all rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            With the column ``group``.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, in fits and in the log loss.
        """
        labels = np.asarray(y)
        self.classes_ = np.unique(labels)
        self.temperature_ = 1.0
        splitter = self.cv if self.cv is not None else ByColumn(3)
        try:
            splits = list(splitter.split(X, labels))  # type: ignore[attr-defined]
        except InputError as error:
            log.warning("temperature stays 1: %s", error)
            splits = []
        if splits:
            self.temperature_ = self._fit_temperature(X, labels, splits, sample_weight)
        self.estimator_ = fit(clone(self.estimator), X, labels, sample_weight)
        self.n_features_in_ = X.shape[1]
        return self

    def _fit_temperature(
        self,
        X: pd.DataFrame,
        y: NDArray[np.str_],
        splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]],
        weights: NDArray[np.float64] | None,
    ) -> float:
        scores = np.full((len(y), len(self.classes_)), -np.inf)
        for train, test in splits:
            if len(np.unique(y[train])) < 2:
                continue
            kept = None if weights is None else weights[train]
            fitted = fit(clone(self.estimator), X.iloc[train], y[train], kept)
            columns = np.searchsorted(self.classes_, fitted.classes_)
            scores[np.ix_(test, columns)] = _scores(fitted, X.iloc[test])
        truth = np.searchsorted(self.classes_, y)
        usable = np.isfinite(scores[np.arange(len(y)), truth])
        if not usable.any():
            return 1.0
        rows, columns = scores[usable], truth[usable]
        shares = None if weights is None else weights[usable]

        def loss(log_temperature: float) -> float:
            logs = log_softmax(rows / np.exp(log_temperature), axis=1)
            return float(-weighted_mean(logs[np.arange(len(columns)), columns], shares))

        return float(np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded").x))

    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the classifier's scores divided by the temperature, shape (n_rows, n_classes)."""
        return _scores(self.estimator_, X) / self.temperature_

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities of shape (n_rows, n_classes) in the order of ``classes_``."""
        return np.exp(log_softmax(self.decision_function(X), axis=1))

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        return self.classes_[self.decision_function(X).argmax(axis=1)]


def _scores(fitted: BaseEstimator, X: pd.DataFrame) -> NDArray[np.float64]:
    """Return one score a class: the decision function, or the log of the probabilities."""
    if hasattr(fitted, "decision_function"):
        scores = np.asarray(fitted.decision_function(X), dtype=np.float64)
        return np.column_stack([-scores / 2, scores / 2]) if scores.ndim == 1 else scores
    return np.log(np.clip(fitted.predict_proba(X), 1e-12, 1.0))


#: What a saved model may hold of this module.
PERSISTED = (TemperatureScaled,)
