"""One pass of an encoder over recordings: cut what is too long, batch what is alike, pool what is asked for."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.device import device_kind
from ser_experiments.features.encoders.summaries import summary_of
from ser_experiments.features.measure import Array, Audio, Opened

if TYPE_CHECKING:
    from ser_experiments.features.encoders.family import Net

log = logging.getLogger(__name__)
#: Seconds of audio in a batch, padding included: enough to keep two cores or a GPU busy, little enough to hold.
BATCH_S = {"cpu": 20.0, "cuda": 240.0}


@dataclass(frozen=True)
class Listening:
    """How an encoder listens: the opener of its measure.

    Parameters
    ----------
    path : str
        The folder of the checkpoint.
    precision : {"float32", "bfloat16"}
        What it computes in.
    window_s, overlap_s : float
        Longer recordings are cut into windows that overlap, and each frame counts once.
    silence_s : float
        Silence that the encoder hears behind a recording; its frames do not count.
    """

    path: str
    precision: str
    window_s: float
    overlap_s: float
    silence_s: float

    def __call__(self) -> Opened:
        """Load the encoder onto this process's device."""
        import torch

        from ser_experiments.features.encoders.loading import load_network, open_net

        checkpoint = Checkpoint(self.path)
        device = torch.device(device_kind())
        network = load_network(checkpoint, getattr(torch, self.precision), device)
        return Listener(open_net(checkpoint, network), checkpoint, self, device.type)


class _Piece(NamedTuple):
    """A window of a clip: its place among all windows, the clip's, its samples, and what of it counts.

    `own` samples are of the recording, with silence behind them; frames count from `first` to `end`.
    """

    number: int
    clip: int
    samples: Audio
    own: int
    first: int
    end: int


class Listener:
    """An open encoder.

    Parameters
    ----------
    net : Net
        The network.
    checkpoint : Checkpoint
        Where it came from.
    how : Listening
        How it listens.
    device : str
        ``"cpu"`` or ``"cuda"``.
    """

    def __init__(self, net: Net, checkpoint: Checkpoint, how: Listening, device: str) -> None:
        self.net = net
        self._how = how
        self._rate = checkpoint.sample_rate
        self._n_layers = checkpoint.n_layers
        self._batch = round(BATCH_S[device] * self._rate)
        self._said_short = False

    def __call__(self, clips: Sequence[Audio], numbers: Sequence[int]) -> list[list[Array]]:
        """Listen to clips; return of each the outputs of those numbers.

        What a number stands for says :func:`ser_experiments.features.encoders.summaries.summary_of`.
        """
        import torch

        wanted = [summary_of(number, self._n_layers + 1) for number in numbers]
        layers = sorted({layer for _, layer in wanted})
        windows = [(clip, *window) for clip, audio in enumerate(clips) for window in self._windows(audio)]
        pieces = [_Piece(number, *window) for number, window in enumerate(windows)]
        found: dict[int, list[Array]] = {}
        # A GPU would convolve with ten bits of mantissa, and answer other numbers than a CPU.
        with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
            for batch in self._batches(pieces):
                hidden = self.net.states([one.samples for one in batch], [one.own for one in batch], layers[-1])
                spans = [(piece.first, piece.end) for piece in batch]
                for summary, layer in wanted:
                    for piece, known in zip(batch, summary.of(hidden[layer], spans), strict=True):
                        found.setdefault(piece.number, []).append(known)
        by_clip: list[list[_Piece]] = [[] for _ in clips]
        for piece in pieces:
            by_clip[piece.clip].append(piece)
        return [
            [
                summary.joined(
                    [found[piece.number][place] for piece in own], [piece.end - piece.first for piece in own]
                )
                for place, (summary, _) in enumerate(wanted)
            ]
            for own in by_clip
        ]

    def _windows(self, clip: Audio) -> Iterator[tuple[Audio, int, int, int]]:
        """Yield the samples of each window of a clip, how many are its own, the first and end of what frames count."""
        net, how = self.net, self._how
        window = round(how.window_s * self._rate)
        window = min(window, net.most or window) // net.stride * net.stride
        clip = net.ready(clip)
        if len(clip) < net.least:
            self._say_short(len(clip))
            clip = np.pad(clip, (0, net.least - len(clip)))
        if len(clip) <= window:
            silence = min(round(how.silence_s * self._rate), (net.most or window) - len(clip))
            yield np.pad(clip, (0, max(0, silence))), len(clip), 0, net.n_frames(len(clip))
            return
        # Half an overlap belongs to either window; both ends of the recording to the outer ones.
        half = min(round(how.overlap_s * self._rate), window // 2) // (2 * net.stride)
        step = window - 2 * half * net.stride
        for start in range(0, len(clip), step):
            samples = clip[start : start + window]
            last = start + window >= len(clip)
            end = net.n_frames(len(samples)) if last else window // net.stride - half
            yield samples, len(samples), half if start else 0, end
            if last:
                return

    def _batches(self, pieces: Sequence[_Piece]) -> Iterator[list[_Piece]]:
        """Yield pieces of like length in batches; of one length only, where others would change the numbers."""
        batch: list[_Piece] = []
        for piece in sorted(pieces, key=lambda piece: -len(piece.samples)):
            longest = len(batch[0].samples) if batch else 0
            full = longest * (len(batch) + 1) > self._batch
            if batch and (full or (not self.net.mixes and len(piece.samples) != longest)):
                yield batch
                batch = []
            batch.append(piece)
        if batch:
            yield batch

    def _say_short(self, n_samples: int) -> None:
        if not self._said_short:
            self._said_short = True
            log.warning(
                "encoder: a recording of %.3f s is shorter than the %.3f s that the network needs; silence is added "
                "(said once)",
                n_samples / self._rate,
                self.net.least / self._rate,
            )
