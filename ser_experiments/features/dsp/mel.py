"""Mel bands, decibels, cepstral coefficients and their deltas, equal to librosa's.

Matrices of descriptors have one row a descriptor and time last, so that percentiles sort contiguous memory.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel

#: ``10 * log10(x)`` as a multiple of the natural logarithm.
DB_PER_NEPER = np.float32(10.0 / np.log(10.0))


class FilterBank(NamedTuple):
    """Triangular filters without their zeros: filter m weighs bins ``first[m]`` to ``first[m] + length[m]``."""

    first: NDArray[np.int64]
    length: NDArray[np.int64]
    weights: NDArray[np.float32]


@lru_cache(maxsize=16)
def mel_bank(sample_rate: int, n_fft: int, n_mels: int) -> FilterBank:
    """Return ``librosa.filters.mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels)`` without its zeros."""
    from librosa.filters import mel

    return pack(mel(sr=sample_rate, n_fft=n_fft, n_mels=n_mels))


def pack(dense: NDArray[np.floating]) -> FilterBank:
    """Drop the zeros around the filters of a matrix of shape (n_filters, n_bins)."""
    used = dense != 0
    first = np.where(used.any(axis=1), used.argmax(axis=1), 0)
    last = np.where(used.any(axis=1), dense.shape[1] - used[:, ::-1].argmax(axis=1), 0)
    length = last - first
    weights = np.zeros((len(dense), max(int(length.max()), 1)), dtype=np.float32)
    for row, (begin, end) in enumerate(zip(first, last, strict=True)):
        weights[row, : end - begin] = dense[row, begin:end]
    return FilterBank(first.astype(np.int64), length.astype(np.int64), weights)


def band_energies(power: NDArray[np.float32], bank: FilterBank) -> NDArray[np.float32]:
    """Weigh spectra with a filter bank.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), float32
    bank : FilterBank

    Returns
    -------
    ndarray of shape (n_filters, n_frames), float32
    """
    out = np.empty((len(bank.first), len(power)), dtype=np.float32)
    _apply_bank(power, bank.first, bank.length, bank.weights, out)
    return out


def power_to_db(power: NDArray[np.float32], *, top_db: float | None = 80.0) -> NDArray[np.float32]:
    """Return ``librosa.power_to_db(power, ref=1.0, amin=1e-10, top_db=top_db)``."""
    decibels = np.log(np.maximum(power, np.float32(1e-10)))
    decibels *= DB_PER_NEPER
    if top_db is not None and decibels.size:
        np.maximum(decibels, decibels.max() - np.float32(top_db), out=decibels)
    return decibels


@lru_cache(maxsize=16)
def _dct_matrix(n_out: int, n_in: int) -> NDArray[np.float32]:
    matrix = scipy.fft.dct(np.eye(n_in), type=2, norm="ortho", axis=0)[:n_out]
    return np.ascontiguousarray(matrix, dtype=np.float32)


def cepstrum(log_mel: NDArray[np.float32], n_coefficients: int) -> NDArray[np.float32]:
    """Return ``librosa.feature.mfcc(S=log_mel, n_mfcc=n_coefficients)``.

    Parameters
    ----------
    log_mel : ndarray of shape (n_mels, n_frames), float32
        Band levels in dB.
    n_coefficients : int

    Returns
    -------
    ndarray of shape (n_coefficients, n_frames), float32
    """
    out = np.zeros((n_coefficients, log_mel.shape[1]), dtype=np.float32)
    _mix_rows(_dct_matrix(n_coefficients, len(log_mel)), log_mel, out)
    return out


def delta(rows: NDArray[np.float32], width: int = 9) -> NDArray[np.float32]:
    """Fit a line to each stretch of `width` frames and return its slope per frame.

    Equals ``librosa.feature.delta(rows, width=width)`` (a Savitzky-Golay filter of order 1; at the edges the slope
    of the first and last full stretch). Recordings of fewer than `width` frames are continued with their edge
    values, librosa's ``mode="nearest"``.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_frames), float32
    width : int
        Odd.

    Returns
    -------
    ndarray of shape (n_rows, n_frames), float32
    """
    half = width // 2
    short = rows.shape[1] < width
    if short:
        rows = np.pad(rows, ((0, 0), (half, half)), mode="edge")
    out = np.empty_like(rows)
    inner = rows.shape[1] - 2 * half
    slope = np.zeros((len(rows), inner), dtype=np.float32)
    for k in range(1, half + 1):
        slope += np.float32(k) * (rows[:, half + k : half + k + inner] - rows[:, half - k : half - k + inner])
    slope *= np.float32(1.0 / (2 * sum(k * k for k in range(1, half + 1))))
    if short:
        return slope
    out[:, half : half + inner] = slope
    out[:, :half] = slope[:, :1]
    out[:, half + inner :] = slope[:, -1:]
    return out


@kernel("void(f4[:,::1], i8[::1], i8[::1], f4[:,::1], f4[:,::1])")
def _apply_bank(
    power: NDArray[np.float32],
    first: NDArray[np.int64],
    length: NDArray[np.int64],
    weights: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    for t in range(power.shape[0]):
        for m in range(first.size):
            # Slices, because an index that might be negative keeps the compiler from using vector instructions.
            values = power[t, first[m] : first[m] + length[m]]
            total = np.float32(0.0)
            for k in range(values.size):
                total += weights[m, k] * values[k]
            out[m, t] = total


@kernel("void(f4[:,::1], f4[:,::1], f4[:,::1])")
def _mix_rows(matrix: NDArray[np.float32], rows: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    # A loop rather than a product of matrices: its threads would fight over the cores with the worker processes.
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            weight = matrix[i, j]
            for t in range(rows.shape[1]):
                out[i, t] += weight * rows[j, t]
