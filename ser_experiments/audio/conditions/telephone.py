"""Telephones: 300 to 3400 Hz at 8 kHz, A-law (ITU-T G.711) on a line, and GSM 06.10 in the air."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile as sf

from ser_experiments.audio import resample
from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.conditions.band import filtered
from ser_experiments.audio.effects import Audio

_RATE = 8000


def _telephone(subtype: str) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        narrow = filtered(resample(audio, rate, _RATE), _RATE, (300.0, 3400.0), "bandpass")
        file = io.BytesIO()
        sf.write(file, np.clip(narrow, -1, 1), _RATE, format="WAV", subtype=subtype)
        file.seek(0)
        heard, _ = sf.read(file, dtype="float32")
        # GSM has frames of 20 ms, of which the last is filled up.
        return heard[: len(narrow)], _RATE

    return change


CONDITIONS = (
    Condition("landline", _telephone("ALAW"), "8 kHz, 300 to 3400 Hz, A-law"),
    Condition("mobile phone", _telephone("GSM610"), "8 kHz, 300 to 3400 Hz, GSM full rate"),
)
