"""Estimate formants by linear prediction from power spectra.

The autocorrelation follows from the part of the spectrum up to 5.5 kHz (selective linear prediction, Makhoul, 1975),
the predictor from Levinson's recursion, and the formants are the peaks of its envelope, evaluated inside the unit
circle so that neighbours part (McCandless, 1974).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel

ORDER = 11
TOP_HZ = 5500.0
STEP_HZ = 20.0
#: Ranges in Hz in which the first three formants of speech lie.
RANGES = ((200.0, 1100.0), (750.0, 3000.0), (1700.0, 4000.0))
_RADIUS = 0.96


def estimate(power: NDArray[np.float32], bin_hz: float) -> NDArray[np.float32]:
    """Estimate the first three formants.

    Parameters
    ----------
    power : ndarray of shape (n_frames, n_bins), float32
        Power spectra of voiced frames, to 5.5 kHz at least.
    bin_hz : float
        Distance between bins.

    Returns
    -------
    ndarray of shape (3, n_frames), float32
        Hz; NaN where no peak was found.
    """
    n_bins = int(TOP_HZ / bin_hz) + 1
    cosines, emphasis = _tables(n_bins, bin_hz)
    autocorrelation = (power[:, :n_bins] * emphasis) @ cosines
    predictor = np.empty((len(power), ORDER + 1), dtype=np.float32)
    _levinson(autocorrelation, predictor)
    wave = _grid()
    real, imag = predictor @ wave[0], predictor @ wave[1]
    envelope = -np.log(real * real + imag * imag + np.float32(1e-20))
    out = np.full((3, len(power)), np.nan, dtype=np.float32)
    _peaks(envelope, np.array(RANGES, dtype=np.float32) / np.float32(STEP_HZ), out)
    return out * np.float32(STEP_HZ)


@lru_cache(maxsize=4)
def _tables(n_bins: int, bin_hz: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    angle = np.pi * np.arange(n_bins) * bin_hz / TOP_HZ
    cosines = np.cos(np.outer(angle, np.arange(ORDER + 1)))
    cosines[[0, -1]] *= 0.5
    # Pre-emphasis of 6 dB an octave above 50 Hz.
    coefficient = np.exp(-np.pi * 50.0 / TOP_HZ)
    emphasis = np.abs(1.0 - coefficient * np.exp(-1j * angle)) ** 2
    return cosines.astype(np.float32), emphasis.astype(np.float32)


@lru_cache(maxsize=1)
def _grid() -> NDArray[np.float32]:
    angle = np.pi * np.arange(0.0, TOP_HZ, STEP_HZ) / TOP_HZ
    turn = np.exp(-1j * np.outer(np.arange(ORDER + 1), angle)) * _RADIUS ** -np.arange(ORDER + 1)[:, None]
    return np.ascontiguousarray(np.stack([turn.real, turn.imag])).astype(np.float32)


@kernel("void(f4[:,::1], f4[:,::1])")
def _levinson(r: NDArray[np.float32], a: NDArray[np.float32]) -> None:
    order = a.shape[1] - 1
    old = np.empty(order + 1)
    for t in range(a.shape[0]):
        row = np.zeros(order + 1)
        row[0] = 1.0
        # A ten-thousandth of white noise keeps the recursion stable where the spectrum has gaps.
        error = r[t, 0] * 1.0001 + 1e-20
        for i in range(1, order + 1):
            total = 0.0
            for j in range(i):
                total += row[j] * r[t, i - j]
            reflection = -total / error
            old[:] = row
            for j in range(1, i + 1):
                row[j] = old[j] + reflection * old[i - j]
            error *= max(1.0 - reflection * reflection, 1e-9)
        for j in range(order + 1):
            a[t, j] = row[j]


@kernel("void(f4[:,::1], f4[:,::1], f4[:,::1])")
def _peaks(envelope: NDArray[np.float32], ranges: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for t in range(envelope.shape[0]):
        row = envelope[t]
        which = 0
        for k in range(1, row.size - 1):
            if which == ranges.shape[0]:
                break
            if row[k] <= row[k - 1] or row[k] < row[k + 1]:
                continue
            bend = row[k - 1] - 2 * row[k] + row[k + 1]
            shift = (row[k - 1] - row[k + 1]) / (2 * bend) if bend < 0 else np.float32(0.0)
            place = k + shift
            while which < ranges.shape[0] and place > ranges[which, 1]:
                which += 1
            if which < ranges.shape[0] and place >= ranges[which, 0]:
                out[which, t] = place
                which += 1
