"""Residual networks for one-channel log-mel input of any length.

References
----------
He, Zhang, Ren, Sun (2016), Deep residual learning for image recognition, CVPR; the layout of Table 1.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ser_experiments.models.nets.layers import shorten, silence_padding, valid_frames


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or n_in != n_out:
            self.shortcut = nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False), nn.BatchNorm2d(n_out))

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the block's output and how many of its frames count."""
        lengths = shorten(lengths, self.stride)
        y = silence_padding(nn.functional.relu(self.norm1(self.conv1(x))), lengths)
        y = nn.functional.relu(self.norm2(self.conv2(y)) + self.shortcut(x))
        return silence_padding(y, lengths), lengths


class ResNet(nn.Module):
    """A residual network with an average over frames and bands before its last layer.

    Parameters
    ----------
    n_outputs : int
        Scores, or numbers, to answer.
    depths : sequence of int
        Blocks of each of the four stages: (2, 2, 2, 2) is ResNet-18, (3, 4, 6, 3) ResNet-34.
    width : int
        Channels of the first stage (64 in the paper); each later stage has twice those before it.
    dropout : float
        Part of the pooled features that is dropped in training.
    """

    def __init__(self, n_outputs: int, *, depths: Sequence[int], width: int, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks, n_in = [], width
        for stage, depth in enumerate(depths):
            n_out = width * 2**stage
            for number in range(depth):
                blocks.append(BasicBlock(n_in, n_out, stride=2 if stage and not number else 1))
                n_in = n_out
        self.blocks = nn.ModuleList(blocks)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_in, n_outputs)
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, BasicBlock):
                # Each block starts as its shortcut, which lets a plain learning rate train many of them.
                nn.init.zeros_(module.norm2.weight)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Score clips of shape (n_clips, n_frames, n_columns)."""
        lengths = shorten(lengths, 2)
        x = silence_padding(nn.functional.relu(self.norm(self.conv(x.unsqueeze(1)))), lengths)
        x, lengths = nn.functional.max_pool2d(x, 2, ceil_mode=True), shorten(lengths, 2)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        return self.head(self.dropout(_mean(x, lengths)))


def _mean(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Average the frames that are no padding, and the bands; shape (n_clips, n_channels)."""
    frames = x.mean(dim=3)
    if lengths is None:
        return frames.mean(dim=2)
    mask = valid_frames(lengths, x.shape[2])[:, None]
    return (frames * mask).sum(dim=2) / lengths[:, None]
