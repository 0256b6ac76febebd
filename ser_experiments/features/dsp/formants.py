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
#: Radius of the circle, below 1, on which the envelope is read.
RADIUS = 0.96


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
    autocorrelation = np.empty((len(power), ORDER + 1), dtype=np.float32)
    _autocorrelate(power, _emphasised_cosines(n_bins, bin_hz), autocorrelation)
    predictor = np.empty_like(autocorrelation)
    _levinson(autocorrelation, predictor)
    out = np.full((3, len(power)), np.nan, dtype=np.float32)
    _peaks(predictor, _grid(), np.array(RANGES, dtype=np.float32) / np.float32(STEP_HZ), out)
    return out * np.float32(STEP_HZ)


@lru_cache(maxsize=4)
def _emphasised_cosines(n_bins: int, bin_hz: float) -> NDArray[np.float32]:
    """Return what turns a power spectrum into the autocorrelation of the pre-emphasised signal."""
    angle = np.pi * np.arange(n_bins) * bin_hz / TOP_HZ
    cosines = np.cos(np.outer(np.arange(ORDER + 1), angle))
    cosines[:, [0, -1]] *= 0.5
    # Pre-emphasis of 6 dB an octave above 50 Hz.
    coefficient = np.exp(-np.pi * 50.0 / TOP_HZ)
    return np.asarray(cosines * np.abs(1.0 - coefficient * np.exp(-1j * angle)) ** 2, dtype=np.float32)


@lru_cache(maxsize=1)
def _grid() -> NDArray[np.float32]:
    """Return the powers of z, inside the unit circle, at which the predictor is evaluated: real, imaginary."""
    angle = np.pi * np.arange(0.0, TOP_HZ, STEP_HZ) / TOP_HZ
    turn = np.exp(-1j * np.outer(np.arange(ORDER + 1), angle)) * RADIUS ** -np.arange(ORDER + 1.0)[:, None]
    return np.ascontiguousarray(np.stack([turn.real, turn.imag]), dtype=np.float32)


# Loops rather than matrix products: products would start the threads of the linear algebra library, which wait for
# one another where every core already extracts.
@kernel("void(f4[:,::1], f4[:,::1], f4[:,::1])")
def _autocorrelate(power: NDArray[np.float32], cosines: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for t in range(out.shape[0]):
        row = power[t]
        for m in range(out.shape[1]):
            turn = cosines[m]
            total = np.float32(0.0)
            for k in range(turn.size):
                total += row[k] * turn[k]
            out[t, m] = total


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


@kernel("void(f4[:,::1], f4[:,:,::1], f4[:,::1], f4[:,::1])")
def _peaks(
    predictor: NDArray[np.float32],
    grid: NDArray[np.float32],
    ranges: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    n = grid.shape[2]
    real = np.empty(n, dtype=np.float32)
    imag = np.empty(n, dtype=np.float32)
    for t in range(predictor.shape[0]):
        real[:] = np.float32(0.0)
        imag[:] = np.float32(0.0)
        for j in range(predictor.shape[1]):
            weight = predictor[t, j]
            for k in range(n):
                real[k] += weight * grid[0, j, k]
                imag[k] += weight * grid[1, j, k]
        for k in range(n):
            real[k] = real[k] * real[k] + imag[k] * imag[k] + np.float32(1e-20)
        which = 0
        for k in range(1, n - 1):
            if which == ranges.shape[0]:
                break
            # The envelope is the inverse of the predictor's power: its peaks are the valleys here.
            if real[k] >= real[k - 1] or real[k] > real[k + 1]:
                continue
            before, here, after = np.log(real[k - 1]), np.log(real[k]), np.log(real[k + 1])
            bend = before - 2 * here + after
            place = k + (before - after) / (2 * bend) if bend > 0 else np.float32(k)
            while which < ranges.shape[0] and place > ranges[which, 1]:
                which += 1
            if which < ranges.shape[0] and place >= ranges[which, 0]:
                out[which, t] = place
                which += 1
