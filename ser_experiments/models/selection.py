"""Choose columns by their ANOVA F value: scikit-learn's selector, quiet about what large tables always hold."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import SelectKBest, f_classif


class SelectColumns(SelectKBest):
    """Keep the columns that differ most between the classes.

    Tables of thousands of functionals hold columns that are constant on some training side. They have no F value,
    rank last, and are no reason to warn in every fit; nor is a table of fewer columns than are to be kept.

    Parameters
    ----------
    k : int
        Columns to keep, at most; with fewer, all are kept.
    """

    def __init__(self, k: int = 1000) -> None:
        super().__init__(f_classif, k=k)

    def fit(self, X: NDArray[np.floating], y: object) -> SelectColumns:
        """Rank the columns.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,)
            Class labels.
        """
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Features .* are constant|k=\d+ is greater than n_features")
            super().fit(X, y)
        return self


#: What a saved model may hold of this module.
PERSISTED = (SelectColumns, f_classif)
