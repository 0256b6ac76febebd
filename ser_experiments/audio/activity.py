"""Where somebody speaks: WebRTC's voice activity detector, fed piece by piece."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: The detector takes frames of 10, 20 or 30 ms at this rate.
_RATE, FRAME_S = 16_000, 0.03
#: Peak that a recording is brought to first: the detector does not hear soft speech.
_PEAK = 0.7
#: 0 lets most through, 3 the least.
_AGGRESSIVENESS = 2


class VoiceActivity:
    """Tell how much of each piece of a recording is speech.

    Parameters
    ----------
    sample_rate : int
        Of the recording, in Hz.
    peak : float
        The recording's largest magnitude; of one that goes on it may be set anew as it grows.

    References
    ----------
    The detector of the WebRTC project: Gaussian mixtures over the energy of six bands.
    """

    def __init__(self, sample_rate: int, peak: float) -> None:
        import soxr
        import webrtcvad

        self._detector = webrtcvad.Vad(_AGGRESSIVENESS)
        self.peak = peak
        self._resampler = soxr.ResampleStream(sample_rate, _RATE, 1, dtype="float32")
        self._rest = np.zeros(0, dtype=np.float32)

    def __call__(self, audio: NDArray[np.float32], *, last: bool = False) -> NDArray[np.bool_]:
        """Hear the next piece.

        Parameters
        ----------
        audio : ndarray of shape (n_samples,), float32
            Follows on the piece before.
        last : bool
            Whether nothing follows.

        Returns
        -------
        ndarray of shape (n_frames,), bool
            Speech or not, for each frame of 30 ms that was completed.
        """
        heard = self._resampler.resample_chunk(audio * np.float32(_PEAK / self.peak), last=last)
        samples = np.concatenate([self._rest, heard])
        size = int(_RATE * FRAME_S)
        n_frames = len(samples) // size
        self._rest = samples[n_frames * size :]
        whole = np.clip(samples[: n_frames * size] * 32767, -32768, 32767).astype("<i2").reshape(n_frames, size)
        return np.array([self._detector.is_speech(frame.tobytes(), _RATE) for frame in whole], dtype=bool)
