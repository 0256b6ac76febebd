"""Networks that learn numbers, such as valence, arousal and dominance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from ser_experiments.models.nets.checks import require
from ser_experiments.models.nets.estimator import TorchEstimator, parameter_names
from ser_experiments.models.nets.holdout import strata_of
from ser_experiments.models.nets.inputs import Rows, check_weights, sides_of, training_rows
from ser_experiments.models.spec import Regression

if TYPE_CHECKING:
    from torch import Tensor

LOSSES = ("ccc", "mse")


@dataclass(kw_only=True, eq=False, repr=False)
class LearnsNumbers(RegressorMixin, TorchEstimator):
    """A network that answers one or several numbers.

    Targets are brought to mean 0 and deviation 1 of the rows learned from, and answers back; of one that is constant
    there, the mean is the answer.

    Parameters
    ----------
    loss : {"ccc", "mse"}, default="ccc"
        ``"ccc"`` is 1 minus Lin's concordance correlation coefficient of answers x and truth y in the batch,
        2 cov(x, y) / (var(x) + var(y) + (mean(x) - mean(y))²), its moments weighted by the rows' weights; a mean over
        the targets. It wants the spread of the truth as well as its order, and says little of batches of a few rows.
        ``"mse"`` is the weighted mean squared error.

    Attributes
    ----------
    target_mean_, target_scale_ : ndarray of shape (n_targets,)
        Weighted mean and deviation of each target over the rows learned from; a deviation of 0 is of a constant.
    single_target_ : bool
        Whether ``y`` was of shape (n_rows,), as answers are then.
    history_ : list of dict
        With held-out rows also ``valid_ccc``, of all of them together; ``valid_loss``, which is 1 minus that or the
        squared error, is what stops.

    References
    ----------
    Trigeorgis et al. (2016), Adieu features? End-to-end speech emotion recognition using a deep convolutional recurrent
    network, ICASSP; Atmaja, Akagi (2021), Evaluation of error- and correlation-based loss functions for multitask
    learning dimensional speech emotion recognition, Journal of Physics: Conference Series 1896.
    """

    loss: str = "ccc"

    @property
    def _n_outputs(self) -> int:
        return len(self.target_mean_)

    def _take_in(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Rows:
        clips, numbers, given = training_rows(self, X, y, sample_weight, numbers=True)
        weights = np.ones(len(numbers)) if given is None else np.asarray(given, dtype=np.float64)
        check_weights(weights)
        self.single_target_ = numbers.ndim == 1
        return Rows(clips, numbers.reshape(len(numbers), -1).astype(np.float64), weights, *sides_of(X))

    def _strata(self, rows: Rows) -> NDArray[np.intp] | None:
        apart = rows.tried_on is not None or (rows.groups is not None and len(np.unique(rows.groups)) > 1)
        # Whole groups are drawn whatever their numbers are.
        return np.zeros(len(rows.truth), dtype=np.intp) if apart else strata_of(rows.truth[:, 0])

    def _truth(self, rows: Rows, learn: NDArray[np.intp]) -> NDArray[Any] | None:
        numbers, weights = rows.truth, rows.weights[learn]
        self.target_mean_ = np.average(numbers[learn], axis=0, weights=weights)
        deviation = np.sqrt(np.average((numbers[learn] - self.target_mean_) ** 2, axis=0, weights=weights))
        self.target_scale_ = np.where(deviation <= 1e-9 * np.abs(self.target_mean_), 0.0, deviation)
        if not self.target_scale_.any():
            return None
        divisor = np.where(self.target_scale_ > 0, self.target_scale_, 1.0)
        return ((numbers - self.target_mean_) / divisor).astype(np.float32)

    def batch_loss(self, outputs: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
        """Return what the concordance lacks to 1, or the squared error, of a batch."""
        from ser_experiments.models.nets.concordance import ccc_loss, squared_loss

        return (ccc_loss if self.loss == "ccc" else squared_loss)(outputs.float(), truth, weights)

    def read(self, outputs: Tensor) -> Tensor:
        """Return numbers as the network gave them, on its own scale."""
        return outputs

    def judge(
        self, answers: NDArray[np.float64], truth: NDArray[Any], weights: NDArray[np.float64]
    ) -> tuple[dict[str, float], NDArray[np.float64]]:
        """Return what held-out rows score by name, and the loss of each."""
        from ser_experiments.models.nets.concordance import judge

        return judge(answers, truth.astype(np.float64), weights, by_ccc=self.loss == "ccc")

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return the numbers of whole utterances, shape (n_rows, n_targets) or (n_rows,), as ``y`` was.

        Raises
        ------
        InputError
            The network's answer to a row is not finite.
        """
        numbers = self._answers(X) * self.target_scale_ + self.target_mean_
        return numbers[:, 0] if self.single_target_ else numbers

    def _validate_params(self) -> None:
        super()._validate_params()
        require("loss", self.loss, f"one of {', '.join(LOSSES)}", isinstance(self.loss, str) and self.loss in LOSSES)

    def __sklearn_tags__(self) -> Tags:
        """Say that it takes several numbers a row."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def path_of(family: type[TorchEstimator]) -> str:
    """Return where a class is imported from."""
    return f"{family.__module__}.{family.__qualname__}"


def regression_of(
    family: type[LearnsNumbers], build: Callable[..., LearnsNumbers] | None = None, given: Sequence[str] = ()
) -> Regression:
    """Return how a family of networks learns numbers.

    Parameters
    ----------
    family : type
        Its regressor.
    build : callable, optional
        What builds it, where that is not the class itself.
    given : sequence of str
        Parameters that are not open.
    """
    return Regression(
        build=build or family,
        params=lambda: [name for name in parameter_names(family) if name not in given],
        estimator=path_of(family),
        without=("class_weight", "label_smoothing"),
        several=True,
        matched=False,
    )


def check_numbers(fitted: LearnsNumbers) -> None:
    """Check that a regressor that was read holds mean and deviation of the same targets: a ValueError where not."""
    held = vars(fitted)
    if "target_mean_" not in held and "target_scale_" not in held:  # not fitted
        return
    mean, scale = held.get("target_mean_"), held.get("target_scale_")
    for one in (mean, scale):
        if not isinstance(one, np.ndarray) or one.ndim != 1 or one.dtype.kind != "f" or not np.isfinite(one).all():
            raise ValueError("holds targets whose mean or deviation is none")
    assert mean is not None
    assert scale is not None
    if not len(mean) or mean.shape != scale.shape or (scale < 0).any():
        raise ValueError("holds means and deviations of different targets")
    single = held.get("single_target_")
    if not isinstance(single, bool) or (single and len(mean) != 1):
        raise ValueError("holds several targets as one")
