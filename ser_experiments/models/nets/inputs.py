"""What a network is handed: tables of numbers or columns of arrays over time, checked as scikit-learn checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _check_y, check_consistent_length, validate_data

from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP
from ser_experiments.models.nets.clips import Clips, cells_of, holds_arrays
from ser_experiments.models.row_weights import row_weights

if TYPE_CHECKING:
    from ser_experiments.models.nets.estimator import TorchClassifier


def training_rows(
    classifier: TorchClassifier, X: Any, y: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Clips, NDArray[Any], NDArray[np.float64]]:
    """Return the clips, the labels and the rows' weights of a fit; the classifier learns its number of columns.

    Raises
    ------
    InputError
        X holds no single column of arrays.
    ValueError
        What scikit-learn refuses.
    """
    if holds_arrays(X):
        arrays = cells_of(X, several=classifier.takes_several)
        clips = Clips(*arrays.values())
        classifier.arrays_ = np.asarray(list(arrays), dtype=str)
        labels = _check_y(y, multi_output=False, estimator=classifier)
        check_consistent_length(labels, clips.lengths)
        classifier.n_features_in_ = clips.n_columns
    else:
        table, labels = validate_data(classifier, _without_group(X), y, dtype=np.float32)
        clips = Clips(table)
        classifier.arrays_ = np.asarray(["table"])
    check_classification_targets(labels)
    given = None if sample_weight is None else _check_sample_weight(sample_weight, labels[:, None])
    weights = row_weights(classifier.class_weight, labels, given)
    if not (weights >= 0).all() or not weights.any():
        raise ValueError("sample_weight must be at least 0 and not 0 for all rows")
    return clips, labels, weights


def rows_to_answer(classifier: TorchClassifier, X: Any) -> Clips:
    """Return the clips that a fitted classifier is asked about; an InputError where their columns are others."""
    if not holds_arrays(X):
        return Clips(validate_data(classifier, _without_group(X), reset=False, dtype=np.float32))
    clips = Clips(*cells_of(X, several=classifier.takes_several).values())
    if clips.n_columns != classifier.n_features_in_:
        raise InputError(f"arrays have {clips.n_columns} columns; fitted on {classifier.n_features_in_}")
    return clips


def _without_group(X: Any) -> Any:
    return X.drop(columns=GROUP) if isinstance(X, pd.DataFrame) and GROUP in X else X
