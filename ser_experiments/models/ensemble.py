"""Ensembles of experiments: the mean of the members' probabilities, and a stack with one weight a member."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch

from ser_experiments.models.grouping import ByColumn, with_groups
from ser_experiments.models.report import FitReport, report_of
from ser_experiments.models.row_weights import weighted_mean
from ser_experiments.models.spec import FitIdentity

#: Probabilities below this count as this much, so that one sure mistake cannot outweigh everything.
_FLOOR = 1e-4


class Members(FitIdentity):
    """What both ensembles tell of their members."""

    estimators: list[tuple[str, BaseEstimator]]
    estimators_: list[BaseEstimator]

    @property
    def members_(self) -> dict[str, BaseEstimator]:
        """Return the fitted members by name."""
        return {name: one for (name, _), one in zip(self.estimators, self.estimators_, strict=True)}

    @property
    def fit_report_(self) -> FitReport:
        """What each member tells of its fit."""
        return FitReport(members={name: report_of(one) for name, one in self.members_.items()})


class AverageOfMembers(Members, VotingClassifier):
    """The mean of the members' probabilities; members see the labels as they are, and the whole table.

    Parameters
    ----------
    estimators : list of (str, classifier)
        The members.
    """

    def __init__(self, estimators: list[tuple[str, BaseEstimator]]) -> None:
        super().__init__(estimators, voting="soft")

    def fit(
        self, X: pd.DataFrame, y: object, sample_weight: NDArray[np.float64] | None = None, groups: object = None
    ) -> AverageOfMembers:
        """Fit every member on all rows.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A table with the columns of all members.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        groups : array-like of shape (n_rows,), optional
            The speaker or session of each row; by default the column ``group``.
        """
        X = with_groups(X, groups)
        # VotingClassifier hands its members numbers instead of labels; a member's own run was fitted on labels.
        labels = np.asarray(y)
        self.le_ = LabelEncoder().fit(labels)
        self.classes_ = self.le_.classes_
        super(VotingClassifier, self).fit(X, labels, **_weights(sample_weight))
        return self


class StackOfMembers(Members, StackingClassifier):
    """A stacking ensemble whose inner folds keep groups apart.

    The members' probabilities that the final model learns from come from inner folds cut by the column ``group``; then
    every member is fitted again on all training rows.

    Parameters
    ----------
    estimators : list of (str, classifier)
        The members.
    final_estimator : classifier, optional
        Learns from the members' probabilities; :class:`LogLinearPool` by default.
    cv : splitter, optional
        ``ByColumn(3)`` by default.
    """

    def __init__(
        self,
        estimators: list[tuple[str, BaseEstimator]],
        final_estimator: BaseEstimator | None = None,
        cv: object = None,
    ) -> None:
        super().__init__(estimators, final_estimator, cv=cv, stack_method="predict_proba")
        self.final_estimator: BaseEstimator | None = final_estimator
        self.cv: object = cv

    def fit(
        self, X: pd.DataFrame, y: object, sample_weight: NDArray[np.float64] | None = None, groups: object = None
    ) -> StackOfMembers:
        """Fit the members and the final model.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A table with the columns of all members and ``group``.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, for the members and for the final model.
        groups : array-like of shape (n_rows,), optional
            The speaker or session of each row, which inner folds keep apart; by default the column ``group``.
        """
        X = with_groups(X, groups)
        labels = np.asarray(y)
        # As above: members are fitted on labels, not on numbers, so that their own runs' fits can be taken.
        self._label_encoder = LabelEncoder().fit(labels)
        self.classes_ = self._label_encoder.classes_
        given = self.cv, self.final_estimator
        self.cv = ByColumn(3) if self.cv is None else self.cv
        self.final_estimator = LogLinearPool(len(self.estimators)) if self.final_estimator is None else given[1]
        try:
            super(StackingClassifier, self).fit(X, labels, **_weights(sample_weight))
        finally:
            self.cv, self.final_estimator = given
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def fit_report_(self) -> FitReport:
        """What each member tells of its fit, and its weight where the final model has one a member."""
        report = super().fit_report_
        if not isinstance(self.final_estimator_, LogLinearPool):
            return report
        weights = zip(report.members, self.final_estimator_.weights_, strict=True)
        return replace(report, weights={name: float(weight) for name, weight in weights})


def _weights(sample_weight: NDArray[np.float64] | None) -> dict[str, Any]:
    return {} if sample_weight is None else {"sample_weight": sample_weight}


class LogLinearPool(ClassifierMixin, BaseEstimator):
    """Pool probabilities with one non-negative weight a member.

    ``p(class) ~ prod over members of p_member(class) ** weight``: as many degrees of freedom as members, whatever the
    number of classes, so that a few hundred rows suffice. The weights minimise the log loss with a pull towards equal
    ones.

    Parameters
    ----------
    n_members : int
        Members whose probabilities stand side by side in X.
    pull : float, default=1.0
        Strength of the pull: the penalty is ``pull / n_rows`` times the squared distance from ``1 / n_members``.

    Attributes
    ----------
    weights_ : ndarray of shape (n_members,)
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Genest, Zidek (1986), Combining probability distributions, Statistical Science 1: logarithmic opinion pool.
    """

    def __init__(self, n_members: int, pull: float = 1.0) -> None:
        self.n_members = n_members
        self.pull = pull

    def fit(self, X: NDArray[np.float64], y: object, sample_weight: NDArray[np.float64] | None = None) -> LogLinearPool:
        """Find the weights.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_members * n_classes)
            The members' probabilities; with two classes scikit-learn leaves the first of each member out.
        y : array-like of shape (n_rows,)
            Class labels.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        """
        self.classes_, truth = np.unique(np.asarray(y), return_inverse=True)
        logs = self._logs(X)
        rows = np.arange(len(truth))
        even = np.full(self.n_members, 1 / self.n_members)

        def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            scores = np.einsum("nmk,m->nk", logs, weights)
            lost = -weighted_mean(log_softmax(scores, axis=1)[rows, truth], sample_weight)
            # d lost / d w = E_p[log p_m] - log p_m(truth), in the mean over rows.
            expected = np.einsum("nk,nmk->nm", softmax(scores, axis=1), logs)
            slope = weighted_mean(expected - logs[rows, :, truth], sample_weight)
            away = weights - even
            strength = self.pull / len(truth)
            return float(lost + strength * (away**2).sum()), slope + 2 * strength * away

        optimum = minimize(loss, even, jac=True, bounds=[(0, None)] * self.n_members, method="L-BFGS-B")
        self.weights_ = optimum.x
        return self

    def _logs(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        proba = np.asarray(X, dtype=np.float64).reshape(len(X), self.n_members, -1)
        if proba.shape[2] == 1:
            proba = np.concatenate([1 - proba, proba], axis=2)
        return np.log(np.clip(proba, _FLOOR, 1.0))

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return pooled probabilities of shape (n_rows, n_classes)."""
        return softmax(np.einsum("nmk,m->nk", self._logs(X), self.weights_), axis=1)

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


#: Kinds of ensembles that a definition with ``members`` can have as ``type``.
ENSEMBLES = {"average": AverageOfMembers, "stack": StackOfMembers}


#: What a saved model may hold of this module.
PERSISTED = (AverageOfMembers, LogLinearPool, StackOfMembers, Bunch)
