"""Short spectra of a recording, from which is told where it ends and what goes on below the voice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

#: Seconds of a spectrum, half of which is of the next one, too; and how many of them a recording is judged by.
_FRAME_S, _MOST_FRAMES = 0.032, 4000


class Spectra(NamedTuple):
    """Power spectra of a recording.

    Attributes
    ----------
    powers : ndarray of shape (n_frames, n_bins), float32
        A frame's sum over its bins is its mean square, of full scale 1.
    step_hz : float
        From one bin to the next; the last one is at half of the sample rate.
    """

    powers: NDArray[np.float32]
    step_hz: float


def spectra(audio: NDArray[np.float32], sample_rate: int) -> Spectra:
    """Return spectra of 32 ms, of a long recording evenly spread over it.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        Full scale is 1.
    sample_rate : int
        In Hz.
    """
    size = max(16, 2 * round(_FRAME_S * sample_rate / 2))
    padded = np.pad(audio, (0, max(0, size - len(audio))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // 2]
    frames = frames[:: -(-len(frames) // _MOST_FRAMES)]
    window = np.hanning(size).astype(np.float32)
    found = scipy.fft.rfft(frames * window, axis=1)
    # Both halves of the spectrum are one here.
    powers = (found.real**2 + found.imag**2) * np.float32(2 / size / np.square(window).sum())
    return Spectra(powers, sample_rate / size)
