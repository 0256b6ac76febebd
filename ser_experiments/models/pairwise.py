"""scikit-learn's support vector machine with scores that say how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.special import log_expit
from sklearn import svm
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.svm._base import BaseLibSVM
from sklearn.utils import check_array
from sklearn.utils.multiclass import _ovr_decision_function

#: A margin of one, where support vectors lie, counts as odds of e squared.
_SLOPE = 2.0
#: From so many columns on, and of so many rows at a time, the kernel is taken at once.
_WIDE, _MOST_ROWS = 64, 8192
#: Kernels for which that is worth it; any other is left to libsvm.
_OF_PRODUCTS = ("linear", "rbf")


class _Wide(BaseLibSVM):
    """A machine of libsvm that takes the kernel of all rows at once where there are many columns."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Fit as scikit-learn does; on many columns, the kernel of all rows is taken at once.

        libsvm takes it value by value, which is nearly all of its work on a thousand columns, and two to ten times as
        slow. What it finds is the same to the last digits.
        """
        kernel = self.get_params()["kernel"]
        wide = kernel in _OF_PRODUCTS and not issparse(X) and np.ndim(X) == 2
        if not (wide and np.shape(X)[1] >= _WIDE and np.shape(X)[0] <= _MOST_ROWS):
            return super().fit(X, y, sample_weight)
        names = getattr(X, "columns", None)
        values = check_array(X, dtype=np.float64, order="C", estimator=self)
        gamma = _gamma_of(self.get_params()["gamma"], values)
        self.set_params(kernel="precomputed")
        try:
            super().fit(_kernel(kernel, gamma, values, values), y, sample_weight)
        finally:
            self.set_params(kernel=kernel)
        self._gamma = gamma
        self.support_vectors_ = values[self.support_]
        self.shape_fit_, self.n_features_in_ = values.shape, values.shape[1]
        if names is not None and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.asarray(names, dtype=object)
        return self

    def _of_rows(self, X: Any, weights: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the kernel of rows with the support vectors times weights; None where libsvm is to do it."""
        kernel = self.get_params()["kernel"]
        if X.shape[1] < _WIDE or kernel not in _OF_PRODUCTS or not len(self.support_vectors_):
            return None
        found = [
            _kernel(kernel, self._gamma, X[at : at + _MOST_ROWS], self.support_vectors_) @ weights
            for at in range(0, len(X), _MOST_ROWS)
        ]
        return np.concatenate(found)


class SVC(_Wide, svm.SVC):
    """scikit-learn's classifier with scores that a temperature can turn into probabilities.

    Of several classes scikit-learn's own decision value is the number of pairs that a class has won, with the margins
    squeezed into less than half a vote: nearly all rows have the same, whatever their margins, so that a confidence
    made of it tells nothing. Here each pair's margin is a probability, and the score of a class is the logarithm of the
    product of those of its pairs. The class with the most votes keeps the highest score: no prediction differs.

    References
    ----------
    Refregier, Vallet (1991), Probabilistic approach for multiclass classification with neural networks, ICANN.
    Wu, Lin, Weng (2004), Probability estimates for multi-class classification by pairwise coupling, JMLR 5.
    """

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return scores of shape (n_rows, n_classes); of two classes the margins, shape (n_rows,)."""
        if len(self.classes_) == 2:
            return np.asarray(super().decision_function(X))
        # Asked for pairs, scikit-learn's own method would refuse to break ties of votes in `predict`.
        margins = np.asarray(self._decision_function(X), dtype=np.float64)
        votes = _ovr_decision_function(margins < 0, -margins, len(self.classes_))
        return _with_winner(_of_pairs(margins, len(self.classes_)), votes.argmax(axis=1))

    def _dense_decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the margins of pairs, shape (n_rows, n_pairs); on many columns the kernel is taken at once.

        libsvm takes it value by value, which is two to four times as slow. The margins are the same to the last digits.
        """
        found = self._of_rows(X, _weights(self._dual_coef_, self._n_support))
        return np.asarray(super()._dense_decision_function(X)) if found is None else found + self._intercept_


class SVR(_Wide, svm.SVR):
    """scikit-learn's regressor; on many columns, the kernel of all rows is taken at once."""

    def _dense_predict(self, X: Any) -> NDArray[np.float64]:
        """Return a number for each row."""
        found = self._of_rows(X, self._dual_coef_[0])
        return np.asarray(super()._dense_predict(X)) if found is None else found + self._intercept_[0]


def _gamma_of(gamma: object, values: NDArray[np.float64]) -> float:
    """Return the factor of a kernel in numbers, as scikit-learn's fit understands it."""
    if gamma == "scale":
        spread = float(values.var())
        return 1.0 / (values.shape[1] * spread) if spread else 1.0
    return 1.0 / values.shape[1] if gamma == "auto" else float(gamma)  # type: ignore[arg-type]


def _kernel(kernel: str, gamma: float, rows: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the kernel of each row with each of the others, shape (n_rows, n_others)."""
    return np.asarray(pairwise_kernels(rows, others, metric=kernel, filter_params=True, gamma=gamma))


def _weights(dual: NDArray[np.float64], n_support: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return what each support vector weighs in each pair of classes, shape (n_support_vectors, n_pairs).

    libsvm keeps, of a support vector, one coefficient for each other class; row ``j - 1`` of the first of a pair and
    row ``i`` of the second are of the pair (i, j).
    """
    of = np.repeat(np.arange(len(n_support)), n_support)
    pairs = list(zip(*np.triu_indices(len(n_support), 1), strict=True))
    weights = np.zeros((len(of), len(pairs)))
    for pair, (one, other) in enumerate(pairs):
        weights[of == one, pair] = dual[other - 1, of == one]
        weights[of == other, pair] = dual[one, of == other]
    return weights


def _of_pairs(margins: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Add up the logarithms of the probabilities of the pairs (0, 1), (0, 2), ..., shape (n_rows, n_classes)."""
    scores = np.zeros((len(margins), n_classes))
    for pair, (one, other) in enumerate(zip(*np.triu_indices(n_classes, 1), strict=True)):
        scores[:, one] += log_expit(_SLOPE * margins[:, pair])
        scores[:, other] += log_expit(-_SLOPE * margins[:, pair])
    return scores


def _with_winner(scores: NDArray[np.float64], winner: NDArray[np.intp]) -> NDArray[np.float64]:
    """Exchange the highest score of each row with that of its winner."""
    rows, highest = np.arange(len(scores)), scores.argmax(axis=1)
    told = scores.copy()
    told[rows, highest], told[rows, winner] = scores[rows, winner], scores[rows, highest]
    return told
