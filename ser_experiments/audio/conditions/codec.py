"""Codecs at low rates: MP3 and Opus, by the encoders of libsndfile (LAME, libopus)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile as sf

from ser_experiments.audio import resample
from ser_experiments.audio.conditions import Change, Condition
from ser_experiments.audio.effects import Audio

_RATE = 16_000


def _coded(form: str, subtype: str, level: float) -> Change:
    def change(audio: Audio, rate: int, rng: np.random.Generator, voices: Sequence[Audio]) -> tuple[Audio, int]:
        sent = resample(audio, rate, _RATE)
        file = io.BytesIO()
        with sf.SoundFile(file, "w", _RATE, 1, subtype=subtype, format=form, compression_level=level) as out:
            out.write(np.clip(sent, -1, 1))
        file.seek(0)
        heard, _ = sf.read(file, dtype="float32")
        # An encoder fills its last frame up, or leaves out what it cannot fill.
        heard = heard[: len(sent)]
        return np.pad(heard, (0, len(sent) - len(heard))), _RATE

    return change


CONDITIONS = (
    Condition("MP3 low", _coded("MP3", "MPEG_LAYER_III", 0.99), "MP3 at the lowest rate of its encoder, 16 kHz"),
    Condition("Opus low", _coded("OGG", "OPUS", 0.99), "Opus at the lowest rate of its encoder, 16 kHz"),
)
