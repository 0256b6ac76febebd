"""Track the fundamental frequency of a voice.

A normalised cross-correlation gives candidates for the period of each frame (Talkin, 1995), a Viterbi search
takes the cheapest path through them (Boersma, 1993), and the period found is refined on the undecimated waveform.

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

from ser_experiments.features.dsp.frames import n_frames
from ser_experiments.features.dsp.jit import kernel

#: Periods are looked for at about this rate; the voice source has its energy well below half of it.
SEARCH_RATE = 8000
#: Length of the tapered window in seconds; with the lag it spans up to 64 ms, which is four periods at 60 Hz.
WINDOW_S = 0.048
#: Candidates a frame, without the unvoiced one.
N_CANDIDATES = 8
#: Correlation that a voiced frame must reach.
VOICING_THRESHOLD = 0.5
#: Frames softer than this share of the loud frames (amplitude) count as unvoiced ever more.
SILENCE = 0.02
#: What an octave downward costs, in units of correlation: a period of two cycles correlates as well as one.
OCTAVE_COST = 0.04
#: What a jump of an octave and a change between voiced and unvoiced cost, for frames of 10 ms.
JUMP_COST = 0.35
VOICING_COST = 0.12


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
        The same correlation over the whole band, at the refined period; 0 in unvoiced frames. It is the share
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
    place = _cheapest_path(periods, strengths, level, rate / fmin, hop / sample_rate)
    rows = np.arange(count)
    voiced = place > 0
    voicing[voiced] = np.clip(strengths[rows, place][voiced], 0.0, 1.0)
    coarse = np.where(voiced, periods[rows, place] * np.float32(factor), np.float32(0.0))
    period, periodicity = _refined(audio, coarse, hop, sample_rate)
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
    _fir(phases, taps, low)
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
    _block_products(padded, half_hop, n_lags, products)
    inverse = _inverse_level(padded, weights, half_hop)
    correlation = np.empty((count, n_lags), dtype=np.float32)
    _normalise(products, weights, inverse, half_hop, n_lags, correlation)
    start = n_lags + np.arange(count) * hop
    return correlation, 1.0 / inverse[start]


def _inverse_level(
    padded: NDArray[np.float32], weights: NDArray[np.float32], half_hop: int
) -> NDArray[np.float32]:
    """Return one over the root of the weighted power of the window that begins at each sample."""
    sums = np.zeros(len(padded) + 1)
    np.cumsum(np.square(padded), dtype=np.float64, out=sums[1:])
    block = (sums[half_hop:] - sums[:-half_hop]).astype(np.float32)
    out = np.empty(len(block) - (len(weights) - 1) * half_hop, dtype=np.float32)
    _inverse_root(block, weights, half_hop, out)
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
    _pick_peaks(correlation, shortest, longest, OCTAVE_COST, periods, strengths)
    return periods, strengths


def _cheapest_path(
    periods: NDArray[np.float32],
    strengths: NDArray[np.float32],
    level: NDArray[np.float32],
    longest: float,
    frame_s: float,
) -> NDArray[np.int64]:
    """Return the candidate of each frame on the best path; 0 is the unvoiced one."""
    loud = max(float(np.percentile(level, 95.0)), 1e-12)
    known = periods > 0
    octaves = np.log2(np.where(known, periods / np.float32(longest), np.float32(1.0)))
    local = np.where(known, strengths - np.float32(OCTAVE_COST) * octaves, np.float32(-1e3))
    softness = 2.0 - level / loud * (1.0 + VOICING_THRESHOLD) / SILENCE
    local[:, 0] = VOICING_THRESHOLD + np.maximum(0.0, softness)
    scale = 0.01 / frame_s
    place = np.empty(len(local), dtype=np.int64)
    _viterbi(local, octaves, JUMP_COST * scale, VOICING_COST * scale, place)
    return place


def _refined(
    audio: NDArray[np.float32], coarse: NDArray[np.float32], hop: int, sample_rate: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Find the correlation peak near each coarse period on the waveform itself; 0 stays 0."""
    pad = sample_rate // 8
    padded = np.zeros(len(audio) + 2 * pad, dtype=np.float32)
    padded[pad : pad + len(audio)] = audio
    period, peak = np.zeros_like(coarse), np.zeros_like(coarse)
    _refine(padded, coarse, hop, pad, period, peak)
    return period, peak


@kernel("void(f4[:,::1], f4[::1], f4[::1])")
def _fir(phases: NDArray[np.float32], taps: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    out[:] = np.float32(0.0)
    # Pieces that stay in the first-level cache; the inner loop runs over samples, so that it is vectorised.
    for begin in range(0, out.size, 1024):
        piece = out[begin : begin + 1024]
        for j in range(taps.size):
            tap = taps[j]
            source = phases[j % phases.shape[0], begin + j // phases.shape[0] :]
            for i in range(piece.size):
                piece[i] += tap * source[i]
    last_in = np.float32(0.0)
    last_out = np.float32(0.0)
    for i in range(out.size):
        # A first-order high pass; its pole of 0.976 lies at 30 Hz for the search rate.
        last_out = out[i] - last_in + np.float32(0.976) * last_out
        last_in = out[i]
        out[i] = last_out


@kernel("void(f4[::1], f4[::1], i8, f4[::1])")
def _inverse_root(
    block: NDArray[np.float32], weights: NDArray[np.float32], half_hop: int, out: NDArray[np.float32]
) -> None:
    for begin in range(0, out.size, 1024):
        piece = out[begin : begin + 1024]
        # The waveform's peak is 1, so this floor of -90 dB gives stretches without power a correlation of 0.
        piece[:] = np.float32(1e-9)
        for j in range(weights.size):
            weight = weights[j]
            source = block[begin + j * half_hop :]
            for i in range(piece.size):
                piece[i] += weight * source[i]
        for i in range(piece.size):
            piece[i] = np.float32(1.0) / np.sqrt(max(piece[i], np.float32(1e-9)))


@kernel("void(f4[::1], i8, i8, f4[:,::1])")
def _block_products(padded: NDArray[np.float32], size: int, n_lags: int, out: NDArray[np.float32]) -> None:
    for block in range(out.shape[0]):
        begin = n_lags + block * size
        for half in range((n_lags + 1) // 2):
            # Two lags share the earlier factor: 2 * half and the next.
            first = padded[begin - half : begin - half + size]
            second = padded[begin + half : begin + half + size]
            third = padded[begin + half + 1 : begin + half + 1 + size]
            even = np.float32(0.0)
            odd = np.float32(0.0)
            for i in range(size):
                even += first[i] * second[i]
                odd += first[i] * third[i]
            out[block, 2 * half] = even
            if 2 * half + 1 < n_lags:
                out[block, 2 * half + 1] = odd


@kernel("void(f4[:,::1], f4[::1], f4[::1], i8, i8, f4[:,::1])")
def _normalise(
    products: NDArray[np.float32],
    weights: NDArray[np.float32],
    inverse: NDArray[np.float32],
    half_hop: int,
    n_lags: int,
    out: NDArray[np.float32],
) -> None:
    for t in range(out.shape[0]):
        row = out[t]
        row[:] = np.float32(0.0)
        for i in range(weights.size):
            weight = weights[i]
            block = products[2 * t + i]
            for lag in range(n_lags):
                row[lag] += weight * block[lag]
        begin = n_lags + 2 * t * half_hop
        for lag in range(n_lags):
            row[lag] *= inverse[begin - lag // 2] * inverse[begin + (lag - lag // 2)]


@kernel("void(f4[:,::1], i8, i8, f8, f4[:,::1], f4[:,::1])")
def _pick_peaks(
    rows: NDArray[np.float32],
    shortest: int,
    longest: int,
    octave_cost: float,
    periods: NDArray[np.float32],
    strengths: NDArray[np.float32],
) -> None:
    most = periods.shape[1] - 1
    scores = np.empty(most + 1, dtype=np.float32)
    for t in range(rows.shape[0]):
        row = rows[t]
        found = 0
        for lag in range(shortest, longest + 1):
            here = row[lag]
            if here < 0.2 or here < row[lag - 1] or here <= row[lag + 1]:
                continue
            bend = row[lag - 1] - 2 * here + row[lag + 1]
            slope = (row[lag + 1] - row[lag - 1]) / 2
            shift = -slope / bend if bend < -1e-9 else np.float32(0.0)
            height = here + slope * shift / 2
            score = height - octave_cost * np.log2(lag + shift)
            place = found
            while place > 0 and scores[place] < score:
                if place < most:
                    scores[place + 1] = scores[place]
                    periods[t, place + 1] = periods[t, place]
                    strengths[t, place + 1] = strengths[t, place]
                place -= 1
            if place < most:
                scores[place + 1] = score
                periods[t, place + 1] = lag + shift
                strengths[t, place + 1] = height
                found = min(found + 1, most)


@kernel("void(f4[:,::1], f4[:,::1], f8, f8, i8[::1])")
def _viterbi(
    local: NDArray[np.float32],
    octaves: NDArray[np.float32],
    jump_cost: float,
    voicing_cost: float,
    place: NDArray[np.int64],
) -> None:
    n, m = local.shape
    came = np.zeros((n, m), dtype=np.int64)
    score = local[0].astype(np.float64)
    fresh = np.empty(m)
    for t in range(1, n):
        for j in range(m):
            best = -1e30
            for i in range(m):
                if (i == 0) != (j == 0):
                    cost = voicing_cost
                elif i == 0:
                    cost = 0.0
                else:
                    cost = jump_cost * abs(octaves[t - 1, i] - octaves[t, j])
                value = score[i] - cost
                if value > best:
                    best = value
                    came[t, j] = i
            fresh[j] = best + local[t, j]
        # Only differences matter; this keeps the numbers small over hours of audio.
        score[:] = fresh - fresh[0]
    last = 0
    for j in range(m):
        if score[j] > score[last]:
            last = j
    for t in range(n - 1, -1, -1):
        place[t] = last
        last = came[t, last]


@kernel("void(f4[::1], f4[::1], i8, i8, f4[::1], f4[::1])")
def _refine(
    padded: NDArray[np.float32],
    coarse: NDArray[np.float32],
    hop: int,
    pad: int,
    period: NDArray[np.float32],
    peak: NDArray[np.float32],
) -> None:
    near = np.empty(7, dtype=np.float32)
    for t in range(coarse.size):
        if coarse[t] <= 0:
            continue
        middle = int(coarse[t] + 0.5)
        # Two periods: as local as the measure can be, so that a changing pitch counts little as noise.
        half = min(max(middle, 80), 400)
        for i in range(7):
            lag = middle + i - 3
            begin = pad + t * hop - half - lag // 2
            first = padded[begin : begin + 2 * half]
            second = padded[begin + lag : begin + lag + 2 * half]
            both = np.float32(0.0)
            one = np.float32(0.0)
            two = np.float32(0.0)
            for n in range(2 * half):
                both += first[n] * second[n]
                one += first[n] * first[n]
                two += second[n] * second[n]
            near[i] = both / np.sqrt(one * two + np.float32(1e-12))
        best = 1
        for i in range(2, 6):
            if near[i] > near[best]:
                best = i
        bend = near[best - 1] - 2 * near[best] + near[best + 1]
        slope = (near[best + 1] - near[best - 1]) / 2
        shift = -slope / bend if bend < -1e-9 else np.float32(0.0)
        shift = min(max(shift, np.float32(-1.0)), np.float32(1.0))
        period[t] = middle + best - 3 + shift
        peak[t] = min(max(near[best] + slope * shift / 2, np.float32(0.0)), np.float32(1.0))
