"""A small convolutional network over log-mel frames."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ser_experiments.models.nets.layers import AttentivePool, shorten, silence_padding


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, ReLU and, where asked, a 2 x 2 maximum.

    Every step keeps ceil(n / stride) frames and columns, so that any input is large enough.
    """

    def __init__(self, n_in: int, n_out: int, *, kernel: int = 3, stride: int = 1, pool: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(n_out)
        self.stride, self.pool = stride, pool

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the block's output and how many of its frames count."""
        x, lengths = self.conv(x), shorten(lengths, self.stride)
        x = silence_padding(nn.functional.relu(self.norm(x)), lengths)
        if self.pool > 1:
            # What is past the end is zero and nothing is negative: the maximum of a half-filled window is its own.
            x, lengths = nn.functional.max_pool2d(x, self.pool, ceil_mode=True), shorten(lengths, self.pool)
        return x, lengths


class SmallCNN(nn.Module):
    """Four convolutional layers, the first of them narrow and strided, and attention over time.

    Parameters
    ----------
    n_columns : int
        Bands of the spectrogram.
    n_outputs : int
        Scores, or numbers, to answer.
    widths : sequence of int
        Channels of each layer.
    dropout : float
        Part of the pooled features that is dropped in training.
    """

    def __init__(self, n_columns: int, n_outputs: int, *, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        blocks, n_in, bands = [], 1, n_columns
        for number, width in enumerate(widths):
            kernel, stride = (5, 2) if number == 0 else (3, 1)
            pool = 1 if number == len(widths) - 1 else 2
            blocks.append(ConvBlock(n_in, width, kernel=kernel, stride=stride, pool=pool))
            bands = -(-bands // (stride * pool))
            n_in = width
        self.blocks = nn.ModuleList(blocks)
        self.pool = AttentivePool(n_in * bands)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * n_in * bands, n_outputs)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Score clips of shape (n_clips, n_frames, n_columns)."""
        x = x.unsqueeze(1)
        for block in self.blocks:
            x, lengths = block(x, lengths)
        features = x.permute(0, 2, 1, 3).flatten(2)
        return self.head(self.dropout(self.pool(features, lengths)))
