"""What an estimator of networks says of its truth: all that differs between classes and numbers."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ser_experiments.models.nets.inputs import Rows

if TYPE_CHECKING:
    from torch import Tensor


class Learns:
    """What is learned: how the truth is taken in, what the loss is, how answers are judged and what they mean."""

    @property
    @abstractmethod
    def _n_outputs(self) -> int:
        """Return how many numbers the network answers for a row."""

    @abstractmethod
    def _take_in(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None) -> Rows:
        """Return the rows of a fit with their truth, and learn what it consists of."""

    @abstractmethod
    def _strata(self, rows: Rows) -> NDArray[np.intp] | None:
        """Return of what kind the truth of each row is, for holding rows out; None where there is nothing to stop."""

    @abstractmethod
    def _truth(self, rows: Rows, learn: NDArray[np.intp]) -> NDArray[Any] | None:
        """Return what the network is to say of each row, by what is known of those to learn from; None if it is one."""

    @abstractmethod
    def batch_loss(self, outputs: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        outputs : tensor of shape (n_rows, n_outputs)
            What the network says.
        truth : tensor of shape (n_rows, ...)
            Rows of what :meth:`_truth` returned.
        weights : float32 tensor of shape (n_rows,)
            Of the rows; their mean over all rows is one.
        """

    @abstractmethod
    def read(self, outputs: Tensor) -> Tensor:
        """Return what outputs of the network mean, so that means over the windows of a clip can be taken."""

    @abstractmethod
    def judge(
        self, answers: NDArray[np.float64], truth: NDArray[Any], weights: NDArray[np.float64]
    ) -> tuple[dict[str, float], NDArray[np.float64]]:
        """Return numbers for the history on answers to held-out rows, and what each row adds to the loss to stop by."""
