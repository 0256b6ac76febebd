"""Telephones: 300 to 3400 Hz at 8 kHz, A-law (ITU-T G.711) on a line, GSM 06.10 and AMR (3GPP TS 26.071) in the air."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile as sf

from ser_experiments.audio import resample
from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.conditions._amr import lacks_amr, through_amr
from ser_experiments.audio.conditions.band import filtered
from ser_experiments.audio.effects import Audio

_RATE = 8000


def _narrow(audio: Audio, rate: int) -> Audio:
    return filtered(resample(audio, rate, _RATE), _RATE, (300.0, 3400.0), "bandpass")


def _telephone(subtype: str) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        narrow = _narrow(audio, rate)
        file = io.BytesIO()
        sf.write(file, np.clip(narrow, -1, 1), _RATE, format="WAV", subtype=subtype)
        file.seek(0)
        heard, _ = sf.read(file, dtype="float32")
        # GSM has frames of 20 ms, of which the last is filled up.
        return heard[: len(narrow)], _RATE

    return change


def _amr(bit_rate: int) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        return through_amr(_narrow(audio, rate), bit_rate), _RATE

    return change


CONDITIONS = (
    Condition("landline", _telephone("ALAW"), "8 kHz, 300 to 3400 Hz, A-law"),
    Condition("mobile phone", _telephone("GSM610"), "8 kHz, 300 to 3400 Hz, GSM full rate"),
    Condition("AMR 12.2", _amr(12_200), "8 kHz, 300 to 3400 Hz, AMR at 12.2 kbit/s: a good connection", lacks_amr),
    Condition("AMR 4.75", _amr(4750), "8 kHz, 300 to 3400 Hz, AMR at 4.75 kbit/s: a bad connection", lacks_amr),
)
