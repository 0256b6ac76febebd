"""What a network is handed: tables of numbers or columns of arrays over time, checked as scikit-learn checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import _check_sample_weight, _check_y, check_consistent_length, validate_data

from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP
from ser_experiments.models.grouping import development_of, groups_of
from ser_experiments.models.nets.clips import Clips, cells_of, holds_arrays
from ser_experiments.words import cut

if TYPE_CHECKING:
    from ser_experiments.models.nets.estimator import TorchEstimator


@dataclass(frozen=True)
class Rows:
    """What a fit learns from: one clip a row.

    Parameters
    ----------
    clips : Clips
        What is heard.
    truth : ndarray of shape (n_rows, ...)
        What is to be said of each.
    weights : ndarray of shape (n_rows,)
        A row of weight zero is left out.
    groups : ndarray of str of shape (n_rows,) or None
        The speaker or session of each row.
    tried_on : ndarray of bool of shape (n_rows,) or None
        The rows that choices are tried on, where the folds name some.
    """

    clips: Clips
    truth: NDArray[Any]
    weights: NDArray[np.float64]
    groups: NDArray[np.str_] | None
    tried_on: NDArray[np.bool_] | None


def sides_of(X: Any) -> tuple[NDArray[np.str_] | None, NDArray[np.bool_] | None]:
    """Return the groups of the rows and which of them choices are tried on; None of what X does not tell."""
    groups = groups_of(X) if isinstance(X, pd.DataFrame) and GROUP in X else None
    return groups, development_of(X)


def training_rows(
    estimator: TorchEstimator,
    X: Any,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    clip_of: NDArray[np.intp] | None = None,
    numbers: bool = False,
) -> tuple[Clips, NDArray[Any], NDArray[np.float64] | None]:
    """Return the clips, the truth and the given weights of a fit; the estimator learns its number of columns.

    Parameters
    ----------
    estimator : TorchEstimator
        What is fitted.
    X, y, sample_weight
        As its ``fit`` takes them.
    clip_of : ndarray of shape (n_truths,), optional
        Of each truth, the row of X; without it each has its own.
    numbers : bool, default=False
        Whether the truth is numbers, one or several a row; else it is labels.

    Raises
    ------
    InputError
        X holds no single column of arrays.
    ValueError
        What scikit-learn refuses.
    """
    how = {"multi_output": True, "y_numeric": True} if numbers else {"multi_output": False}
    if holds_arrays(X):
        arrays = cells_of(X, several=estimator.takes_several)
        clips = Clips(*arrays.values())
        estimator.arrays_ = np.asarray(list(arrays), dtype=str)
        truth = _check_y(y, estimator=estimator, **how)
        estimator.n_features_in_ = clips.n_columns
    else:
        plain = _without_group(X)
        # scikit-learn looks at both together; where rows stand for several truths that is done below.
        given = y if clip_of is None else np.asarray(y)[np.unique(clip_of, return_index=True)[1]]
        table, truth = validate_data(estimator, plain, given, dtype=np.float32, **how)
        truth = truth if clip_of is None else _check_y(y, estimator=estimator, **how)
        clips = Clips(table)
        estimator.arrays_ = np.asarray(["table"])
    check_consistent_length(truth, clips.lengths if clip_of is None else clip_of)
    weights = None if sample_weight is None else _check_sample_weight(sample_weight, np.zeros((len(truth), 1)))
    return clips, truth, weights


def check_weights(weights: NDArray[np.float64]) -> None:
    """Refuse weights of rows that are negative or all zero: a ValueError."""
    if not (weights >= 0).all() or not weights.any():
        raise ValueError("sample_weight must be at least 0 and not 0 for all rows")


def one_row_each(X: Any) -> tuple[Any, NDArray[np.intp] | None]:
    """Return a table with one row an utterance, where it holds some several times.

    A table in which an utterance stands once for each class that raters said of it, with the share of those who did as
    its weight, is what estimators take that know no shares.

    Parameters
    ----------
    X : DataFrame or anything else
        Its index holds the ids of utterances; what is no text is none.

    Returns
    -------
    X : DataFrame, or X as it came
    row_of : ndarray of shape (n_given_rows,) or None
        The row of each that was given; None where none is repeated.

    Raises
    ------
    InputError
        Rows of one id differ.
    """
    if not isinstance(X, pd.DataFrame) or X.index.is_unique or not all(isinstance(one, str) for one in X.index):
        return X, None
    row_of = pd.factorize(X.index)[0].astype(np.intp)
    once = X.iloc[np.unique(row_of, return_index=True)[1]]
    for column in X.columns:
        given, kept = X[column].to_numpy(), once[column].to_numpy()[row_of]
        alike = _alike(given, kept)
        if not alike.all():
            raise InputError(
                f"utterance {cut(str(X.index[~alike][0]), 200)!r} stands in rows that differ in {column!r}; rows of "
                "one id are what raters said of one recording: make ids unique, or the rows alike"
            )
    return once, row_of


def _alike(column: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Say of each cell whether it is the other; a cell that is missing in both is."""
    if column.dtype != object:
        return np.asarray((column == other) | (pd.isna(column) & pd.isna(other)), dtype=bool)
    # What is one object is not read; arrays over time may lie on disk.
    pairs = zip(column, other, strict=True)
    return np.fromiter((a is b or np.array_equal(a, b) for a, b in pairs), dtype=bool, count=len(column))


def rows_to_answer(estimator: TorchEstimator, X: Any) -> Clips:
    """Return the clips that a fitted estimator is asked about; an InputError where their columns are others."""
    if not holds_arrays(X):
        return Clips(validate_data(estimator, _without_group(X), reset=False, dtype=np.float32))
    clips = Clips(*cells_of(X, several=estimator.takes_several).values())
    if clips.n_columns != estimator.n_features_in_:
        raise InputError(f"arrays have {clips.n_columns} columns; fitted on {estimator.n_features_in_}")
    return clips


def _without_group(X: Any) -> Any:
    return X.drop(columns=GROUP) if isinstance(X, pd.DataFrame) and GROUP in X else X
