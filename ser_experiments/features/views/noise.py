"""Noise between white and pink, 5 to 20 dB below the recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VERSION = "1"
#: Ratio of the recording to the noise in dB, least and most.
SNR_DB = (5.0, 20.0)
#: Power falls with the frequency to this exponent: 0 is white noise, 1 pink.
EXPONENT = (0.0, 1.0)


def view(audio: NDArray[np.float32], sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add noise of a random colour at a random level."""
    snr_db, exponent = rng.uniform(*SNR_DB), rng.uniform(*EXPONENT)
    spectrum = np.fft.rfft(rng.standard_normal(len(audio)))
    bins = np.maximum(np.arange(len(spectrum)), 1)
    noise = np.fft.irfft(spectrum * bins ** (-exponent / 2), len(audio))
    power, noise_power = np.mean(np.square(audio, dtype=np.float64)), np.mean(noise**2)
    if power == 0 or noise_power == 0:
        return audio
    return np.asarray(audio + noise * np.sqrt(power / noise_power / 10 ** (snr_db / 10)), dtype=np.float32)
