"""A room: a direct sound and a tail of noise that decays exponentially (Polack's model of late reverberation)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from ser_experiments.audio import effects

VERSION = "1"
#: Seconds until the tail has lost 60 dB, least and most.
RT60_S = (0.2, 0.8)
#: Direct sound over tail in dB.
DIRECT_DB = (0.0, 12.0)


def view(audio: NDArray[np.float32], sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Convolve with a random room and keep length and power."""
    rt60_s, direct_db = rng.uniform(*RT60_S), rng.uniform(*DIRECT_DB)
    response = effects.room(rt60_s, direct_db, sample_rate, rng)
    heard = fftconvolve(audio.astype(np.float64), response)[: len(audio)]
    before, after = np.mean(np.square(audio, dtype=np.float64)), np.mean(heard**2)
    if before == 0 or after == 0:
        return audio
    return np.asarray(heard * np.sqrt(before / after), dtype=np.float32)
