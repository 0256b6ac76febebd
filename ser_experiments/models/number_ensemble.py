"""Ensembles of experiments that learn numbers: the mean of the members, and a stack with one weight a member."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import lsq_linear
from sklearn.base import BaseEstimator, RegressorMixin, clone

from ser_experiments.models.ensemble import Members
from ser_experiments.models.grouping import ByColumn, with_groups
from ser_experiments.models.numbers import matching
from ser_experiments.models.report import FitReport
from ser_experiments.models.wrapper import fit

Floats = NDArray[np.float64]


class _NumberMembers(Members, RegressorMixin, BaseEstimator):
    """What both ensembles do with their members."""

    def _fit_members(self, X: pd.DataFrame, truth: Floats, weights: Floats | None) -> list[BaseEstimator]:
        return [fit(clone(one), X, truth, weights) for _, one in self.estimators]

    @staticmethod
    def _answers(members: list[BaseEstimator], X: pd.DataFrame) -> Floats:
        """Return what each member says, shape (n_members, n_rows) or (n_members, n_rows, n_targets)."""
        return np.array([np.asarray(one.predict(X), dtype=np.float64) for one in members])


class AverageOfNumbers(_NumberMembers):
    """The mean of the members' numbers; members see the whole table.

    Parameters
    ----------
    estimators : list of (str, regressor)
        The members.
    """

    def __init__(self, estimators: list[tuple[str, BaseEstimator]]) -> None:
        self.estimators = estimators

    def fit(
        self, X: pd.DataFrame, y: object, sample_weight: Floats | None = None, groups: object = None
    ) -> AverageOfNumbers:
        """Fit every member on all rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A table with the columns of all members.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        groups : array-like of shape (n_rows,), optional
            The speaker or session of each row; by default the column ``group``.
        """
        self.estimators_ = self._fit_members(with_groups(X, groups), np.asarray(y, dtype=np.float64), sample_weight)
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return numbers of the shape that the truth had."""
        return self._answers(self.estimators_, X).mean(axis=0)


class StackOfNumbers(_NumberMembers):
    """A weighted sum of the members' numbers, whose weights come from inner folds that keep groups apart.

    There is one non-negative weight a member, the same for all targets; they minimise the squared error on truth of
    deviation 1, with a pull towards equal weights. One straight line a target then gives the sum the mean and the
    spread of the truth, as :class:`~ser_experiments.models.numbers.Matched` does.

    Parameters
    ----------
    estimators : list of (str, regressor)
        The members.
    cv : splitter, optional
        ``ByColumn(3)`` by default.
    pull : float, default=1.0
        Strength of the pull: the penalty is `pull` times the squared distance from ``1 / n_members``.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,)
    slope_, intercept_ : ndarray of shape (n_targets,)

    References
    ----------
    Breiman (1996), Stacked regressions, Machine Learning 24: non-negative weights.
    """

    def __init__(self, estimators: list[tuple[str, BaseEstimator]], cv: object = None, pull: float = 1.0) -> None:
        self.estimators = estimators
        self.cv = cv
        self.pull = pull

    def fit(
        self, X: pd.DataFrame, y: object, sample_weight: Floats | None = None, groups: object = None
    ) -> StackOfNumbers:
        """Find the weights on inner folds, and fit every member on all rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A table with the columns of all members and ``group``.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, for the members and for their weights.
        groups : array-like of shape (n_rows,), optional
            The speaker or session of each row, which inner folds keep apart; by default the column ``group``.
        """
        X, truth = with_groups(X, groups), np.asarray(y, dtype=np.float64)
        inside = np.zeros((len(self.estimators), *truth.shape))
        splitter: Any = ByColumn(3) if self.cv is None else self.cv
        for train, test in splitter.split(X, truth):
            kept = None if sample_weight is None else sample_weight[train]
            inside[:, test] = self._answers(self._fit_members(X.iloc[train], truth[train], kept), X.iloc[test])
        self.weights_ = self._weigh(truth, inside, sample_weight)
        together = np.tensordot(self.weights_, inside, axes=1)
        self.slope_, self.intercept_ = matching(truth, together, sample_weight)
        self.estimators_ = self._fit_members(X, truth, sample_weight)
        return self

    def _weigh(self, truth: Floats, inside: Floats, sample_weight: Floats | None) -> Floats:
        n_members, wide = len(inside), truth.reshape(len(truth), -1)
        spread = np.where(wide.std(axis=0) > 0, wide.std(axis=0), 1.0)
        told = inside.reshape(n_members, len(truth), -1)
        beside = (wide - wide.mean(axis=0)) / spread
        told = (told - told.mean(axis=1, keepdims=True)) / spread
        often = np.sqrt(np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight))[:, None]
        rows, wanted = (told * often).reshape(n_members, -1).T, (beside * often).ravel()
        even = np.full(n_members, 1 / n_members)
        strength = np.sqrt(self.pull)
        found: Floats = lsq_linear(
            np.vstack([rows, strength * np.eye(n_members)]), np.concatenate([wanted, strength * even]), (0, np.inf)
        ).x
        return found

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return numbers of the shape that the truth had."""
        told = np.tensordot(self.weights_, self._answers(self.estimators_, X), axes=1)
        return (told.reshape(len(told), -1) * self.slope_ + self.intercept_).reshape(told.shape)

    @property
    def fit_report_(self) -> FitReport:
        """What each member tells of its fit, and its share of the weights."""
        shares = self.weights_ / (self.weights_.sum() or 1.0)
        return replace(super().fit_report_, weights=dict(zip(self.members_, map(float, shares), strict=True)))


#: Kinds of ensembles of numbers that a definition with ``members`` can have as ``type``.
ENSEMBLES = {"average": AverageOfNumbers, "stack": StackOfNumbers}

#: What a saved model may hold of this module.
PERSISTED = (AverageOfNumbers, StackOfNumbers)
