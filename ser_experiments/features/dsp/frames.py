"""Cut audio into frames and turn them into spectra.

Everything lies on one grid, librosa's ``center=True``: frame t is centred on sample ``t * hop`` and there are
``1 + n_samples // hop`` frames. Spectra have time first (one contiguous row a frame).
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
import scipy.fft
import scipy.signal
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel


def n_frames(n_samples: int, hop: int) -> int:
    """Return how many frames the grid has."""
    return 1 + n_samples // hop


@lru_cache(maxsize=16)
def hann(length: int) -> NDArray[np.float32]:
    """Return the periodic Hann window that librosa uses, read-only."""
    window = _exact_hann(length).astype(np.float32)
    window.flags.writeable = False
    return window


@lru_cache(maxsize=16)
def _exact_hann(length: int) -> NDArray[np.float64]:
    window = scipy.signal.get_window("hann", length, fftbins=True)
    window.flags.writeable = False
    return cast("NDArray[np.float64]", window)


def windowed(audio: NDArray[np.float32], length: int, hop: int, n_fft: int) -> NDArray[np.float64]:
    """Cut frames and weight them with a Hann window; outside the recording there is silence.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    length, hop : int
        Of a frame, in samples.
    n_fft : int
        Zeros fill each frame up to this length.

    Returns
    -------
    ndarray of shape (n_frames, n_fft), float64
    """
    count = n_frames(len(audio), hop)
    padded = np.zeros((count - 1) * hop + length, dtype=np.float32)
    room = len(padded) - length // 2
    padded[length // 2 : length // 2 + len(audio)] = audio[:room]
    step = padded.itemsize
    cut = as_strided(padded, (count, length), (hop * step, step), writeable=False)
    # Filled up here: scipy takes four times as long to transform frames that it has to fill up itself.
    out = np.empty((count, n_fft))
    np.multiply(cut, _exact_hann(length), out=out[:, :length])
    out[:, length:] = 0.0
    return out


def power_spectrum(audio: NDArray[np.float32], *, window: int, n_fft: int, hop: int) -> NDArray[np.float32]:
    """Compute the squared magnitude of the short-time Fourier transform.

    Equals ``abs(librosa.stft(audio, n_fft=n_fft, win_length=window, hop_length=hop)).T ** 2``. The frame is not
    shifted to the middle of the transform, which changes phases only. Like librosa's, the transform is one of double
    precision: it costs a third more, and in single precision its rounding shows in bands that hold next to nothing,
    such as those above the former Nyquist frequency of a resampled recording.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    window, n_fft, hop : int
        Length of the Hann window, of the transform, and the step, in samples.

    Returns
    -------
    ndarray of shape (n_frames, 1 + n_fft // 2), float32
    """
    spectrum = scipy.fft.rfft(windowed(audio, window, hop, n_fft), axis=1, overwrite_x=True)
    power = np.empty(spectrum.shape, dtype=np.float32)
    _squared_magnitude(spectrum.view(np.float64), power)
    return power


@kernel("void(f8[:,::1], f4[:,::1])")
def _squared_magnitude(parts: NDArray[np.float64], out: NDArray[np.float32]) -> None:
    for t in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[t, k] = parts[t, 2 * k] * parts[t, 2 * k] + parts[t, 2 * k + 1] * parts[t, 2 * k + 1]
