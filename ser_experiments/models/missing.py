"""Fill what is missing in a table; a table without gaps passes through as it is, without a copy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

#: Columns whose medians are taken at once, so that a copy of a few of them is all the memory it needs.
_COLUMNS = 64


class FillMissing(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Put each column's median of the training rows where a value is missing.

    scikit-learn's ``SimpleImputer(strategy="median", keep_empty_features=True)`` gives the same numbers, and holds four
    copies of the table while it looks for them.

    Attributes
    ----------
    medians_ : ndarray of shape (n_columns,)
        0 for a column without any value.
    """

    def fit(self, X: ArrayLike, y: object = None) -> FillMissing:
        """Find the medians.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
            NaN is a missing value.
        y : object
            Ignored.
        """
        values = validate_data(self, X, dtype=[np.float32, np.float64], ensure_all_finite="allow-nan")
        self.medians_ = np.zeros(values.shape[1], dtype=values.dtype)
        for start in range(0, values.shape[1], _COLUMNS):
            part = values[:, start : start + _COLUMNS]
            missing = np.isnan(part)
            if missing.any():
                known = ~missing.all(axis=0)
                self.medians_[start : start + _COLUMNS][known] = np.nanmedian(part[:, known], axis=0)
            else:
                # The same numbers in a third of the time.
                self.medians_[start : start + _COLUMNS] = np.median(part, axis=0)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Fill the gaps; without any, the array that was handed in comes back."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, dtype=[np.float32, np.float64], ensure_all_finite="allow-nan")
        # A sum is NaN where anything is, and needs no second table to find out.
        if np.isfinite(values.sum(dtype=np.float64)):
            return values
        rows, columns = np.nonzero(np.isnan(values))
        if not len(rows):
            return values
        filled = values.copy()
        filled[rows, columns] = self.medians_[columns]
        return filled

    def __sklearn_tags__(self) -> Tags:
        """Say that missing values are what it is for."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


#: What a saved model may hold of this module.
PERSISTED = (FillMissing,)
