"""The envelope of a recording: what is left of it after another codec, rate, gain or a little trimming.

Loudness over time in narrow bands between 250 and 3300 Hz, which every telephone lets through; relative to the loudest
cell, so that gain does not count. It is coarse on purpose: frames of a tenth of a second overlap by two thirds, so that
copies that begin a few milliseconds apart still have it in common.

References
----------
Haitsma, Kalker (2002), A highly robust audio fingerprinting system: energies of bands in frames that overlap.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

#: Bands, equally wide in mel, and their limits in Hz.
N_BANDS, LOW_HZ, HIGH_HZ = 32, 250.0, 3300.0
WINDOW_S, HOP_S = 0.096, 0.032
#: Cells are whole numbers: so many are a decibel, and the largest is the loudest cell.
STEPS_PER_DB, LOUDEST = 4, 255
#: What comes later says nothing new of a recording.
LONGEST_S = 60.0
#: Frames that are transformed at a time: so few that BLAS multiplies them in one thread. Waking others costs ten times
#: as much, most of all where several recordings are surveyed at once.
_FRAMES = 24


def envelope(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.uint8]:
    """Measure the envelope.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        At its own rate.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of shape (n_frames, 32), uint8
        Level in steps of a quarter of a decibel below the loudest cell, which is 255. No frames where the recording is
        shorter than a window.
    """
    from scipy import fft

    audio = audio[: round(LONGEST_S * sample_rate)]
    size, window, bands = _tools(sample_rate)
    if len(audio) < size:
        return np.empty((0, N_BANDS), dtype=np.uint8)
    n_frames = int((len(audio) - size) / (HOP_S * sample_rate)) + 1
    # The beginnings are rounded one by one: hops of whole samples would drift apart between rates.
    first = np.round(np.arange(n_frames) * (HOP_S * sample_rate)).astype(int)
    every = np.lib.stride_tricks.sliding_window_view(audio, size)
    power = np.concatenate(
        [
            np.abs(fft.rfft(every[first[at : at + _FRAMES]] * window, axis=1)[:, : len(bands)]) ** 2 @ bands
            for at in range(0, n_frames, _FRAMES)
        ]
    )
    below_db = 10 * np.log10(np.maximum(power, 1e-20))
    below_db -= below_db.max()
    return np.clip(np.round(LOUDEST + STEPS_PER_DB * below_db), 0, LOUDEST).astype(np.uint8)


@lru_cache(maxsize=32)
def _tools(sample_rate: int) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
    """Return the length of a frame, its window, and the matrix from the lower bins to the mean power of bands."""
    from scipy import fft

    size = int(fft.next_fast_len(max(8, round(WINDOW_S * sample_rate)), real=True))
    hz = np.fft.rfftfreq(size, 1 / sample_rate)
    edges = 700 * (10 ** (np.linspace(_mel(LOW_HZ), _mel(HIGH_HZ), N_BANDS + 1) / 2595) - 1)
    bands = ((hz[:, None] >= edges[:-1]) & (hz[:, None] < edges[1:])).astype(np.float32)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    bands = bands[: np.searchsorted(hz, HIGH_HZ)]
    return size, window, bands / np.maximum(bands.sum(axis=0), 1)


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))
