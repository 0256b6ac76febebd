"""Learning how raters vote with classifiers that learn one label a row: each row stands there once for each class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from ser_experiments.errors import InputError
from ser_experiments.models.grouping import with_groups
from ser_experiments.models.report import members_of
from ser_experiments.models.wrapper import Wrapper, fit


class FromShares(Wrapper):
    """Fit a classifier on the share that each class has of each row, by rows that are weighted with it.

    A loss that is a sum over weighted rows, such as the log loss, is then the cross-entropy to the shares: what is
    learned is how raters vote, not which word won. A row that stands there more than once keeps its id, its group and
    its place in folds, so that nothing of it is held out while another part of it is learned.

    Parameters
    ----------
    estimator : classifier
        What is fitted: it takes weights of rows, and gives probabilities. Weights of its own by class
        (``class_weight``) would let it answer something else than shares.
    classes : tuple of str
        What the columns of the truth are called.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on as many rows as there are positive shares.
    classes_ : ndarray of shape (n_classes,)
        All classes; one without a share in any row has a probability of zero.
    """

    def __init__(self, estimator: BaseEstimator, classes: tuple[str, ...]) -> None:
        self.estimator = estimator
        self.classes = classes

    def fit(
        self,
        X: pd.DataFrame,
        y: ArrayLike,
        sample_weight: NDArray[np.float64] | None = None,
        groups: object = None,
    ) -> FromShares:
        """Repeat rows and fit.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A feature table.
        y : array-like of shape (n_rows, n_classes)
            Shares, which sum to 1 in each row.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows, which their shares are multiplied with.
        groups : array-like of shape (n_rows,), optional
            The speaker or session of each row, which inner folds keep apart; by default the column ``group``.

        Raises
        ------
        InputError
            These are no shares of these classes and rows, or the classifier takes no weights of rows.
        """
        shares = self._checked(y, len(X))
        rows, codes = np.nonzero(shares)
        weights = shares[rows, codes]
        if sample_weight is not None:
            weights = weights * np.asarray(sample_weight, dtype=np.float64)[rows]
        self.classes_ = np.asarray(self.classes, dtype=str)
        repeated = with_groups(X, groups).iloc[rows]
        self.estimator_ = fit(clone(self.estimator), repeated, self.classes_[codes], weights)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities in the order of ``classes_``, shape (n_rows, n_classes)."""
        proba = np.zeros((len(X), len(self.classes_)))
        known = [str(name) for name in self.estimator_.classes_]
        proba[:, [self.classes.index(name) for name in known]] = self.estimator_.predict_proba(X)
        return proba

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        found: NDArray[np.str_] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return found

    @property
    def members_(self) -> Mapping[str, BaseEstimator]:
        """Return the fitted members of an ensemble within, by name; none of any other classifier."""
        return members_of(self.estimator_)

    def _checked(self, y: ArrayLike, n_rows: int) -> NDArray[np.float64]:
        """Return the truth as shares."""
        shares = np.asarray(y)
        wanted = (n_rows, len(self.classes))
        if shares.dtype.kind not in "fiu" or shares.shape != wanted:
            raise InputError(
                f"shares must be numbers of shape {wanted}, one column for each of {', '.join(self.classes)}; got "
                f"{shares.dtype} of shape {shares.shape}"
            )
        shares = shares.astype(np.float64)
        wrong = np.flatnonzero(~((shares >= 0).all(axis=1) & (np.abs(shares.sum(axis=1) - 1) < 0.01)))
        if len(wrong):
            raise InputError(f"shares of row {wrong[0]} are {shares[wrong[0]].tolist()}; they must sum to 1")
        return shares


#: What a saved model may hold of this module.
PERSISTED = (FromShares,)
