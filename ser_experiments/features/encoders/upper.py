"""The blocks of an encoder above a layer, as a network by itself that can be trained.

What a family's network hands to each of its blocks besides the hidden states is made here again, so that the blocks
give what they give inside the whole encoder.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ser_experiments.errors import InputError

if TYPE_CHECKING:
    from ser_experiments.features.encoders.checkpoint import Checkpoint


class Upper(nn.Module):
    """Blocks that take a mask alone, where a frame is attended to or not: Whisper's.

    Parameters
    ----------
    blocks : iterable of Module
        In order.
    """

    def __init__(self, blocks: Any) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, within: Tensor | None) -> Tensor:
        """Run the blocks.

        Parameters
        ----------
        x : tensor of shape (n_clips, n_frames, width)
            Hidden states of the layer below.
        within : bool tensor of shape (n_clips, n_frames) or None
            Which frames are no padding; None where all are.
        """
        given = self.beside(x, within)
        for block in self.blocks:
            found = block(x, **given)
            x = found[0] if isinstance(found, tuple) else found
        return x

    def beside(self, x: Tensor, within: Tensor | None) -> dict[str, Any]:
        """Return what each block takes beside the hidden states."""
        return {"attention_mask": None if within is None else within[:, None, None]}


class AddedMask(Upper):
    """Blocks whose mask is added to the scores of attention: those of wav2vec 2.0, HuBERT and data2vec."""

    def beside(self, x: Tensor, within: Tensor | None) -> dict[str, Any]:
        """Return the mask that is added to the scores of attention."""
        return {"attention_mask": _added(x, within)}


class SharedPlaces(Upper):
    """Blocks that share what the first block of the whole encoder makes of the distance between frames: WavLM's.

    Parameters
    ----------
    blocks : iterable of Module
        In order.
    places : Module
        The attention of the encoder's first block.
    """

    def __init__(self, blocks: Any, places: nn.Module) -> None:
        super().__init__(blocks)
        self.places: Any = places

    def beside(self, x: Tensor, within: Tensor | None) -> dict[str, Any]:
        """Return the mask and the bias that the first block makes of distances."""
        bias = self.places.compute_bias(x.shape[1], x.shape[1])
        return {
            "attention_mask": None if within is None else within.long(),
            "position_bias": bias.repeat(len(x), 1, 1).to(x.dtype),
        }


class RelativePlaces(Upper):
    """Blocks that take the embeddings of the distance between frames, and mask their convolutions: w2v-BERT's.

    Parameters
    ----------
    blocks : iterable of Module
        In order.
    places : Module or None
        Of the encoder; takes the hidden states.
    """

    def __init__(self, blocks: Any, places: nn.Module | None) -> None:
        super().__init__(blocks)
        self.places = places

    def beside(self, x: Tensor, within: Tensor | None) -> dict[str, Any]:
        """Return the masks of attention and of convolutions, and the embeddings of distances."""
        return {
            "attention_mask": _added(x, within),
            "relative_position_embeddings": None if self.places is None else self.places(x),
            "conv_attention_mask": None if within is None else within.long(),
        }


def _added(x: Tensor, within: Tensor | None) -> Tensor | None:
    """Return zero for frames that are attended to, the least number there is for others."""
    if within is None:
        return None
    return (~within[:, None, None]).to(x.dtype) * torch.finfo(x.dtype).min


def load_upper(checkpoint: Checkpoint, first: int, last: int) -> Upper:
    """Return the blocks that give layers `first` + 1 to `last`, on the CPU, in evaluation mode, without gradients.

    Raises
    ------
    InputError
        The weights cannot be read, or the family cannot be cut there.
    """
    return _loaded(str(checkpoint.path), checkpoint.digest, first, last)


@lru_cache(maxsize=2)
def _loaded(path: str, digest: str, first: int, last: int) -> Upper:
    """Keep what was loaded: a service answers recordings one by one."""
    from ser_experiments.features.encoders.checkpoint import Checkpoint
    from ser_experiments.features.encoders.loading import load_network

    checkpoint = Checkpoint(path)
    family = checkpoint.family
    if family.upper is None:
        raise InputError(f"encoder {path}: its family says of no blocks that could be trained by themselves")
    network = load_network(checkpoint, torch.float32, torch.device("cpu"))
    upper: Upper = family.upper(network, first, last).eval()
    return upper
