"""What a family of encoders is: how its checkpoints are read, built and fed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ser_experiments import plugins
from ser_experiments.errors import InputError, nearest
from ser_experiments.features.measure import Audio

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ser_experiments.features.encoders.upper import Upper

FAMILIES = "ser_experiments.features.encoders.families"


class Net(Protocol):
    """A network with its weights, ready to listen.

    Attributes
    ----------
    least : int
        The fewest samples it takes.
    most : int or None
        The most samples of a pass; None where memory alone limits them.
    stride : int
        Samples from one frame to the next.
    mixes : bool
        Whether clips of different lengths may stand in one batch without changing each other's numbers.
    """

    least: int
    most: int | None
    stride: int
    mixes: bool

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames it gives of so many samples."""
        ...

    def ready(self, clip: Audio) -> Audio:
        """Return a whole recording as its samples are listened to, normalised where the family does so."""
        ...

    def states(self, clips: Sequence[Audio], own: Sequence[int], last: int) -> list[torch.Tensor]:
        """Return the hidden states 0 to `last` of a batch, each of shape (n_clips, n_frames, width), padding behind.

        Of each clip the first `own` samples are of a recording, and silence was put behind them: what is normalised
        here is normalised by those alone.
        """
        ...


@dataclass(frozen=True)
class Family:
    """One family of encoders.

    Parameters
    ----------
    model_types : tuple of str
        ``model_type`` of the configurations that it reads.
    build : callable
        Takes a configuration as a mapping and returns the encoder alone, as transformers has it, without weights.
    prefixes : tuple of str
        What the names of the encoder's tensors may begin with in a checkpoint; what is longest is tried first.
    heads : tuple of str
        Regular expressions of tensors of a checkpoint that the encoder does not need, after the prefix.
    renamed : callable
        Takes the name of a tensor after the prefix and returns what the network calls it.
    open : callable
        Takes the network with its weights, the configuration and that of the feature extractor; returns a :class:`Net`.
    sizes : callable
        Takes a configuration and returns the number of blocks and the width of a hidden state.
    upper : callable, optional
        Takes the network with its weights and two layers; returns the blocks that lead from the one to the other as an
        :class:`~ser_experiments.features.encoders.upper.Upper`. Without it they cannot be trained by themselves.
    """

    model_types: tuple[str, ...]
    build: Callable[[Mapping[str, Any]], nn.Module]
    open: Callable[[nn.Module, Mapping[str, Any], Mapping[str, Any]], Net]
    sizes: Callable[[Mapping[str, Any]], tuple[int, int]]
    prefixes: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    renamed: Callable[[str], str] = lambda name: name
    upper: Callable[[Any, int, int], Upper] | None = None


def family_of(model_type: object, where: str) -> Family:
    """Return the family of a configuration's ``model_type``.

    Raises
    ------
    InputError
        No family reads it; `where` begins the message.
    """
    known = _families()
    if not isinstance(model_type, str) or model_type not in known:
        raise InputError(
            f"{where}: model_type {model_type!r} is no speech encoder that can be read{nearest(str(model_type), known)}"
        )
    return known[model_type]


@plugins.remembered
def _families() -> dict[str, Family]:
    """Return the families by ``model_type``, those of the project's ``plugins/`` folder among them."""
    found = [module.FAMILY for _, module in plugins.each(FAMILIES, "encoder family", holds="FAMILY")]
    return {model_type: family for family in found for model_type in family.model_types}
