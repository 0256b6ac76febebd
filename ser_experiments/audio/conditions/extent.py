"""Extent: silence around a recording, and a part of it alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio.conditions import Condition
from ser_experiments.audio.effects import Audio

#: Silence of recordings is never quite: white noise so far below full scale.
_FLOOR_DB = -80.0
_SILENCE_S, _PART_S = 1.0, 1.0


def _surrounded(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
    before, after = (rng.standard_normal(int(_SILENCE_S * rate)) * 10 ** (_FLOOR_DB / 20) for _ in range(2))
    return np.concatenate([before, audio, after]).astype(np.float32), rate


def _middle(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
    n = int(_PART_S * rate)
    begin = max(0, (len(audio) - n) // 2)
    return audio[begin : begin + n], rate


CONDITIONS = (
    Condition("silence around", _surrounded, "a second before and one after"),
    Condition("1 s from the middle", _middle, "a short piece"),
)
