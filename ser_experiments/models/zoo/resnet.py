"""Residual networks on log-mel spectrograms, trained by SGD with momentum; for a GPU, or narrow on a CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ser_experiments.models.nets.checks import is_fraction, is_int, require
from ser_experiments.models.nets.classes import LearnsClasses
from ser_experiments.models.nets.estimator import TorchEstimator, parameter_names
from ser_experiments.models.nets.numbers import LearnsNumbers, check_numbers, path_of, regression_of
from ser_experiments.models.nets.sequence import SequenceEstimator
from ser_experiments.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn

_Kind = TypeVar("_Kind", bound=TorchEstimator)
#: Blocks of each stage by depth, Table 1 of the paper.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


@dataclass(kw_only=True, eq=False, repr=False)
class ResNetBase(SequenceEstimator):
    """A residual network over time; see :class:`SequenceEstimator` for what is not said here.

    Parameters
    ----------
    depth : {18, 34}, default=18
        Layers with weights.
    width : int, default=64
        Channels of the first stage, 64 in the paper; 16 suits a CPU.
    dropout : float, default=0.3
        Part of the pooled features that is dropped in training.
    """

    depth: int = 18
    width: int = 64
    dropout: float = 0.3
    optimizer: str = "sgd"
    lr: float = 0.02
    weight_decay: float = 1e-3
    n_epochs: int = 40
    crop_frames: int | None = 192

    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        from ser_experiments.models.nets.resnet import ResNet

        return ResNet(n_outputs, depths=BLOCKS[self.depth], width=self.width, dropout=self.dropout)

    def _validate_params(self) -> None:
        super()._validate_params()
        shown = " or ".join(map(str, BLOCKS))
        require("depth", self.depth, shown, isinstance(self.depth, int) and self.depth in BLOCKS)
        require("width", self.width, "an int of at least 1", is_int(self.width, 1))
        require("dropout", self.dropout, "at least 0 and below 1", is_fraction(self.dropout))


@dataclass(kw_only=True, eq=False, repr=False)
class ResNetClassifier(ResNetBase, LearnsClasses):
    """A residual network that learns classes: :class:`ResNetBase` and :class:`LearnsClasses`."""


@dataclass(kw_only=True, eq=False, repr=False)
class ResNetRegressor(ResNetBase, LearnsNumbers):
    """A residual network that learns numbers: :class:`ResNetBase` and :class:`LearnsNumbers`."""


def spec_of(depth: int | None) -> ModelSpec:
    """Return the family whose depth is chosen, or given already."""
    given = {} if depth is None else {"depth": depth}

    return ModelSpec(
        build=_built(ResNetClassifier, given),
        params=lambda: [name for name in parameter_names(ResNetClassifier) if name not in given],
        estimator=path_of(ResNetClassifier),
        libraries=("torch",),
        regression=regression_of(ResNetRegressor, _built(ResNetRegressor, given), given=tuple(given)),
        layout="array",
        reads_group=True,
        trusted_types=(path_of(ResNetClassifier), path_of(ResNetRegressor)),
        checks=((path_of(ResNetRegressor), check_numbers),),
    )


def _built(kind: Callable[..., _Kind], given: Mapping[str, object]) -> Callable[..., _Kind]:
    """Return what builds an estimator of a class, some parameters given already."""

    def build(**params: object) -> _Kind:
        return kind(**{**given, **params})

    return build


SPEC = spec_of(None)
