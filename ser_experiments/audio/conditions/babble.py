"""Babble: six other voices of the same corpus at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio, below

#: Voices at once.
N_VOICES = 6


def _babble(snr_db: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        if not voices:
            return audio, rate
        total = np.zeros(len(audio))
        for place in rng.choice(len(voices), min(N_VOICES, len(voices)), replace=False):
            voice = np.resize(voices[place].astype(np.float64), len(audio))
            power = np.sqrt(np.mean(voice**2))
            total += np.roll(voice, rng.integers(len(audio))) / power if power > 0 else 0.0
        return below(audio, total, snr_db), rate

    return change


CONDITIONS = tuple(
    Condition(f"babble {snr} dB", _babble(snr), f"other voices, {snr} dB below the voice") for snr in (20, 10, 0)
)
