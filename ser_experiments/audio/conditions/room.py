"""Rooms: a direct sound and a tail of noise that decays exponentially (Polack's model of late reverberation)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import fftconvolve

from ser_experiments.audio.conditions import Audio, Change, Condition

#: Direct sound over tail in dB, and when the tail begins.
_DIRECT_DB, _GAP_S = 3.0, 0.003


def _room(rt60_s: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        time_s = np.arange(int(rt60_s * rate)) / rate
        tail = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
        tail[: int(_GAP_S * rate)] = 0
        tail *= np.sqrt(10 ** (-_DIRECT_DB / 10) / np.sum(tail**2))
        tail[0] = 1.0
        return fftconvolve(audio.astype(np.float64), tail)[: len(audio)].astype(np.float32), rate

    return change


CONDITIONS = (
    Condition("small room", _room(0.3), "0.3 s of reverberation"),
    Condition("hall", _room(1.2), "1.2 s of reverberation"),
)
