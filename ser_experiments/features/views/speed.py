"""Speed: played 4 to 10 % faster or slower, which moves pitch, formants and tempo together, as another voice would.

Ko et al. (2015), Audio augmentation for speech recognition, Interspeech.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio import resample

VERSION = "1"
#: How much faster or slower, least and most.
CHANGE = (0.04, 0.10)


def view(audio: NDArray[np.float32], sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Play at a random speed."""
    factor = 1 + rng.choice([-1.0, 1.0]) * rng.uniform(*CHANGE)
    return resample(audio, round(sample_rate * factor), sample_rate)
