"""Linear discriminant analysis whose covariance is shrunk, of columns in their thousands and rows that weigh.

scikit-learn's own takes no weights of rows and works on a matrix of columns by columns; with more columns than rows the
same is had from one of rows by rows.

References
----------
Ledoit, Wolf (2004), A well-conditioned estimator for large-dimensional covariance matrices, J. Multivariate Analysis.
"""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from ser_experiments.models.row_weights import row_weights

Floats = NDArray[np.float64]

#: The least that a covariance is shrunk, so that it can be inverted whatever the rows.
_LEAST = 1e-6


class LinearDiscriminantAnalysis(LinearClassifierMixin, ClassifierMixin, BaseEstimator):
    """Normal distributions of one shrunk covariance, a class each.

    Columns are to be on one scale, as those of a pipeline are: what is shrunk to is a multiple of the identity.

    Parameters
    ----------
    shrinkage : "auto" or float, default="auto"
        How far the covariance within classes is moved to a multiple of the identity, 0 to 1; ``"auto"`` is what Ledoit
        and Wolf expect to be nearest to the true one.
    class_weight : "balanced" or dict, optional
        Of classes, which counts in what is expected of them before anything is seen, and in the covariance.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_classes, n_columns), float64
        Of two classes (1, n_columns): the second less the first.
    intercept_ : ndarray of shape (n_classes,) or (1,), float64
    shrinkage_ : float
        What was taken.
    """

    _parameter_constraints: ClassVar[dict[str, list[object]]] = {
        "shrinkage": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="both")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(self, *, shrinkage: str | float = "auto", class_weight: Any = None) -> None:
        self.shrinkage = shrinkage
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearDiscriminantAnalysis:
        """Learn the means of classes and their common covariance.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_columns)
        y : array-like of shape (n_rows,)
            Labels, of two classes at least.
        sample_weight : array-like of shape (n_rows,), optional
            A row of weight 2 is as good as two rows, and one of weight 0 as none.

        Raises
        ------
        ValueError
            A parameter makes no sense, or there is one class.
        """
        self._validate_params()
        X, y = validate_data(self, X, y, dtype=np.float64)
        given = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        check_classification_targets(y)
        counts = row_weights(self.class_weight, y, given)
        n_seen = float(counts.sum())
        weights = counts / n_seen
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"there is one class, {self.classes_[0]!r}; two are needed to tell them apart")
        members = np.eye(len(self.classes_))[codes] * weights[:, None]
        priors = members.sum(axis=0)
        means = members.T @ X / np.maximum(priors, np.finfo(float).tiny)[:, None]
        within = (X - means[codes]) * np.sqrt(weights)[:, None]
        solved, self.shrinkage_ = _solved(within, weights, n_seen, means, self.shrinkage)
        intercept = np.log(np.maximum(priors, np.finfo(float).tiny)) - 0.5 * (means * solved).sum(axis=1)
        if len(self.classes_) == 2:
            solved, intercept = solved[1:] - solved[:1], intercept[1:] - intercept[:1]
        self.coef_, self.intercept_ = solved, intercept
        return self

    def predict_proba(self, X: Any) -> Floats:
        """Return how probable each class is, shape (n_rows, n_classes)."""
        scores = self.decision_function(X)
        if scores.ndim == 1:
            scores = np.column_stack([-scores / 2, scores / 2])
        return softmax(scores, axis=1)


def _solved(
    within: Floats, weights: Floats, n_seen: float, means: Floats, shrinkage: str | float
) -> tuple[Floats, float]:
    """Return the means times the inverse of the shrunk covariance, and how far it was shrunk.

    Parameters
    ----------
    within : ndarray of shape (n_rows, n_columns)
        Rows less the means of their classes, times the roots of their weights: their products sum to the covariance.
    weights : ndarray of shape (n_rows,)
        Of the rows, 1 in sum.
    n_seen : float
        How many rows they stand for.
    means : ndarray of shape (n_classes, n_columns)
    shrinkage : "auto" or float
    """
    n_rows, n_columns = within.shape
    wide = n_rows < n_columns
    # With more columns than rows, products of rows hold all that is asked of the covariance.
    products = within @ within.T if wide else within.T @ within
    scale = np.trace(products) / n_columns
    if scale <= 0:
        return means, 1.0  # Rows of a class are all the same: each is as near to its mean as can be.
    taken = _ledoit_wolf(within, products, weights, n_seen) if shrinkage == "auto" else float(shrinkage)
    taken = max(taken, _LEAST)
    ridge, rest = taken * scale, 1.0 - taken
    factor = cho_factor(rest * products + ridge * np.eye(len(products)), lower=True, check_finite=False)
    if not wide:
        return cho_solve(factor, means.T, check_finite=False).T, taken
    # Woodbury: (r I + s A'A)^-1 = (I - s A' (r I + s AA')^-1 A) / r
    beside = cho_solve(factor, within @ means.T, check_finite=False)
    return (means - rest * (within.T @ beside).T) / ridge, taken


def _ledoit_wolf(within: Floats, products: Floats, weights: Floats, n_seen: float) -> float:
    """Return how far a covariance is to be shrunk, 0 to 1; parameters are those of :func:`_solved`."""
    squares = float(np.square(products).sum())
    lengths, there = np.square(within).sum(axis=1), weights > 0
    # How far the products of single rows are from their mean, squared, and so how far that may be from the truth.
    spread = (np.sum(lengths[there] ** 2 / weights[there]) - squares) / n_seen
    distance = squares - lengths.sum() ** 2 / within.shape[1]
    return float(np.clip(spread / distance, 0.0, 1.0)) if distance > 0 else 1.0
