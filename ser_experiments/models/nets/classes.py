"""Networks that learn classes, or of each utterance how many raters said which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from ser_experiments.models.nets.checks import is_fraction, require
from ser_experiments.models.nets.estimator import TorchEstimator
from ser_experiments.models.nets.inputs import Rows, check_weights, one_row_each, sides_of, training_rows
from ser_experiments.models.row_weights import row_weights

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(kw_only=True, eq=False, repr=False)
class LearnsClasses(ClassifierMixin, TorchEstimator):
    """A network that answers a probability for each class; its loss is the cross-entropy.

    Where the index of a table holds an utterance several times, each time with another label, the weights of its rows
    are what raters said: it is one row then, whose target is the share of each class in them. The loss is that of the
    rows one by one; the utterance is heard once. Such votes are judged by the same cross-entropy, and by the recall of
    what most raters said.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Part of the target that is spread over all classes.
    class_weight : {"balanced"}, dict or None, default=None
        Weights of the classes; they multiply ``sample_weight``. Of votes ``"balanced"`` weighs each class by what all
        of them, with their weights, hold of it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    history_ : list of dict
        With held-out rows also ``valid_calibrated_loss``, which is what stops (at its best temperature: overconfidence
        is no reason to), and ``valid_uar``.
    """

    label_smoothing: float = 0.0
    class_weight: str | dict[object, float] | None = None

    @property
    def _n_outputs(self) -> int:
        return len(self.classes_)

    def _take_in(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Rows:
        X, clip_of = one_row_each(X)
        clips, labels, given = training_rows(self, X, y, sample_weight, clip_of=clip_of)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if clip_of is None:
            truth, weights = codes, row_weights(self.class_weight, labels, given)
            check_weights(weights)
        else:
            votes = np.ones(len(labels)) if given is None else given
            if self.class_weight == "balanced":
                votes = votes * _balanced(codes, votes)
            else:
                votes = row_weights(self.class_weight, labels, votes)
            check_weights(votes)
            truth, weights = shares(codes, votes, clip_of, len(self.classes_))
        return Rows(clips, truth, weights, *sides_of(X))

    def _strata(self, rows: Rows) -> NDArray[np.intp] | None:
        if len(self.classes_) == 1:
            return None
        return rows.truth if rows.truth.ndim == 1 else rows.truth.argmax(axis=1)

    def _truth(self, rows: Rows, learn: NDArray[np.intp]) -> NDArray[Any] | None:
        return None if len(self.classes_) == 1 else rows.truth

    def batch_loss(self, outputs: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted cross-entropy of a batch."""
        from torch.nn.functional import cross_entropy

        losses = cross_entropy(outputs, truth, reduction="none", label_smoothing=self.label_smoothing)
        return (losses * weights).mean()

    def read(self, outputs: Tensor) -> Tensor:
        """Return log-probabilities of what the network gave."""
        return outputs.log_softmax(dim=1)

    def judge(
        self, answers: NDArray[np.float64], truth: NDArray[Any], weights: NDArray[np.float64]
    ) -> tuple[dict[str, float], NDArray[np.float64]]:
        """Return what held-out rows score by name, and the loss of each."""
        from ser_experiments.models.nets.training import judge

        return judge(answers, truth, weights)

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Return log-probabilities of whole utterances, shape (n_rows, n_classes), in the order of ``classes_``.

        Raises
        ------
        InputError
            The network's answer to a row is not finite.
        """
        logs = self._answers(X)
        return logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return probabilities of shape (n_rows, n_classes) in the order of ``classes_``."""
        return np.exp(self.predict_log_proba(X))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each row."""
        winners = self.predict_log_proba(X).argmax(axis=1)
        return self.classes_[winners]

    def _validate_params(self) -> None:
        super()._validate_params()
        smoothing = self.label_smoothing
        require("label_smoothing", smoothing, "at least 0 and below 1", is_fraction(smoothing))
        known = self.class_weight is None or self.class_weight == "balanced" or isinstance(self.class_weight, dict)
        require("class_weight", self.class_weight, "'balanced', weights by class or None", known)


def shares(
    codes: NDArray[np.intp], votes: NDArray[np.float64], row_of: NDArray[np.intp], n_classes: int
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Put together what is said of each row.

    Parameters
    ----------
    codes, votes, row_of : ndarray of shape (n_votes,)
        Encoded label of each vote, its weight, and the row that it is of.
    n_classes : int
        Classes.

    Returns
    -------
    truth : float32 ndarray of shape (n_rows, n_classes), or of int of shape (n_rows,)
        The shares of the classes; the only one of each row where all votes agree.
    weights : ndarray of shape (n_rows,)
        Sum of the votes of each row.
    """
    said = np.zeros((int(row_of.max()) + 1, n_classes))
    np.add.at(said, (row_of, codes), votes)
    weights = said.sum(axis=1)
    if (np.count_nonzero(said, axis=1) <= 1).all():
        return said.argmax(axis=1), weights
    return (said / np.where(weights > 0, weights, 1.0)[:, None]).astype(np.float32), weights


def _balanced(codes: NDArray[np.intp], votes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each vote's class: all votes by those for it and by the number of classes."""
    held = np.bincount(codes, votes)
    return held.sum() / (np.count_nonzero(held) * np.where(held > 0, held, 1.0))[codes]
