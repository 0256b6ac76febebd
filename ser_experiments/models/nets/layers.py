"""Layers that know where a padded utterance ends, so that its neighbours in a batch do not change its answer.

Arrays over time are of shape (n_clips, n_channels, n_frames, n_columns) inside convolutions and (n_clips, n_frames,
n_features) elsewhere. ``lengths`` holds the true frames of each clip, or is None where none is padded.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def valid_frames(lengths: Tensor, n_frames: int) -> Tensor:
    """Return what is no padding, bool of shape (n_clips, n_frames)."""
    return torch.arange(n_frames, device=lengths.device) < lengths[:, None]


def silence_padding(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Set padded frames of a (n_clips, n_channels, n_frames, n_columns) array to zero.

    A zero is what a convolution itself pads with: done before each convolution, padding a clip changes nothing.
    """
    if lengths is None:
        return x
    return x * valid_frames(lengths, x.shape[2])[:, None, :, None]


def shorten(lengths: Tensor | None, stride: int) -> Tensor | None:
    """Return the lengths after a layer that keeps every `stride`-th frame, the first included."""
    return lengths if lengths is None else (lengths + stride - 1) // stride


def average_blocks(x: Tensor, lengths: Tensor | None, size: int) -> tuple[Tensor, Tensor | None]:
    """Average blocks of `size` frames of a (n_clips, n_frames, n_features) array; the last one may be shorter."""
    if size == 1:
        return x, lengths
    n_clips, n_frames, n_features = x.shape
    missing = -n_frames % size
    counts = x.new_ones(n_clips, n_frames, 1) if lengths is None else valid_frames(lengths, n_frames)[..., None]
    blocks = nn.functional.pad(x * counts, (0, 0, 0, missing)).view(n_clips, -1, size, n_features).sum(dim=2)
    counts = nn.functional.pad(counts.to(x.dtype), (0, 0, 0, missing)).view(n_clips, -1, size, 1).sum(dim=2)
    return blocks / counts.clamp(min=1), shorten(lengths, size)


class AttentivePool(nn.Module):
    """Weigh frames by a learned score and return their weighted mean and standard deviation.

    Takes (n_clips, n_frames, n_features), returns (n_clips, 2 * n_features). Starts as the plain mean.

    References
    ----------
    Okabe, Koshinaka, Shinoda (2018), Attentive statistics pooling for deep speaker embedding, Interspeech.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.score = nn.Linear(n_features, 1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Return weighted means and deviations over the frames that count."""
        scores = self.score(x).float()
        if lengths is not None:
            scores = scores.masked_fill(~valid_frames(lengths, x.shape[1])[..., None], float("-inf"))
        weights = scores.softmax(dim=1).to(x.dtype)
        mean = (weights * x).sum(dim=1)
        variance = (weights * (x - mean[:, None]) ** 2).sum(dim=1)
        # The square root has an infinite slope at zero, where a clip of one frame is.
        return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)
