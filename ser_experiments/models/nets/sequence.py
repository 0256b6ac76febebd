"""Networks over time: what they share beside the training loop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ser_experiments.models.nets.checks import is_int, require
from ser_experiments.models.nets.estimator import TorchEstimator

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(kw_only=True, eq=False, repr=False)
class SequenceEstimator(TorchEstimator):
    """A network over time: trained on cuts with masks, asked about whole utterances.

    Parameters
    ----------
    crop_frames : int or None, default=128
        Frames of a cut in training, at a new place each epoch; None for whole utterances.
    time_masks, time_mask_frames : int, default=1, 16
        SpecAugment's stretches of frames in a cut, and the most frames that one hides.
    column_masks, column_mask_width : int, default=1, 8
        The same across columns, the bands of a spectrogram.
    """

    crop_frames: int | None = 128
    time_masks: int = 1
    time_mask_frames: int = 16
    column_masks: int = 1
    column_mask_width: int = 8

    @property
    def crop_size(self) -> int | None:
        """How many frames a cut has; None takes the whole."""
        return self.crop_frames

    def augment(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Return the batch with stretches of frames and columns hidden."""
        from ser_experiments.models.nets.augment import mask_spectrogram

        return mask_spectrogram(
            x,
            generator,
            time_masks=self.time_masks,
            time_width=self.time_mask_frames,
            column_masks=self.column_masks,
            column_width=self.column_mask_width,
        )

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.crop_frames is not None:
            require("crop_frames", self.crop_frames, "an int of at least 1 or None", is_int(self.crop_frames, 1))
        for name in ("time_masks", "time_mask_frames", "column_masks", "column_mask_width"):
            require(name, getattr(self, name), "an int of at least 0", is_int(getattr(self, name), 0))
