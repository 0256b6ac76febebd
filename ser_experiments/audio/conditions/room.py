"""Rooms: a direct sound and a tail of noise that decays exponentially (Polack's model of late reverberation)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import fftconvolve

from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio, room

#: Direct sound over tail in dB.
_DIRECT_DB = 3.0


def _room(rt60_s: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        response = room(rt60_s, _DIRECT_DB, rate, rng)
        return fftconvolve(audio.astype(np.float64), response)[: len(audio)].astype(np.float32), rate

    return change


CONDITIONS = (
    Condition("small room", _room(0.3), "0.3 s of reverberation"),
    Condition("hall", _room(1.2), "1.2 s of reverberation"),
)
