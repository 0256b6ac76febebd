"""Hidden states of a network of transformers, taken where they arise: at its blocks, whatever a version returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch
    from torch import nn


class Blocks:
    """A network and the list of its blocks.

    Parameters
    ----------
    network : Module
        Takes keyword arguments; its encoder runs through ``layers``.
    blocks : ModuleList
        ``network.encoder.layers``.
    """

    def __init__(self, network: nn.Module, blocks: nn.ModuleList) -> None:
        self._network: Any = network
        self._all = blocks

    def tensor(self, values: NDArray[np.float32]) -> torch.Tensor:
        """Return values where the network is, of its type."""
        import torch

        weight = next(self._network.parameters())
        return torch.from_numpy(values).to(device=weight.device, dtype=weight.dtype)

    def states(self, given: Mapping[str, torch.Tensor], last: int) -> list[torch.Tensor]:
        """Return what goes into the first block and what each block up to `last` gives; no other block is computed."""
        states: list[torch.Tensor] = []

        def before(_: nn.Module, inputs: Any, keywords: Any) -> None:
            # Networks go on in place.
            states.append((inputs[0] if inputs else keywords["hidden_states"]).clone())

        def after(_: nn.Module, __: Any, output: Any) -> None:
            states.append((output[0] if isinstance(output, tuple) else output).clone())

        few = self._all[: max(1, last)]
        hooks = [few[0].register_forward_pre_hook(before, with_kwargs=True)]
        hooks += [block.register_forward_hook(after) for block in few]
        self._network.encoder.layers = few
        try:
            self._network(**given)
        finally:
            self._network.encoder.layers = self._all
            for hook in hooks:
                hook.remove()
        return states[: last + 1]
