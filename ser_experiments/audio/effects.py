"""What the world does to a recording, as plain functions: noise, a room, another sound below it.

Views to train on (:mod:`ser_experiments.features.views`) draw their parameters; conditions to be heard under
(:mod:`ser_experiments.audio.conditions`) fix them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]
#: The tail of a room begins so long after the direct sound.
_GAP_S = 0.003


def noise(n_samples: int, exponent: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise whose power falls with the frequency to an exponent: 0 is white noise, 1 pink.

    Parameters
    ----------
    n_samples : int
        Its length.
    exponent : float
        Of the frequency.
    rng : Generator
        Draws it.
    """
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    bins = np.maximum(np.arange(len(spectrum)), 1)
    return np.fft.irfft(spectrum * bins ** (-exponent / 2), n_samples)


def below(audio: Audio, other: NDArray[np.floating], snr_db: float) -> Audio:
    """Return a recording with another sound below it; one of the two that is silent changes nothing.

    Parameters
    ----------
    audio, other : ndarray of shape (n_samples,)
        The recording and the sound.
    snr_db : float
        By how much the power of the recording is above that of the sound, in dB.
    """
    power, other_power = np.mean(np.square(audio, dtype=np.float64)), np.mean(np.square(other, dtype=np.float64))
    if power == 0 or other_power == 0:
        return audio
    return np.asarray(audio + other * np.sqrt(power / other_power / 10 ** (snr_db / 10)), dtype=np.float32)


def room(rt60_s: float, direct_db: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return the response of a room: a direct sound of 1, and noise that decays exponentially (Polack's model).

    Parameters
    ----------
    rt60_s : float
        Seconds until the tail has lost 60 dB.
    direct_db : float
        The power of the direct sound above that of the tail, in dB.
    sample_rate : int
        In Hz.
    rng : Generator
        Draws the tail.
    """
    time_s = np.arange(int(rt60_s * sample_rate)) / sample_rate
    response = rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / rt60_s)
    response[: int(_GAP_S * sample_rate)] = 0
    response *= np.sqrt(10 ** (-direct_db / 10) / np.sum(response**2))
    response[0] = 1.0
    return response
