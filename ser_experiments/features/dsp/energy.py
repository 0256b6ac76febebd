"""Level and zero crossings of frames of the waveform, equal to librosa's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.frames import n_frames
from ser_experiments.features.dsp.jit import kernel


def mean_square(audio: NDArray[np.float32], *, length: int, hop: int) -> NDArray[np.float32]:
    """Return the mean square of each frame; its root is ``librosa.feature.rms(y=audio, ...)``.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    length, hop : int
        Of a frame, in samples; silence is assumed outside the recording.

    Returns
    -------
    ndarray of shape (n_frames,), float32
    """
    out = np.empty(n_frames(len(audio), hop), dtype=np.float32)
    _mean_square(audio, length, hop, out)
    return out


def zero_crossing_rate(audio: NDArray[np.float32], *, length: int, hop: int) -> NDArray[np.float32]:
    """Return ``librosa.feature.zero_crossing_rate(audio, frame_length=length, hop_length=hop)[0]``.

    The fraction of the samples of a frame whose sign differs from the one before; samples within 1e-10 of zero
    count as positive, and the edge samples continue outside the recording.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    length, hop : int
        Of a frame, in samples.

    Returns
    -------
    ndarray of shape (n_frames,), float32
    """
    negative = np.empty(len(audio), dtype=np.bool_)
    np.less(audio, np.float32(-1e-10), out=negative)
    crossings = np.zeros(len(audio) + 1, dtype=np.int64)
    np.cumsum(negative[1:] != negative[:-1], out=crossings[2:])
    start = np.arange(n_frames(len(audio), hop)) * hop - length // 2
    # A crossing between samples i-1 and i belongs to a frame when both lie in it, so its first sample is left out.
    low = np.clip(start + 1, 0, len(audio))
    high = np.clip(start + length, 0, len(audio))
    return ((crossings[high] - crossings[low]) / np.float32(length)).astype(np.float32)


@kernel("void(f4[::1], i8, i8, f4[::1])")
def _mean_square(audio: NDArray[np.float32], length: int, hop: int, out: NDArray[np.float32]) -> None:
    for t in range(out.size):
        begin = max(t * hop - length // 2, 0)
        end = min(t * hop - length // 2 + length, audio.size)
        values = audio[begin:end]
        total = np.float32(0.0)
        for i in range(values.size):
            total += values[i] * values[i]
        out[t] = total / np.float32(length)
