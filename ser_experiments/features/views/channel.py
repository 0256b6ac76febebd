"""Another microphone: smooth random gains of up to 6 dB over the octaves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VERSION = "1"
#: The most that an octave is raised or lowered, in dB.
GAIN_DB = 6.0
_LOWEST_HZ = 62.5


def view(audio: NDArray[np.float32], sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Colour the spectrum at random and keep the power."""
    octaves = np.arange(np.ceil(np.log2(sample_rate / 2 / _LOWEST_HZ)) + 1)
    gains_db = rng.uniform(-GAIN_DB, GAIN_DB, len(octaves))
    spectrum = np.fft.rfft(audio.astype(np.float64))
    frequencies = np.fft.rfftfreq(len(audio), 1 / sample_rate)
    place = np.log2(np.maximum(frequencies, _LOWEST_HZ) / _LOWEST_HZ)
    heard = np.fft.irfft(spectrum * 10 ** (np.interp(place, octaves, gains_db) / 20), len(audio))
    before, after = np.mean(np.square(audio, dtype=np.float64)), np.mean(heard**2)
    if before == 0 or after == 0:
        return audio
    return np.asarray(heard * np.sqrt(before / after), dtype=np.float32)
