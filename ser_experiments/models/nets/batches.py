"""Clips to tensors: gathered, cut, normalised, masked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ser_experiments.models.nets import clips as _clips
from ser_experiments.models.nets.clips import Clips
from ser_experiments.models.nets.layers import valid_frames

#: Frames of one batch at prediction, padding included: bounds the memory whatever the utterances' lengths.
BATCH_FRAMES = 16_384
#: Longer utterances are answered in windows of at most this many frames, two minutes at 10 ms.
WINDOW_FRAMES = 12_000


class Loader:
    """Gather pieces of clips as normalised float32 batches on a device.

    Frames that are in memory anyway, or fit ``clips.RESIDENT_BYTES``, are held on the device; others are read batch by
    batch from where they lie. Both give the same numbers.

    Parameters
    ----------
    clips : Clips
        What to read.
    mean, scale : ndarray of shape (n_columns,)
        Subtracted from, then divided into, every frame.
    device : torch.device
        Where batches are wanted.
    window_frames, batch_frames : int, optional
        Instead of :data:`WINDOW_FRAMES` and :data:`BATCH_FRAMES`.
    """

    def __init__(
        self,
        clips: Clips,
        mean: NDArray[np.float32],
        scale: NDArray[np.float32],
        device: torch.device,
        *,
        window_frames: int | None = None,
        batch_frames: int | None = None,
    ) -> None:
        self._clips, self._device = clips, device
        self._window_frames = window_frames or WINDOW_FRAMES
        self._batch_frames = batch_frames or BATCH_FRAMES
        self._lengths = torch.from_numpy(clips.lengths)
        self._mean = torch.from_numpy(mean).to(device)
        self._factor = torch.from_numpy(1.0 / scale).to(device)
        self._frames: Tensor | None = None
        if clips.is_table or clips.n_bytes <= _clips.RESIDENT_BYTES:
            # A copy only where the caller's array is read-only, which torch cannot wrap.
            self._frames = torch.from_numpy(np.require(clips.frames(), requirements=["C", "W"])).to(device)
            self._offsets = torch.from_numpy(np.cumsum(clips.lengths) - clips.lengths)

    def gather(self, rows: Tensor, starts: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the pieces of some clips.

        Parameters
        ----------
        rows, starts, lengths : int64 tensors of shape (n_pieces,) on the CPU
            Which clip, from which frame, how many frames.

        Returns
        -------
        x : float32 tensor of shape (n_pieces, max(lengths), n_columns)
            Zero past the end of a shorter piece.
        lengths : int64 tensor of shape (n_pieces,) or None
            On the device; None where all are equally long.
        """
        size = int(lengths.max())
        pick = self._read if self._frames is None else self._select
        x = pick(rows, starts, lengths, size).float().sub_(self._mean).mul_(self._factor)
        if bool((lengths == size).all()):
            return x, None
        lengths = lengths.to(self._device)
        return x.mul_(valid_frames(lengths, size)[..., None]), lengths

    def _select(self, rows: Tensor, starts: Tensor, lengths: Tensor, size: int) -> Tensor:
        assert self._frames is not None
        first = (self._offsets[rows] + starts)[:, None]
        index = torch.minimum(first + torch.arange(size), first + lengths[:, None] - 1).flatten()
        return self._frames.index_select(0, index.to(self._device)).view(len(rows), size, -1)

    def _read(self, rows: Tensor, starts: Tensor, lengths: Tensor, size: int) -> Tensor:
        batch = np.zeros((len(rows), size, self._clips.n_columns), dtype=self._clips.dtype)
        for piece, (row, start, length) in enumerate(
            zip(rows.tolist(), starts.tolist(), lengths.tolist(), strict=True)
        ):
            batch[piece, :length] = self._clips.read(row, start, start + length)
        return torch.from_numpy(batch).to(self._device)

    def crops(self, rows: Tensor, size: int | None, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return clips cut at random places to at most `size` frames (None: whole)."""
        lengths = self._lengths[rows]
        if size is None:
            return self.gather(rows, torch.zeros_like(lengths), lengths)
        kept = lengths.clamp(max=size)
        places = torch.rand(len(rows), generator=generator, dtype=torch.float64)
        return self.gather(rows, (places * (lengths - kept + 1)).long(), kept)

    def whole(self, rows: NDArray[np.intp]) -> Iterator[tuple[NDArray[np.intp], Tensor, Tensor | None]]:
        """Yield whole clips in batches of similar length.

        Yields
        ------
        places : ndarray of shape (n_pieces,)
            The position in `rows` of each piece; a clip of more than a window's frames comes in equal windows.
        x, lengths
            As :meth:`gather` returns them.
        """
        total = self._clips.lengths[rows]
        windows = -(-total // self._window_frames)
        places = np.repeat(np.arange(len(rows)), windows)
        number = np.arange(len(places)) - np.repeat(np.cumsum(windows) - windows, windows)
        starts = number * total[places] // windows[places]
        lengths = (number + 1) * total[places] // windows[places] - starts
        order = np.argsort(-lengths, kind="stable")
        done = 0
        while done < len(order):
            batch = order[done : done + max(1, self._batch_frames // int(lengths[order[done]]))]
            wanted = (rows[places[batch]], starts[batch], lengths[batch])
            yield places[batch], *self.gather(*(torch.from_numpy(np.asarray(part)) for part in wanted))
            done += len(batch)
