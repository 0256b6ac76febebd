"""Bands: what microphones and lines do not let through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import butter, sosfiltfilt

from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio

_ORDER = 6


def filtered(audio: Audio, rate: int, band_hz: float | tuple[float, float], kind: str) -> Audio:
    """Return a recording through a Butterworth filter without delay; a band at or beyond half the rate passes all."""
    ends = np.atleast_1d(band_hz)
    if kind == "lowpass" and ends[0] >= rate / 2:
        return audio
    ends = np.minimum(ends, 0.49 * rate)
    sos = butter(_ORDER, ends if len(ends) > 1 else float(ends[0]), kind, fs=rate, output="sos")
    # Shorter than the filter's own padding, there is nothing to filter.
    if len(audio) <= 3 * (2 * len(sos) + 1):
        return audio
    return sosfiltfilt(sos, audio.astype(np.float64)).astype(np.float32)


def _through(band_hz: float, kind: str) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        return filtered(audio, rate, band_hz, kind), rate

    return change


CONDITIONS = (
    Condition("below 3.4 kHz", _through(3400.0, "lowpass"), "a narrow-band line or an old microphone"),
    Condition("above 300 Hz", _through(300.0, "highpass"), "a small loudspeaker or a rumble filter"),
)
