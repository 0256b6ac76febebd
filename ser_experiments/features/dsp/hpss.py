"""Tell steady tones from clicks in a spectrogram, without going back to a waveform."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel
from ser_experiments.features.dsp.median import running_median

#: Below this a value counts as zero when masks are formed, as in ``librosa.util.softmask``.
TINY = np.float32(np.finfo(np.float32).tiny)


def smoothed(magnitude: NDArray[np.float32], size: int = 31) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the running medians over time (tones stay) and over frequency (clicks stay).

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), float32
    size : int
        Length of the medians in frames and bins: 7, 15, 31, ...

    Returns
    -------
    harmonic : ndarray of shape (n_frames, n_bins), float32
    percussive : ndarray of shape (n_bins, n_frames), float32
        Frequency first: the order in which it is computed.
    """
    return running_median(magnitude, size), running_median(np.ascontiguousarray(magnitude.T), size)


def split_energy(magnitude: NDArray[np.float32], size: int = 31) -> NDArray[np.float32]:
    """Sum the energy of the harmonic and of the percussive part of each frame.

    These are the sums over frequency of the squares of the two spectrograms of
    ``librosa.decompose.hpss(magnitude.T, kernel_size=size)`` (Fitzgerald, 2010; masks of power 2).

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_bins), float32
    size : int
        Length of the medians: 7, 15, 31, ...

    Returns
    -------
    ndarray of shape (2, n_frames), float32
        Harmonic, percussive.
    """
    harmonic, percussive = smoothed(magnitude, size)
    out = np.zeros((2, len(magnitude)), dtype=np.float32)
    _split(magnitude, harmonic, np.ascontiguousarray(percussive.T), out)
    return out


# The smallest normal number is added to both medians, so that silence is split evenly as in librosa, without a
# condition: one in the innermost loop costs more than all else.


@kernel("void(f4[:,::1], f4[:,::1], f4[:,::1], f4[:,::1])")
def _split(
    magnitude: NDArray[np.float32],
    harmonic: NDArray[np.float32],
    percussive: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    for t in range(magnitude.shape[0]):
        steady = np.float32(0.0)
        abrupt = np.float32(0.0)
        for k in range(magnitude.shape[1]):
            top = max(harmonic[t, k], percussive[t, k]) + TINY
            h = (harmonic[t, k] + TINY) / top
            p = (percussive[t, k] + TINY) / top
            h *= h
            p *= p
            share = magnitude[t, k] / (h + p)
            h *= share
            p *= share
            steady += h * h
            abrupt += p * p
        out[0, t] = steady
        out[1, t] = abrupt
