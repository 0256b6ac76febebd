"""Learnt weights over the layers of an encoder, and attention over time."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ser_experiments.models.nets.checks import is_fraction, is_int, is_number, require
from ser_experiments.models.nets.classes import LearnsClasses
from ser_experiments.models.nets.estimator import parameter_names
from ser_experiments.models.nets.numbers import LearnsNumbers, check_numbers, path_of, regression_of
from ser_experiments.models.nets.sequence import SequenceEstimator
from ser_experiments.models.report import FitReport
from ser_experiments.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class AttentionBase(SequenceEstimator):
    """A network over layers and time; see :class:`SequenceEstimator` for what is not said here.

    It takes one column of arrays over time, or several with as many frames and columns each, such as
    ``encoder/frames`` of several layers. Each is normalised by its own mean and deviation first, so that the weights of
    the layers can be compared.

    Parameters
    ----------
    hidden : int, default=128
        Units of the projection before the pooling; 0 for none.
    dropout : float, default=0.5
        Part of a clip's columns and of the pooled features that is dropped in training.
    layers_lr : float, default=0.03
        Learning rate of the layers' scores: they are few and have far to go from equal weights.
    """

    hidden: int = 128
    dropout: float = 0.5
    layers_lr: float = 0.03
    column_masks: int = 0

    takes_several: ClassVar[bool] = True

    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        from ser_experiments.models.nets.attention import LayerAttention

        return LayerAttention(
            n_columns, n_outputs, n_layers=len(self.arrays_), hidden=self.hidden, dropout=self.dropout
        )

    def parameter_groups(self, network: nn.Module) -> list[dict[str, Any]]:
        """Return the parameters with their rates; the scores of layers have one of their own, and no decay."""
        from ser_experiments.models.nets.training import by_decay

        scores = [network.layer_scores]
        others = [one for one in network.parameters() if one is not network.layer_scores]
        share = self.layers_lr / self.lr
        return [*by_decay(others, self.weight_decay), *by_decay(scores, 0.0, share)]  # type: ignore[arg-type]

    @property
    def layer_weights_(self) -> dict[str, float]:
        """The weight of each column of arrays; they sum to 1."""
        scores = self.weights_.get("layer_scores", np.zeros(len(self.arrays_))).astype(np.float64)
        weights = np.exp(scores - scores.max())
        return dict(zip(map(str, self.arrays_), map(float, weights / weights.sum()), strict=True))

    @property
    def fit_report_(self) -> FitReport:
        """What the last fit reports, with the weights of layers where there are several."""
        several = len(self.arrays_) > 1
        return replace(super().fit_report_, layer_weights=self.layer_weights_ if several else {})

    def _validate_params(self) -> None:
        super()._validate_params()
        require("hidden", self.hidden, "an int of at least 0", is_int(self.hidden, 0))
        require("dropout", self.dropout, "at least 0 and below 1", is_fraction(self.dropout))
        lr = self.layers_lr
        require("layers_lr", lr, "a number above 0", is_number(lr) and 0 < lr < math.inf)


@dataclass(kw_only=True, eq=False, repr=False)
class AttentionClassifier(AttentionBase, LearnsClasses):
    """A network over layers and time that learns classes: :class:`AttentionBase` and :class:`LearnsClasses`."""


@dataclass(kw_only=True, eq=False, repr=False)
class AttentionRegressor(AttentionBase, LearnsNumbers):
    """A network over layers and time that learns numbers: :class:`AttentionBase` and :class:`LearnsNumbers`."""


SPEC = ModelSpec(
    build=AttentionClassifier,
    params=lambda: parameter_names(AttentionClassifier),
    estimator=path_of(AttentionClassifier),
    libraries=("torch",),
    regression=regression_of(AttentionRegressor),
    layout="array",
    reads_group=True,
    trusted_types=(path_of(AttentionClassifier), path_of(AttentionRegressor)),
    checks=((path_of(AttentionRegressor), check_numbers),),
)
