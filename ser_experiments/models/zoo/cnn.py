"""A four-layer convolutional network on log-mel spectrograms, cheap enough for a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_experiments.models.nets.checks import are_sizes, is_fraction, require
from ser_experiments.models.nets.classes import LearnsClasses
from ser_experiments.models.nets.estimator import parameter_names
from ser_experiments.models.nets.numbers import LearnsNumbers, check_numbers, path_of, regression_of
from ser_experiments.models.nets.sequence import SequenceEstimator
from ser_experiments.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class CNNBase(SequenceEstimator):
    """A convolutional network over time; see :class:`SequenceEstimator` for what is not said here.

    Parameters
    ----------
    widths : sequence of int, default=(16, 32, 64, 64)
        Channels of each layer. The first is strided and narrow: it works at full resolution and costs most.
    dropout : float, default=0.3
        Part of the pooled features that is dropped in training.
    """

    widths: Sequence[int] = (16, 32, 64, 64)
    dropout: float = 0.3
    n_epochs: int = 40

    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        from ser_experiments.models.nets.cnn import SmallCNN

        return SmallCNN(n_columns, n_outputs, widths=self.widths, dropout=self.dropout)

    def _validate_params(self) -> None:
        super()._validate_params()
        require("widths", self.widths, "a list of ints of at least 1", are_sizes(self.widths))
        require("dropout", self.dropout, "at least 0 and below 1", is_fraction(self.dropout))


@dataclass(kw_only=True, eq=False, repr=False)
class CNNClassifier(CNNBase, LearnsClasses):
    """A convolutional network that learns classes: :class:`CNNBase` and :class:`LearnsClasses`."""


@dataclass(kw_only=True, eq=False, repr=False)
class CNNRegressor(CNNBase, LearnsNumbers):
    """A convolutional network that learns numbers: :class:`CNNBase` and :class:`LearnsNumbers`."""


SPEC = ModelSpec(
    build=CNNClassifier,
    params=lambda: parameter_names(CNNClassifier),
    estimator=path_of(CNNClassifier),
    libraries=("torch",),
    regression=regression_of(CNNRegressor),
    layout="array",
    reads_group=True,
    trusted_types=(path_of(CNNClassifier), path_of(CNNRegressor)),
    checks=((path_of(CNNRegressor), check_numbers),),
)
