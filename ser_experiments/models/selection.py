"""Choose columns by their F value: scikit-learn's selector, quiet about what large tables always hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import SelectKBest, f_classif, f_regression

from ser_experiments.task import Learns

Floats = NDArray[np.float64]


def f_numbers(X: NDArray[np.floating], y: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Return, of each column, the F value and the p-value of the target that it goes with best.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    y : ndarray of shape (n_rows,) or (n_rows, n_targets)
        Numbers.
    """
    found = [f_regression(X, target) for target in np.asarray(y, dtype=np.float64).reshape(len(y), -1).T]
    values, chances = (np.array([one[part] for one in found]) for part in (0, 1))
    return np.nan_to_num(values, nan=-1.0).max(axis=0), np.nan_to_num(chances, nan=1.0).min(axis=0)


#: By what is learned.
F_VALUES: Mapping[str, Callable[..., tuple[Floats, Floats]]] = {"labels": f_classif, "numbers": f_numbers}


class SelectColumns(SelectKBest):
    """Keep the columns that differ most between the classes, or that go best with the numbers.

    Tables of thousands of functionals hold columns that are constant on some training side. They have no F value,
    rank last, and are no reason to warn in every fit; nor is a table of fewer columns than are to be kept.

    Parameters
    ----------
    k : int
        Columns to keep, at most; with fewer, all are kept.
    learns : {"labels", "numbers"}
        What the truth is.
    """

    def __init__(self, k: int = 1000, learns: Learns = "labels") -> None:
        super().__init__(F_VALUES[learns], k=k)
        self.learns = learns

    def fit(self, X: NDArray[np.floating], y: object) -> SelectColumns:
        """Rank the columns.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Class labels, or numbers.
        """
        with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Features .* are constant|k=\d+ is greater than n_features")
            super().fit(X, y)
        return self


#: What a saved model may hold of this module.
PERSISTED = (SelectColumns, f_classif, f_numbers)
