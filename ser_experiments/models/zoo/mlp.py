"""The two-layer network on table rows; the pipeline's scaler stands before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_experiments.models.nets.checks import are_sizes, is_fraction, require
from ser_experiments.models.nets.classes import LearnsClasses
from ser_experiments.models.nets.estimator import TorchEstimator, parameter_names
from ser_experiments.models.nets.numbers import LearnsNumbers, check_numbers, path_of, regression_of
from ser_experiments.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class MLPBase(TorchEstimator):
    """Fully connected layers on the columns of a table; see :class:`TorchEstimator` for what is not said here.

    Parameters
    ----------
    hidden : sequence of int, default=(256, 128)
        Units of each layer.
    dropout : float, default=0.5
        Part of each layer's answers that is dropped in training.
    """

    hidden: Sequence[int] = (256, 128)
    dropout: float = 0.5
    n_epochs: int = 60

    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        from ser_experiments.models.nets.mlp import MLP

        return MLP(n_columns, n_outputs, hidden=self.hidden, dropout=self.dropout)

    def _validate_params(self) -> None:
        super()._validate_params()
        require("hidden", self.hidden, "a list of ints of at least 1", are_sizes(self.hidden))
        require("dropout", self.dropout, "at least 0 and below 1", is_fraction(self.dropout))


@dataclass(kw_only=True, eq=False, repr=False)
class MLPClassifier(MLPBase, LearnsClasses):
    """A network on the columns of a table that learns classes: :class:`MLPBase` and :class:`LearnsClasses`."""


@dataclass(kw_only=True, eq=False, repr=False)
class MLPRegressor(MLPBase, LearnsNumbers):
    """A network on the columns of a table that learns numbers: :class:`MLPBase` and :class:`LearnsNumbers`."""


SPEC = ModelSpec(
    build=MLPClassifier,
    params=lambda: parameter_names(MLPClassifier),
    estimator=path_of(MLPClassifier),
    libraries=("torch",),
    regression=regression_of(MLPRegressor),
    reads_group=True,
    trusted_types=(path_of(MLPClassifier), path_of(MLPRegressor)),
    checks=((path_of(MLPRegressor), check_numbers),),
)
