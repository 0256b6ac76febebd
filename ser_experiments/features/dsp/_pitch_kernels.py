"""The compiled loops of the pitch tracker; :mod:`.pitch` says what they are for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel


@kernel("void(f4[:,::1], f4[::1], f4[::1])")
def fir(phases: NDArray[np.float32], taps: NDArray[np.float32], out: NDArray[np.float32]) -> None:
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
def inverse_root(
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
def block_products(padded: NDArray[np.float32], size: int, n_lags: int, out: NDArray[np.float32]) -> None:
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
def normalise(
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
def pick_peaks(
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
def viterbi(
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


@kernel("void(f4[::1], f4[::1], i8, i8, i8, f4[::1])")
def periodicity(
    padded: NDArray[np.float32],
    period: NDArray[np.float32],
    hop: int,
    pad: int,
    least: int,
    out: NDArray[np.float32],
) -> None:
    """Correlate each frame with itself near its period; the highest value counts, 0 without a period."""
    near = np.empty(7, dtype=np.float32)
    for t in range(period.size):
        out[t] = np.float32(0.0)
        if period[t] <= 0:
            continue
        middle = int(period[t] + 0.5)
        # Two periods: as local as the measure can be, so that a changing pitch counts little as noise.
        half = max(middle, least)
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
        out[t] = min(max(near[best] + slope * shift / 2, np.float32(0.0)), np.float32(1.0))
