"""Speed: slower and faster, which moves pitch, formants and tempo together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio import resample
from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio


def _speed(factor: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        return resample(audio, round(rate * factor), rate), rate

    return change


CONDITIONS = (
    Condition("10 % slower", _speed(0.9), "a deeper, slower voice"),
    Condition("10 % faster", _speed(1.1), "a higher, faster voice"),
)
