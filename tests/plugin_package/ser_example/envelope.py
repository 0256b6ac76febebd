"""The loudness of a recording: three outputs of one pass over a batch of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.columns import Column
from ser_experiments.features.measure import LAYERS, OVER_TIME, ROW, Measure, Needs, Opened, Output

RATE = 16_000
FRAME = 160
BANDS = ("level", "change")


def extractor(*, floor: float = 1e-4) -> Measure:
    """Build the set.

    Parameters
    ----------
    floor : float
        Amplitudes below it count as it.
    """
    columns = [Column(f"envelope_{name}__{of}", "dB", f"{of} of {name}") for name in BANDS for of in ("mean", "std")]
    frames = [Column(f"envelope_frame_{name}", "dB", name) for name in BANDS]
    halves = [Column(f"envelope_half_{half}_{name}", "dB", f"mean of {name}") for half in (1, 2) for name in BANDS]
    return Measure(
        name="envelope",
        version="1",
        outputs=(
            Output("functionals", ROW, tuple(columns)),
            Output("frames", OVER_TIME, tuple(frames), dtype="float16"),
            Output("halves", LAYERS, tuple(halves), n_layers=2),
        ),
        open=_Open(floor),
        needs=Needs(sample_rate=RATE, batch_s=10.0),
        params={"floor": floor},
        libraries=("numpy",),
    )


@dataclass(frozen=True)
class _Open:
    """Opens the measure once a process; a network would load its weights here."""

    floor: float

    def __call__(self) -> Opened:
        return lambda clips: measure(clips, self.floor)


def measure(clips: Sequence[NDArray[np.float32]], floor: float) -> list[tuple[NDArray[np.float32], ...]]:
    """Measure clips, mono at 16 kHz, in one pass: the functionals, the frames and the means of both halves."""
    counts = [max(2, -(-len(clip) // FRAME)) for clip in clips]
    padded = np.zeros((len(clips), max(counts) * FRAME), dtype=np.float32)
    for row, clip in zip(padded, clips, strict=True):
        row[: len(clip)] = clip
    power = np.square(padded.reshape(len(clips), -1, FRAME)).mean(axis=2)
    level = 10 * np.log10(np.maximum(power, floor**2))
    found = []
    for one, count in zip(level, counts, strict=True):
        frames = np.stack([one[:count], np.gradient(one[:count])], axis=1).astype(np.float32)
        functionals = np.stack([frames.mean(axis=0), frames.std(axis=0)], axis=1).reshape(-1)
        halves = np.stack([half.mean(axis=0) for half in np.array_split(frames, 2)])
        found.append((functionals, frames, halves))
    return found  # type: ignore[return-value]
