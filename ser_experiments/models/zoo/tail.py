"""Fine-tuning of an encoder from a layer up: its frames are in the table, the blocks above them are trained."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.reference import EncoderRef
from ser_experiments.models.nets.checks import is_fraction, is_int, is_number, require
from ser_experiments.models.nets.classes import LearnsClasses
from ser_experiments.models.nets.clips import Clips
from ser_experiments.models.nets.estimator import parameter_names
from ser_experiments.models.nets.numbers import LearnsNumbers, check_numbers, path_of, regression_of
from ser_experiments.models.nets.sequence import SequenceEstimator
from ser_experiments.models.spec import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ser_experiments.features.extractor import Extractor
    from ser_experiments.models.nets.batches import Loader


@dataclass(kw_only=True, eq=False, repr=False)
class TailBase(SequenceEstimator):
    """The blocks of an encoder above a layer and a classifier; see :class:`SequenceEstimator` for the rest.

    It takes the hidden states of one layer, such as ``encoder/frames_2``, runs the blocks above it, pools by attentive
    statistics and classifies. The blocks are trained, or low-rank matrices beside their projections. What lies below
    the layer is frozen, and has been computed once. A fitted one keeps what it learned and a reference to the encoder,
    whose weights it needs to answer.

    Parameters
    ----------
    encoder : EncoderRef, str or None, default=None
        The encoder; an experiment fills it from its feature set. ``spec.build`` takes a folder or an id of the hub.
    layer : int, default=0
        The hidden state that the frames are of; an experiment fills it. 0 is what the first block takes, so that all
        blocks can be trained and only what stands before them is frozen.
    blocks : int, default=2
        Blocks above the layer that are run and trained; 0 leaves the classifier alone, and needs no encoder.
    rank : int, default=8
        Of the matrices that are trained beside projections (LoRA); 0 trains the blocks themselves.
    lr : float, default=1e-3
        Learning rate of the classifier.
    blocks_lr : float, default=5e-4
        Learning rate of what is trained of the uppermost block; a tenth suits ``rank = 0``.
    layer_decay : float, default=0.8
        Each block below has that part of the learning rate of the one above.
    frozen_epochs : int, default=1
        Epochs in which the classifier learns alone, so that its first errors do not spoil the blocks.
    dropout : float, default=0.5
        Part of the pooled features that is dropped in training.
    """

    encoder: EncoderRef | str | None = None
    layer: int = 0
    blocks: int = 2
    rank: int = 8
    lr: float = 1e-3
    blocks_lr: float = 5e-4
    layer_decay: float = 0.8
    frozen_epochs: int = 1
    warmup_epochs: float = 1.0
    dropout: float = 0.5
    n_epochs: int = 12
    patience: int = 4
    time_masks: int = 0
    column_masks: int = 0

    #: Attention over a clip grows with the square of its frames: half a minute at most, as the encoders were trained.
    limits: ClassVar[dict[str, int]] = {"window_frames": 1500, "batch_frames": 4096}

    def _network(self, n_columns: int, n_outputs: int) -> nn.Module:
        from ser_experiments.features.encoders.upper import load_upper
        from ser_experiments.models.nets.tail import TunedTail

        upper = None
        if self.blocks:
            checkpoint = self._reference().found()
            if checkpoint.width != n_columns:
                raise InputError(
                    f"frames have {n_columns} columns, hidden states of encoder {checkpoint.path} {checkpoint.width}; "
                    "name the frames of one of its layers"
                )
            upper = copy.deepcopy(load_upper(checkpoint, self.layer, self.layer + self.blocks))
        return TunedTail(n_columns, n_outputs, upper=upper, rank=self.rank, dropout=self.dropout)

    def _reference(self) -> EncoderRef:
        if isinstance(self.encoder, EncoderRef):
            return self.encoder
        require("encoder", self.encoder, _ENCODER, isinstance(self.encoder, str))
        return EncoderRef.to(str(self.encoder))

    def _scaling(self, clips: Clips, rows: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        mean, scale = super()._scaling(clips, rows)
        # Blocks take hidden states as they are; what they give is scaled behind them.
        return (np.zeros_like(mean), np.ones_like(scale)) if self.blocks else (mean, scale)

    def _prepare(self, network: Any, loader: Loader, rows: NDArray[np.intp]) -> None:
        import torch

        if self.blocks:
            network.measure_states(loader, torch.from_numpy(rows))

    def kept(self, network: Any) -> dict[str, Tensor]:
        """Return what was learned, without the encoder's own weights."""
        return dict(network.own_state())

    def _restored(self, state: dict[str, Tensor], n_columns: int) -> nn.Module:
        network = self._network(n_columns, self._n_outputs)
        network.load_state_dict(state, strict=False)
        return network

    def parameter_groups(self, network: Any) -> list[dict[str, Any]]:
        """Return the parameters with their rates, which fall from the head down."""
        from ser_experiments.models.nets.training import by_decay

        groups = by_decay(network.head_parameters(), self.weight_decay)
        share = self.blocks_lr / self.lr
        for below, part in enumerate(reversed(network.by_block)):
            groups += by_decay(part, self.weight_decay, share * self.layer_decay**below)
        return groups

    def begin_epoch(self, network: Any, epoch: int) -> None:
        """Let the blocks learn from the epoch on that asks for it."""
        network.train_blocks(epoch >= self.frozen_epochs)

    def _validate_params(self) -> None:
        super()._validate_params()
        for name in ("layer", "blocks", "rank", "frozen_epochs"):
            require(name, getattr(self, name), "an int of at least 0", is_int(getattr(self, name), 0))
        for name in ("lr", "blocks_lr"):
            value = getattr(self, name)
            require(name, value, "a number above 0", is_number(value) and 0 < value < math.inf)
        decay = self.layer_decay
        require("layer_decay", decay, "above 0 and at most 1", is_number(decay) and 0 < decay <= 1)
        require("dropout", self.dropout, "at least 0 and below 1", is_fraction(self.dropout))
        if self.blocks:
            checkpoint = self._reference().found()
            most = checkpoint.n_layers - self.layer
            require(
                "blocks",
                self.blocks,
                f"at most {most} above layer {self.layer} of {checkpoint.path}",
                self.blocks <= most,
            )


@dataclass(kw_only=True, eq=False, repr=False)
class TailClassifier(TailBase, LearnsClasses):
    """The upper part of an encoder that learns classes: :class:`TailBase` and :class:`LearnsClasses`."""


@dataclass(kw_only=True, eq=False, repr=False)
class TailRegressor(TailBase, LearnsNumbers):
    """The upper part of an encoder that learns numbers: :class:`TailBase` and :class:`LearnsNumbers`."""


_ENCODER = "an encoder: a folder, an id of the hub or what an experiment takes from its set 'encoder'"


def build(**params: Any) -> TailClassifier:
    """Build the classifier; an encoder that is given by name is pinned to its weights."""
    return TailClassifier(**_pinned(params))


def build_regressor(**params: Any) -> TailRegressor:
    """Build the regressor, as :func:`build` does the classifier."""
    return TailRegressor(**_pinned(params))


def _pinned(params: dict[str, Any]) -> dict[str, Any]:
    given = params.get("encoder")
    return {**params, "encoder": EncoderRef.to(given)} if isinstance(given, str) else params


def _from_features(outputs: Sequence[Extractor]) -> Mapping[str, object]:
    """Return encoder and layer of the frames that a definition names."""
    assets = [one.measure.needs.assets.get("model") for one in outputs]
    if len(outputs) != 1 or outputs[0].layout != "array" or not isinstance(assets[0], Checkpoint):
        named = ", ".join(repr(one.name) for one in outputs[:3])
        raise InputError(
            f"model: 'tail' takes the frames of one layer of an encoder, got {named or 'no feature set'}; say e.g. "
            "sets = ['encoder/frames_2']"
        )
    pinned = str(outputs[0].measure.params["model"])
    layer = int(outputs[0].output.name.rpartition("_")[2])
    return {"encoder": EncoderRef(assets[0].digest, pinned), "layer": layer}


SPEC = ModelSpec(
    build=build,
    params=lambda: parameter_names(TailClassifier),
    estimator=path_of(TailClassifier),
    libraries=("torch", "transformers"),
    regression=regression_of(TailRegressor, build_regressor),
    layout="array",
    reads_group=True,
    takes_normalized=False,
    from_features=_from_features,
    trusted_types=(
        path_of(TailClassifier),
        path_of(TailRegressor),
        "ser_experiments.features.encoders.reference.EncoderRef",
    ),
    checks=((path_of(TailRegressor), check_numbers),),
)
