"""scikit-learn's support vector machine with scores that say how sure it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.special import log_expit
from sklearn import svm
from sklearn.utils import check_array
from sklearn.utils.multiclass import _ovr_decision_function

#: A margin of one, where support vectors lie, counts as odds of e squared.
_SLOPE = 2.0
#: From so many columns on, and up to so many rows, all products of rows are taken beforehand.
_WIDE, _MOST_ROWS = 64, 8192


class SVC(svm.SVC):
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

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SVC:
        """Fit as scikit-learn does; of a linear kernel on many columns, the products of rows are taken all at once.

        libsvm takes them one by one, which is nearly all of its work on the thousands of columns of an encoder and ten
        times as slow. What it finds is the same to the last digits.
        """
        wide = self.get_params()["kernel"] == "linear" and not issparse(X) and np.ndim(X) == 2
        if not (wide and np.shape(X)[1] >= _WIDE and np.shape(X)[0] <= _MOST_ROWS):
            return super().fit(X, y, sample_weight)
        names = getattr(X, "columns", None)
        values = check_array(X, dtype=np.float64, order="C", estimator=self)
        self.set_params(kernel="precomputed")
        try:
            super().fit(values @ values.T, y, sample_weight)
        finally:
            self.set_params(kernel="linear")
        self.support_vectors_ = values[self.support_]
        self.shape_fit_, self.n_features_in_ = values.shape, values.shape[1]
        if names is not None and all(isinstance(name, str) for name in names):
            self.feature_names_in_ = np.asarray(names, dtype=object)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return scores of shape (n_rows, n_classes); of two classes the margins, shape (n_rows,)."""
        if len(self.classes_) == 2:
            return np.asarray(super().decision_function(X))
        # Asked for pairs, scikit-learn's own method would refuse to break ties of votes in `predict`.
        margins = np.asarray(self._decision_function(X), dtype=np.float64)
        votes = _ovr_decision_function(margins < 0, -margins, len(self.classes_))
        return _with_winner(_of_pairs(margins, len(self.classes_)), votes.argmax(axis=1))


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
