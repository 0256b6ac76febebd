"""Level: quieter, louder, and clipped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio


def _gain(gain_db: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        return (audio * 10 ** (gain_db / 20)).astype(np.float32), rate

    return change


def _clipped(share: float) -> Change:
    """Return a change that cuts what is louder than all but such a share of the samples."""

    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        most = float(np.quantile(np.abs(audio), 1 - share)) if len(audio) else 0.0
        return (np.clip(audio, -most, most) if most > 0 else audio).astype(np.float32), rate

    return change


CONDITIONS = (
    Condition("20 dB quieter", _gain(-20.0), "far from the microphone, or a low setting"),
    Condition("6 dB louder", _gain(6.0), "a high setting, not clipped"),
    Condition("clipped 1 %", _clipped(0.01), "a setting that is too high"),
    Condition("clipped 10 %", _clipped(0.10), "a setting that is much too high"),
)
