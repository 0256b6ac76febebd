"""Weights of rows: class weights as such, for estimators that only know the latter, and means under them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.class_weight import compute_sample_weight


def row_weights(
    class_weight: str | dict[object, float] | None, y: ArrayLike, sample_weight: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the weight of each row.

    Parameters
    ----------
    class_weight : {"balanced"}, dict or None
        ``"balanced"`` weighs each class by n_rows / (n_classes * rows of the class).
    y : array-like of shape (n_rows,)
        Class labels.
    sample_weight : ndarray of shape (n_rows,) or None
        Weights of the rows, multiplied in.

    Returns
    -------
    ndarray of shape (n_rows,), float64
    """
    weights = np.asarray(compute_sample_weight(class_weight, np.asarray(y)), dtype=np.float64)
    return weights if sample_weight is None else weights * sample_weight


def weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> Any:
    """Return the mean over the first axis, plain where there are no weights."""
    return values.mean(axis=0) if weights is None else np.average(values, axis=0, weights=weights)
