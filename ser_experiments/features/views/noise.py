"""Noise between white and pink, 5 to 20 dB below the recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio import effects

VERSION = "1"
#: Ratio of the recording to the noise in dB, least and most.
SNR_DB = (5.0, 20.0)
#: Power falls with the frequency to this exponent: 0 is white noise, 1 pink.
EXPONENT = (0.0, 1.0)


def view(audio: NDArray[np.float32], sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Add noise of a random colour at a random level."""
    snr_db, exponent = rng.uniform(*SNR_DB), rng.uniform(*EXPONENT)
    return effects.below(audio, effects.noise(len(audio), exponent, rng), snr_db)
