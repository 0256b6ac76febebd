"""Measure every descriptor of the main set, frame by frame, on one grid and from one spectrum.

Frames of 25 ms every 10 ms at 16 kHz, centred like librosa's ``center=True``. The recording is first scaled to a
fixed level, so that nothing but ``level_db`` depends on the gain of the recording.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp import energy, frames, mel, spectral
from ser_experiments.features.dsp.level import to_reference

SAMPLE_RATE = 16_000
HOP = 160
WINDOW = 400
N_FFT = 512
N_MELS = 40
N_MFCC = 21
FRAME_S = HOP / SAMPLE_RATE
ROLLOFFS = (0.25, 0.5, 0.85, 0.95)
SLOPE_BANDS_HZ = ((0.0, 500.0), (500.0, 1500.0), (0.0, 8000.0))


class LowLevel(NamedTuple):
    """Descriptors of one recording.

    Attributes
    ----------
    rows : dict of str to ndarray of shape (n_rows, n_frames), float32
        Descriptors by group.
    active : ndarray of shape (n_frames,), bool
        Frames that hold speech rather than silence.
    level_db : float
        Level of the active frames before scaling, in dB of full scale.
    """

    rows: dict[str, NDArray[np.float32]]
    active: NDArray[np.bool_]
    level_db: float


def measure(audio: NDArray[np.float32]) -> LowLevel:
    """Measure one recording.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        Mono at 16 kHz.

    Returns
    -------
    LowLevel
    """
    scaled, square, active, level_db = to_reference(audio, window=WINDOW, hop=HOP)
    power = frames.power_spectrum(scaled, window=WINDOW, n_fft=N_FFT, hop=HOP)
    rows = spectrum_rows(power)
    zcr = energy.zero_crossing_rate(scaled, length=WINDOW, hop=HOP)
    rows["level"] = np.stack([mel.power_to_db(square, top_db=None), rows.pop("loudness")[0], zcr])
    return LowLevel(rows, active, level_db)


def spectrum_rows(power: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Measure everything that follows from the power spectrum, shape (n_frames, 257), alone."""
    magnitude = np.sqrt(power)
    log_power = np.log(np.maximum(power, np.float32(1e-10)))
    bands = mel.band_energies(power, mel.mel_bank(SAMPLE_RATE, N_FFT, N_MELS))
    log_mel = mel.power_to_db(bands)
    mfcc = mel.cepstrum(log_mel, N_MFCC)
    low = spectral.band_level(power, SAMPLE_RATE, 50.0, 1000.0)
    middle = spectral.band_level(power, SAMPLE_RATE, 1000.0, 5000.0)
    low_peak = spectral.band_peak(power, SAMPLE_RATE, 0.0, 2000.0)
    high_peak = spectral.band_peak(power, SAMPLE_RATE, 2000.0, 5000.0)
    ratios = [spectral.ratio_db(low, middle), spectral.ratio_db(low_peak, high_peak)]
    shape = [
        spectral.flatness(power, log_power),
        spectral.entropy(power, log_power),
        spectral.flux(log_mel),
        *ratios,
    ]
    return {
        "mfcc": mfcc,
        "delta": mel.delta(mfcc),
        "mel": log_mel,
        "moments": spectral.moments(magnitude, SAMPLE_RATE),
        "rolloff": spectral.rolloff(magnitude, SAMPLE_RATE, ROLLOFFS),
        "shape": np.stack(shape),
        "slopes": spectral.slopes(log_power, SAMPLE_RATE, SLOPE_BANDS_HZ),
        "contrast": spectral.contrast(np.ascontiguousarray(magnitude.T), SAMPLE_RATE, n_bands=5),
        "loudness": np.sum(bands ** np.float32(0.3), axis=0, keepdims=True),
    }
