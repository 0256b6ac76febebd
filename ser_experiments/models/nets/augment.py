"""What is done to a batch in training only."""

from __future__ import annotations

import torch
from torch import Tensor


def mask_spectrogram(
    x: Tensor, generator: torch.Generator, *, time_masks: int, time_width: int, column_masks: int, column_width: int
) -> Tensor:
    """Replace random stretches of frames and of columns by their mean over the corpus, which is zero here.

    Parameters
    ----------
    x : tensor of shape (n_clips, n_frames, n_columns)
        Normalised frames; changed in place.
    generator : torch.Generator
        On the CPU, so that the draws are the same on every device.
    time_masks, column_masks : int
        Stretches in each clip.
    time_width, column_width : int
        The most frames, columns, that one stretch hides; its width is drawn uniformly from zero on.

    References
    ----------
    Park et al. (2019), SpecAugment: a simple data augmentation method for automatic speech recognition, Interspeech.
    """
    keep_frames = _kept(x.shape[0], x.shape[1], time_masks, time_width, generator)
    if keep_frames is not None:
        x.mul_(keep_frames[:, :, None].to(x.device))
    keep_columns = _kept(x.shape[0], x.shape[2], column_masks, column_width, generator)
    if keep_columns is not None:
        x.mul_(keep_columns[:, None, :].to(x.device))
    return x


def _kept(n_clips: int, size: int, n_masks: int, width: int, generator: torch.Generator) -> Tensor | None:
    """Return what no stretch hides, bool of shape (n_clips, size)."""
    width = min(width, size - 1)
    if n_masks == 0 or width < 1:
        return None
    draws = torch.rand(2, n_clips, n_masks, 1, generator=generator)
    widths = (draws[0] * (width + 1)).floor()
    starts = (draws[1] * (size - widths + 1)).floor()
    places = torch.arange(size)
    return ~((places >= starts) & (places < starts + widths)).any(dim=1)
