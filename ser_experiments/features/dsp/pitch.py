"""Track the fundamental frequency of a voice.

A normalised cross-correlation of the waveform, low-passed at 2 kHz, gives candidates for the period of each
frame (Talkin, 1995), interpolated between samples; a Viterbi search takes the cheapest path through them
(Boersma, 1993).

References
----------
Talkin, D. (1995). A robust algorithm for pitch tracking (RAPT). In Kleijn & Paliwal (eds.), Speech Coding and
Synthesis, 495-518. Boersma, P. (1993). Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound. Proc. Institute of Phonetic Sciences 17, 97-110.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, cast

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from ser_experiments.features.dsp import _pitch_kernels as kernels
from ser_experiments.features.dsp.frames import n_frames

#: Periods are looked for at about this rate; the voice source has its energy well below half of it.
SEARCH_RATE = 8000
#: Length of the tapered window in seconds; with the lag it spans up to 64 ms, which is four periods at 60 Hz.
WINDOW_S = 0.048
#: Candidates a frame, without the unvoiced one.
N_CANDIDATES = 8
#: Correlation that a voiced frame must reach.
VOICING_THRESHOLD = 0.55
#: Frames softer than this share of the loud frames (amplitude) count as unvoiced ever more.
SILENCE = 0.045
#: What an octave downward costs, in units of correlation: a period of two cycles correlates as well as one.
OCTAVE_COST = 0.03
#: What a jump of an octave and a change between voiced and unvoiced cost, for frames of 10 ms.
JUMP_COST = 0.5
VOICING_COST = 0.15


class F0Track(NamedTuple):
    """The fundamental frequency of one recording, frame by frame.

    Attributes
    ----------
    f0 : ndarray of shape (n_frames,), float32
        In Hz, NaN where the frame is unvoiced.
    voicing : ndarray of shape (n_frames,), float32
        Correlation of the low-passed waveform with itself one period later, 0 to 1; in an unvoiced frame that
        of the best period.
    voiced : ndarray of shape (n_frames,), bool
        Whether the frame is voiced.
    periodicity : ndarray of shape (n_frames,), float32
        The same correlation over the whole band and two periods only; 0 in unvoiced frames. It is the share
        of the power that repeats, hence the harmonics-to-noise ratio.
    """

    f0: NDArray[np.float32]
    voicing: NDArray[np.float32]
    voiced: NDArray[np.bool_]
    periodicity: NDArray[np.float32]


def track_f0(
    audio: NDArray[np.float32],
    sample_rate: int = 16_000,
    *,
    hop: int = 160,
    fmin: float = 60.0,
    fmax: float = 600.0,
) -> F0Track:
    """Track the fundamental frequency.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        Mono, finite, at least one sample. The gain does not matter.
    sample_rate : int
        In Hz.
    hop : int
        Step between frames in samples, even. Frame t is centred on sample ``t * hop``, as in librosa.
    fmin, fmax : float
        Range of the frequencies looked for, in Hz.

    Returns
    -------
    F0Track
        ``1 + n_samples // hop`` frames.

    Raises
    ------
    ValueError
        `hop` is odd, or the range is empty or too wide for the rate.
    """
    if hop < 2 or hop % 2:
        raise ValueError(f"hop must be even and positive, got {hop}")
    if not 0 < fmin < fmax <= sample_rate / 8:
        raise ValueError(f"need 0 < fmin < fmax <= sample_rate / 8, got {fmin}, {fmax} at {sample_rate} Hz")
    count = n_frames(len(audio), hop)
    factor = _factor(sample_rate, hop)
    rate = sample_rate / factor
    shortest, longest = int(rate / fmax), int(np.ceil(rate / fmin))
    audio = _unit_peak(audio)
    low = _decimate(audio, factor)
    correlation, level = _correlate(low, count, hop // factor, rate, longest + 2)
    periods, strengths = _candidates(correlation, max(shortest, 2), longest)
    voicing = np.clip(strengths[:, 1:].max(axis=1), 0.0, 1.0)
    place = _cheapest_path(periods, strengths, level, rate / np.sqrt(fmin * fmax), hop / sample_rate)
    rows = np.arange(count)
    voiced = place > 0
    voicing[voiced] = np.clip(strengths[rows, place][voiced], 0.0, 1.0)
    period = np.where(voiced, periods[rows, place] * np.float32(factor), np.float32(0.0))
    periodicity = _periodicity(audio, period, hop, sample_rate, longest * factor)
    f0 = np.full(count, np.nan, dtype=np.float32)
    f0[voiced] = np.clip(np.float32(sample_rate) / period[voiced], fmin, fmax)
    return F0Track(f0, voicing, voiced, periodicity)


def _factor(sample_rate: int, hop: int) -> int:
    """Return by how much the rate may be divided so that half a hop stays a whole number of samples."""
    most = max(sample_rate // SEARCH_RATE, 1)
    return max(d for d in range(1, most + 1) if hop % (2 * d) == 0)


def _unit_peak(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Remove the mean and scale to a peak of 1, so that no threshold depends on the gain."""
    centred = audio - audio.mean(dtype=np.float64).astype(np.float32)
    peak = max(float(centred.max()), -float(centred.min()))
    # Below this there is only rounding of a constant.
    floor = 1e-6 * float(np.abs(audio[:1]).max()) + 1e-20
    return np.ascontiguousarray(centred / np.float32(peak)) if peak > floor else np.zeros_like(audio)


@lru_cache(maxsize=8)
def _low_pass(factor: int) -> NDArray[np.float32]:
    taps = scipy.signal.firwin(16 * factor + 1, 0.5, window=("kaiser", 5.0), fs=2.0 * factor)
    return cast("NDArray[np.float32]", taps.astype(np.float32))


def _decimate(audio: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Low-pass to a quarter of the new rate, keep every `factor`-th sample, and block what is below 30 Hz."""
    taps = _low_pass(factor)
    half = len(taps) // 2
    padded = np.zeros(len(audio) + 2 * half, dtype=np.float32)
    padded[half : half + len(audio)] = audio
    # One row for each residue of the sample number, so that every tap reads consecutive samples.
    width = -(-len(padded) // factor)
    phases = np.zeros((factor, width), dtype=np.float32)
    for i in range(factor):
        part = padded[i::factor]
        phases[i, : len(part)] = part
    low = np.empty(-(-len(audio) // factor), dtype=np.float32)
    kernels.fir(phases, taps, low)
    return low


def _correlate(
    low: NDArray[np.float32], count: int, hop: int, rate: float, n_lags: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Correlate each frame with itself at lags 0 to `n_lags` - 1, half the lag to either side.

    Returns
    -------
    correlation : ndarray of shape (n_frames, n_lags), float32
    level : ndarray of shape (n_frames,), float32
        Root of the windowed power of each frame.
    """
    half_hop = hop // 2
    n_blocks = 2 * max(round(WINDOW_S * rate / hop), 1)
    weights = np.sin(np.pi * (np.arange(n_blocks) + 0.5) / n_blocks).astype(np.float32) ** 2
    weights /= weights.sum() * half_hop
    pad = n_blocks // 2 * half_hop + n_lags
    total = (2 * (count - 1) + n_blocks) * half_hop
    padded = np.zeros(total + 2 * n_lags, dtype=np.float32)
    room = len(padded) - pad
    padded[pad : pad + len(low)] = low[:room]
    products = np.empty((total // half_hop, n_lags), dtype=np.float32)
    kernels.block_products(padded, half_hop, n_lags, products)
    inverse = _inverse_level(padded, weights, half_hop)
    correlation = np.empty((count, n_lags), dtype=np.float32)
    kernels.normalise(products, weights, inverse, half_hop, n_lags, correlation)
    start = n_lags + np.arange(count) * hop
    return correlation, 1.0 / inverse[start]


def _inverse_level(padded: NDArray[np.float32], weights: NDArray[np.float32], half_hop: int) -> NDArray[np.float32]:
    """Return one over the root of the weighted power of the window that begins at each sample."""
    sums = np.zeros(len(padded) + 1)
    np.cumsum(np.square(padded), dtype=np.float64, out=sums[1:])
    block = (sums[half_hop:] - sums[:-half_hop]).astype(np.float32)
    out = np.empty(len(block) - (len(weights) - 1) * half_hop, dtype=np.float32)
    kernels.inverse_root(block, weights, half_hop, out)
    return out


def _candidates(
    correlation: NDArray[np.float32], shortest: int, longest: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take the highest peaks of each row; column 0 is left for the unvoiced candidate.

    Returns
    -------
    periods : ndarray of shape (n_frames, 1 + N_CANDIDATES), float32
        In samples, interpolated; 0 where there is no candidate.
    strengths : ndarray of the same shape, float32
        Correlation at the peak, interpolated.
    """
    shape = (len(correlation), 1 + N_CANDIDATES)
    periods, strengths = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    kernels.pick_peaks(correlation, shortest, longest, OCTAVE_COST, periods, strengths)
    return periods, strengths


def _cheapest_path(
    periods: NDArray[np.float32],
    strengths: NDArray[np.float32],
    level: NDArray[np.float32],
    usual: float,
    frame_s: float,
) -> NDArray[np.int64]:
    """Return the candidate of each frame on the best path; 0 is the unvoiced one."""
    loud = _loud(level)
    known = periods > 0
    octaves = np.log2(np.where(known, periods / np.float32(usual), np.float32(1.0)))
    local = np.where(known, strengths - np.float32(OCTAVE_COST) * octaves, np.float32(-1e3))
    softness = 2.0 - level / loud * (1.0 + VOICING_THRESHOLD) / SILENCE
    local[:, 0] = VOICING_THRESHOLD + np.maximum(0.0, softness)
    scale = 0.01 / frame_s
    place = np.empty(len(local), dtype=np.int64)
    kernels.viterbi(local, octaves, JUMP_COST * scale, VOICING_COST * scale, place)
    return place


def _loud(level: NDArray[np.float32]) -> float:
    """Return the level of loud speech: of the frames that are not silence, the 90th percentile.

    The first percentile finds speech, the second is little moved by how much silence there was around it.
    """
    ordered = np.sort(level)
    some = ordered[round(0.95 * (len(ordered) - 1))]
    heard = ordered[np.searchsorted(ordered, 0.03 * some) :]
    return max(float(heard[round(0.9 * (len(heard) - 1))]), 1e-12)


def _periodicity(
    audio: NDArray[np.float32], period: NDArray[np.float32], hop: int, sample_rate: int, longest: int
) -> NDArray[np.float32]:
    """Correlate each voiced frame with itself one period (in samples) later; 0 where the period is 0."""
    pad = 3 * longest + 8
    padded = np.zeros(len(audio) + 2 * pad, dtype=np.float32)
    padded[pad : pad + len(audio)] = audio
    out = np.empty_like(period)
    kernels.periodicity(padded, period, hop, pad, sample_rate // 200, out)
    return out
