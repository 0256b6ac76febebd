"""Steady noise: white as of a bad line, pink as of rooms and streets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ser_experiments.audio.conditions import Audio, Change, Condition, mixed


def _noise(snr_db: float, exponent: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        spectrum = np.fft.rfft(rng.standard_normal(len(audio)))
        bins = np.maximum(np.arange(len(spectrum)), 1)
        return mixed(audio, np.fft.irfft(spectrum * bins ** (-exponent / 2), len(audio)), snr_db), rate

    return change


CONDITIONS = (
    *(Condition(f"white noise {snr} dB", _noise(snr, 0.0), f"hiss, {snr} dB below the voice") for snr in (20, 10, 0)),
    *(Condition(f"pink noise {snr} dB", _noise(snr, 1.0), f"rush, {snr} dB below the voice") for snr in (10,)),
)
