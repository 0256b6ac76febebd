"""The upper blocks of a pretrained encoder with a classifier on top, trained together."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ser_experiments.features.encoders.upper import Upper
from ser_experiments.models.nets.batches import Loader
from ser_experiments.models.nets.layers import AttentivePool, valid_frames

#: Projections of a block that get low-rank matrices, whatever the family calls them: those of queries, values and the
#: answer of attention, and those of the feed-forward part. Keys are left alone, as is usual.
_ADAPTED = re.compile(r"(q_proj|v_proj|out_proj|linear_q|linear_v|linear_out|fc1|fc2|intermediate_dense|output_dense)$")


class LowRank(nn.Module):
    """A frozen projection and a product of two narrow matrices that is added to it; it starts as zero.

    Parameters
    ----------
    base : Linear
        The projection.
    rank : int
        Columns of the one, rows of the other.

    References
    ----------
    Hu et al. (2022), LoRA: low-rank adaptation of large language models, ICLR.
    """

    def __init__(self, base: nn.Linear, rank: int) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Parameter(torch.empty(rank, base.in_features))
        self.up = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))

    @property
    def weight(self) -> Tensor:
        """Return the whole matrix, for attention that multiplies with it by itself."""
        return self.base.weight + self.up @ self.down

    @property
    def bias(self) -> Tensor | None:
        """Return the bias of the projection."""
        return self.base.bias

    def forward(self, x: Tensor) -> Tensor:
        """Project `x`."""
        return self.base(x) + (x @ self.down.T) @ self.up.T


class TunedTail(nn.Module):
    """Blocks of an encoder, attentive statistics pooling and a linear classifier.

    Parameters
    ----------
    width : int
        Of a hidden state.
    n_outputs : int
        Scores, or numbers, to answer.
    upper : Upper or None
        The blocks, which are changed here; None for the classifier alone.
    rank : int
        Of the matrices that are trained beside the blocks' own; 0 to train the blocks themselves.
    dropout : float
        Part of the pooled features that is dropped in training.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, n_outputs: int, *, upper: Upper | None, rank: int, dropout: float) -> None:
        super().__init__()
        self.upper = upper
        blocks = [] if upper is None else list(upper.blocks)
        for block in blocks:
            _adapt(block, rank) if rank else block.requires_grad_(requires_grad=True)
        #: What is trained of each block, from the lowest up.
        self.by_block = [[one for one in block.parameters() if one.requires_grad] for block in blocks]
        trained = {id(one) for part in self.by_block for one in part}
        given = {} if upper is None else upper.state_dict(keep_vars=True)
        #: What the encoder's own weights say, so that nobody needs to keep it.
        self.told = {f"upper.{name}" for name, value in given.items() if id(value) not in trained}
        # Hidden states differ a thousandfold between columns: they are brought to one size as a fixed part of the net.
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.pool = AttentivePool(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, n_outputs)

    def head_parameters(self) -> Iterable[nn.Parameter]:
        """Return the parameters of pooling and classifier."""
        return [*self.pool.parameters(), *self.head.parameters()]

    def train_blocks(self, on: bool) -> None:
        """Let the blocks learn from now on, or hold them as they are, without their dropout."""
        for part in self.by_block:
            for one in part:
                one.requires_grad_(on)
        if self.upper is not None:
            self.upper.train(on)

    def states(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return what the blocks give, shape (n_clips, n_frames, width)."""
        if self.upper is None:
            return x
        return self.upper(x, None if lengths is None else valid_frames(lengths, x.shape[1]))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Score clips of shape (n_clips, n_frames, width)."""
        x = (self.states(x, lengths) - self.mean) / self.scale
        return self.head(self.dropout(self.pool(x, lengths)))

    def own_state(self) -> dict[str, Tensor]:
        """Return everything that the encoder does not hold already."""
        return {name: value for name, value in self.state_dict().items() if name not in self.told}

    def measure_states(self, loader: Loader, rows: Tensor) -> None:
        """Take mean and deviation of each column from what the blocks give before they learn."""
        self.eval()
        count, total, squares = 0, torch.zeros(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
        with torch.inference_mode():
            for _, x, lengths in loader.whole(rows.numpy()):
                values = self.states(x, lengths)
                kept = values.flatten(0, 1) if lengths is None else values[valid_frames(lengths, x.shape[1])]
                wide = kept.cpu().double()
                count += len(wide)
                total, squares = total + wide.sum(dim=0), squares + (wide**2).sum(dim=0)
        mean = total / count
        deviation = (squares / count - mean**2).clamp(min=0).sqrt()
        flat = deviation <= 1e-6 * mean.abs().clamp(min=1)
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(flat, 1.0, deviation))


def _adapt(block: nn.Module, rank: int) -> None:
    """Put low-rank matrices beside the projections of a block."""
    found = [(n, m) for n, m in block.named_modules() if isinstance(m, nn.Linear) and _ADAPTED.search(n)]
    for name, projection in found:
        parent, _, last = name.rpartition(".")
        setattr(block.get_submodule(parent), last, LowRank(projection, rank))
