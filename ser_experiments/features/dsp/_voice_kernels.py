"""The compiled loops of the voice measures; :mod:`.voice` says what they are for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel


@kernel("void(f4[:,::1], f4[::1], f4[:,::1])")
def harmonics(power: NDArray[np.float32], f0: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Read the highest power near the first multiples of the fundamental (in bins)."""
    last = power.shape[1] - 1
    for t in range(power.shape[0]):
        reach = np.float32(0.15) * f0[t]
        for h in range(out.shape[0]):
            place = f0[t] * np.float32(h + 1)
            low = min(max(int(np.ceil(place - reach)), 1), last)
            high = min(max(int(place + reach), 1), last)
            # Low voices have less than a bin on either side: the nearest bin counts then.
            near = min(int(place + np.float32(0.5)), last)
            best = power[t, near]
            for k in range(low, high + 1):
                best = max(best, power[t, k])
            out[h, t] = best


@kernel("i8(f4[::1], i8, i8)")
def loudest(padded: NDArray[np.float32], begin: int, length: int) -> int:
    """Return the place of the largest sample: cycles centred on the pulse of the glottis are told apart best."""
    best = begin
    for i in range(begin, min(begin + length, padded.size)):
        if abs(padded[i]) > abs(padded[best]):
            best = i
    return best


@kernel("f4(f4[::1], i8, i8, i8, f4[::1])")
def matches(padded: NDArray[np.float32], place: int, half: int, low: int, out: NDArray[np.float32]) -> np.float32:
    """Correlate the cycle around a place with those `low` samples later and on; return its energy."""
    first = padded[place - half : place + half]
    power = np.float32(1e-12)
    for i in range(2 * half):
        power += first[i] * first[i]
    for lag in range(out.size):
        begin = place + low + lag - half
        second = padded[begin : begin + 2 * half]
        both = np.float32(0.0)
        other = np.float32(1e-12)
        for i in range(2 * half):
            both += first[i] * second[i]
            other += second[i] * second[i]
        out[lag] = both / np.sqrt(power * other)
    return power


@kernel("i8(f4[::1], f4[::1], i8, i8, f4, f4[:,::1], i8[::1])")
def march(
    padded: NDArray[np.float32],
    period: NDArray[np.float32],
    hop: int,
    pad: int,
    least: float,
    values: NDArray[np.float32],
    run: NDArray[np.int64],
) -> int:
    """Walk through each voiced stretch cycle by cycle; return how many cycles were written."""
    near = np.empty(1024, dtype=np.float32)
    found = 0
    number = 0
    t = 0
    while t < period.size:
        if period[t] <= 0:
            t += 1
            continue
        end = t
        while end < period.size and period[end] > 0:
            end += 1
        number += 1
        place = loudest(padded, pad + max(t * hop - hop // 2, 0), int(period[t]))
        stop = min(pad + (end - 1) * hop + hop // 2, padded.size - pad)
        while found < run.size:
            frame = min(max((place - pad + hop // 2) // hop, t), end - 1)
            expected = period[frame]
            half = int(expected * np.float32(0.5) + np.float32(0.5))
            low = int(expected * np.float32(0.8))
            high = min(int(expected * np.float32(1.25)) + 1, low + near.size - 1)
            if place + high > stop:
                break
            power = matches(padded, place, half, low, near[: high - low + 1])
            best = 1
            for i in range(2, high - low):
                if near[i] > near[best]:
                    best = i
            bend = near[best - 1] - 2 * near[best] + near[best + 1]
            slope = (near[best + 1] - near[best - 1]) / 2
            shift = -slope / bend if bend < -1e-9 else np.float32(0.0)
            shift = min(max(shift, np.float32(-1.0)), np.float32(1.0))
            match = near[best] + slope * shift / 2
            if match >= least:
                values[0, found] = low + best + shift
                values[1, found] = np.sqrt(power / np.float32(2 * half))
                values[2, found] = match
                run[found] = number
                found += 1
            else:
                number += 1
            # A walk that began beside a pulse, at an onset, finds its way to the middle of it.
            reach = int(np.float32(0.15) * expected)
            place = loudest(padded, place + low + best - reach, 2 * reach + 1)
        t = end
    return found
