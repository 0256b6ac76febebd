"""How cepstral coefficients move together: their covariance within a recording, as a point of a flat space.

A functional looks at one descriptor at a time. The covariance of the coefficients and their deltas says which of
them move together and how far, and knows nothing of their means: a fixed microphone or room adds a constant to every
cepstrum and so leaves it as it is. Covariances form a curved space; their matrix logarithm lies in a flat one, where
distances and linear models mean something (Arsigny et al., 2006).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.columns import Column
from ser_experiments.features.measure import ROW, Measure, Output, per_clip

#: Cepstral coefficients, the zeroth (the level) among them.
N_MFCC = 13
#: Frames that the pull towards a diagonal matrix counts for: short recordings have rough covariances.
PRIOR_FRAMES = 10.0
#: Share of the mean variance that is added to each, so that no logarithm runs away.
FLOOR = 1e-4
_NAMES = (*(f"mfcc_{i:02d}" for i in range(N_MFCC)), *(f"delta_{i:02d}" for i in range(N_MFCC)))
_SOURCE = (
    "matrix logarithm of the covariance of 13 MFCC (dB) and their deltas (width 9), frames of 25 ms every 10 ms, over "
    "active frames (Arsigny et al., 2006)"
)


def extractor() -> Measure:
    """Build the set."""
    return Measure(
        name="covariance",
        version="1",
        outputs=(Output("functionals", ROW, _columns()),),
        open=per_clip(compute),
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_columns,) out."""
    from ser_experiments.features.dsp import frames, lowlevel, mel
    from ser_experiments.features.dsp.level import to_reference

    leveled = to_reference(audio, window=lowlevel.WINDOW, hop=lowlevel.HOP)
    power = frames.power_spectrum(leveled.audio, window=lowlevel.WINDOW, n_fft=lowlevel.N_FFT, hop=lowlevel.HOP)
    bands = mel.band_energies(power, mel.mel_bank(lowlevel.SAMPLE_RATE, lowlevel.N_FFT, lowlevel.N_MELS))
    mfcc = mel.cepstrum(mel.power_to_db(bands), N_MFCC)
    rows = np.concatenate([mfcc, mel.delta(mfcc)])[:, leveled.active]
    return vectorise(log_covariance(rows)).astype(np.float32)


def log_covariance(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Take the matrix logarithm of a covariance that is shrunk towards its diagonal.

    Parameters
    ----------
    rows : ndarray of shape (n_descriptors, n_frames)

    Returns
    -------
    ndarray of shape (n_descriptors, n_descriptors), float64
        Symmetric; zeros where nothing moves or there is one frame only.
    """
    count = rows.shape[1]
    exact = np.asarray(rows, dtype=np.float64)
    covariance = np.cov(exact) if count > 1 else np.zeros((len(rows), len(rows)))
    mean_variance = float(np.trace(covariance)) / len(rows)
    # What is left of constant rows is rounding.
    if mean_variance <= 1e-12 * max(float(np.abs(exact).max(initial=0.0)) ** 2, 1e-12):
        return np.zeros_like(covariance)
    pull = min(1.0, PRIOR_FRAMES / count)
    shrunk = (1.0 - pull) * covariance + pull * np.diag(np.diag(covariance))
    variances, directions = np.linalg.eigh(shrunk + FLOOR * mean_variance * np.eye(len(rows)))
    logs: NDArray[np.float64] = (directions * np.log(variances)) @ directions.T
    return logs


def vectorise(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Write the upper triangle of a symmetric matrix as a vector of the same length (Frobenius norm)."""
    first, second = np.triu_indices(len(matrix))
    return matrix[first, second] * np.where(first == second, 1.0, np.sqrt(2.0))


def _columns() -> tuple[Column, ...]:
    first, second = np.triu_indices(len(_NAMES))
    return tuple(
        Column(
            f"cov_{_NAMES[i]}_{_NAMES[j]}__log",
            "1",
            f"{'' if i == j else 'sqrt(2) times '}the element ({_NAMES[i]}, {_NAMES[j]}) of the {_SOURCE}",
        )
        for i, j in zip(first, second, strict=True)
    )
