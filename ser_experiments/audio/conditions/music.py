"""Music below the voice: chords of decaying harmonic tones, drawn for each recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio, below

#: Semitones of the chords above the key, seconds of each, harmonics of each tone.
_CHORDS, _CHORD_S, _HARMONICS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14)), 0.5, 6


def _music(snr_db: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        key_hz = 110 * 2 ** (rng.integers(12) / 12)
        n = int(_CHORD_S * rate)
        time_s = np.arange(n) / rate
        pieces: list[np.ndarray] = []
        while n * len(pieces) < len(audio):
            tones = key_hz * 2 ** (np.array(_CHORDS[rng.integers(len(_CHORDS))]) / 12)
            partials = np.outer(tones, np.arange(1, _HARMONICS + 1)).ravel()
            partials = partials[partials < 0.45 * rate]
            strengths = key_hz / partials
            phases = rng.uniform(0, 2 * np.pi, len(partials))
            waves = np.sin(2 * np.pi * partials[:, None] * time_s + phases[:, None])
            pieces.append(strengths @ waves * np.exp(-3 * time_s))
        return below(audio, np.concatenate(pieces)[: len(audio)] if pieces else audio * 0, snr_db), rate

    return change


CONDITIONS = tuple(
    Condition(f"music {snr} dB", _music(snr), f"chords, {snr} dB below the voice") for snr in (20, 10, 0)
)
