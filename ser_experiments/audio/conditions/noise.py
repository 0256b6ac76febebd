"""Steady noise: white as of a bad line, pink as of rooms and streets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio, below, noise


def _noise(snr_db: float, exponent: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        return below(audio, noise(len(audio), exponent, rng), snr_db), rate

    return change


CONDITIONS = (
    *(Condition(f"white noise {snr} dB", _noise(snr, 0.0), f"hiss, {snr} dB below the voice") for snr in (20, 10, 0)),
    *(Condition(f"pink noise {snr} dB", _noise(snr, 1.0), f"rush, {snr} dB below the voice") for snr in (10,)),
)
