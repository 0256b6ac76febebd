"""Numbers that lie far outside of the training count as its edge."""

from __future__ import annotations

from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data


class ClipScaled(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take scaled numbers beyond a limit for the limit.

    A filter, a codec or a little noise moves single columns by hundreds of standard deviations, such as the energy of a
    band that holds nothing any more. These few columns are then all that a kernel sees of a recording.

    Parameters
    ----------
    limit : float, default=3.0
        In the unit of the scaled columns, standard deviations of the training rows.
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {"limit": [Interval(Real, 0, None, closed="neither")]}

    def __init__(self, limit: float = 3.0) -> None:
        self.limit = limit

    def fit(self, X: ArrayLike, y: object = None) -> ClipScaled:
        """Take note of the columns: nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        y : object
            Ignored.
        """
        self._validate_params()
        validate_data(self, X, dtype=[np.float32, np.float64])
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Return the numbers, none beyond the limit on either side."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, dtype=[np.float32, np.float64])
        return np.clip(values, -self.limit, self.limit)

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether the columns are known."""
        return hasattr(self, "n_features_in_")


#: What a saved model may hold of this module.
PERSISTED = (ClipScaled,)
