"""What the residual families share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ser_experiments.models.nets.sequence import SequenceClassifier

if TYPE_CHECKING:
    from torch import nn


@dataclass(kw_only=True, eq=False, repr=False)
class ResidualClassifier(SequenceClassifier):
    """A residual network over time; see :class:`SequenceClassifier` for what is not said here.

    Parameters
    ----------
    width : int, default=64
        Channels of the first stage, 64 in the paper; 16 suits a CPU.
    dropout : float, default=0.3
        Part of the pooled features that is dropped in training.
    """

    width: int = 64
    dropout: float = 0.3
    optimizer: str = "sgd"
    lr: float = 0.02
    weight_decay: float = 1e-3
    n_epochs: int = 40
    crop_frames: int | None = 192

    _depths: ClassVar[tuple[int, ...]]

    def _network(self, n_columns: int, n_classes: int) -> nn.Module:
        from ser_experiments.models.nets.resnet import ResNet

        return ResNet(n_classes, depths=self._depths, width=self.width, dropout=self.dropout)
