"""A bidirectional LSTM with attention on frame-level descriptors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_experiments.models.nets.checks import is_fraction, is_int, require
from ser_experiments.models.nets.classes import LearnsClasses
from ser_experiments.models.nets.estimator import parameter_names
from ser_experiments.models.nets.numbers import LearnsNumbers, check_numbers, path_of, regression_of
from ser_experiments.models.nets.sequence import SequenceEstimator
from ser_experiments.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMBase(SequenceEstimator):
    """A recurrent network over time; see :class:`SequenceEstimator` for what is not said here.

    Parameters
    ----------
    hidden : int, default=64
        Cells of each direction.
    n_layers : int, default=1
        Layers one above the other.
    frames_per_step : int, default=4
        Frames averaged to one step: emotion moves slowly, and time costs steps.
    dropout : float, default=0.3
        Part of the steps' and of the pooled features that is dropped in training.
    """

    hidden: int = 64
    n_layers: int = 1
    frames_per_step: int = 4
    dropout: float = 0.3
    lr: float = 3e-3
    crop_frames: int | None = 200
    column_masks: int = 0

    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        from ser_experiments.models.nets.lstm import FrameLSTM

        return FrameLSTM(
            n_columns,
            n_outputs,
            hidden=self.hidden,
            n_layers=self.n_layers,
            frames_per_step=self.frames_per_step,
            dropout=self.dropout,
        )

    def _validate_params(self) -> None:
        super()._validate_params()
        for name in ("hidden", "n_layers", "frames_per_step"):
            require(name, getattr(self, name), "an int of at least 1", is_int(getattr(self, name), 1))
        require("dropout", self.dropout, "at least 0 and below 1", is_fraction(self.dropout))


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMClassifier(LSTMBase, LearnsClasses):
    """A recurrent network that learns classes: :class:`LSTMBase` and :class:`LearnsClasses`."""


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMRegressor(LSTMBase, LearnsNumbers):
    """A recurrent network that learns numbers: :class:`LSTMBase` and :class:`LearnsNumbers`."""


SPEC = ModelSpec(
    build=LSTMClassifier,
    params=lambda: parameter_names(LSTMClassifier),
    estimator=path_of(LSTMClassifier),
    libraries=("torch",),
    regression=regression_of(LSTMRegressor),
    layout="array",
    reads_group=True,
    trusted_types=(path_of(LSTMClassifier), path_of(LSTMRegressor)),
    checks=((path_of(LSTMRegressor), check_numbers),),
)
