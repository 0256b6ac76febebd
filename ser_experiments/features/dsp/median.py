"""Exact running medians of many rows at once.

A window of ``2 G - 1`` values (G a power of two) moves along the first axis; the second axis holds independent
lanes, so that every comparison is one vector instruction over many of them. The work is shared as in Adams (2021,
"Fast median filters using separable sorting networks"), taken to one dimension:

- cut the first axis into blocks of G and sort each by merging, keeping the sorted pieces of every size;
- the G windows that end in one block all hold the block before it. Halve the windows again and again: the two halves
  differ in one sorted piece of a neighbouring block each, and of the 3 g values in question only the middle g can
  still be a median (see :func:`_narrow`).

At G = 16 this takes 11 to 12 comparisons of pairs for each median of 31.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.jit import kernel

#: Lanes that are worked on together: few enough that their rows stay in a fast cache.
LANES = 256


def running_median(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return ``scipy.ndimage.median_filter(values, size=(size, 1), mode="reflect")``.

    Parameters
    ----------
    values : ndarray of shape (n, n_lanes), float32
        Finite and contiguous; the window moves along the first axis.
    size : int
        Length of the window: 3, 7, 15, 31, 63, ...

    Returns
    -------
    ndarray of shape (n, n_lanes), float32
    """
    if size < 3 or size & (size + 1):
        raise ValueError(f"size must be one less than a power of two, got {size}")
    block = (size + 1) // 2
    out = np.empty_like(values)
    if not values.size:
        return out
    _running_median(values, _reflected(len(values), block), block, LANES, out)
    return out


def _reflected(n: int, block: int) -> NDArray[np.int64]:
    """Say which row stands at each place of the padded first axis (``mode="reflect"`` repeats the edge)."""
    n_blocks = -(-n // block)
    place = (np.arange((n_blocks + 2) * block) - block) % (2 * n)
    return np.minimum(place, 2 * n - 1 - place).astype(np.int64)


@kernel("void(f4[:,::1], i8, i8, i8)")
def _clean(rows: NDArray[np.float32], start: int, size: int, lanes: int) -> None:
    """Sort rows that rise and then fall (or the reverse), a bitonic sequence of `size` rows."""
    step = size // 2
    while step > 0:
        for low in range(start, start + size, 2 * step):
            for i in range(low, low + step):
                for k in range(lanes):
                    a = rows[i, k]
                    b = rows[i + step, k]
                    rows[i, k] = a if a < b else b
                    rows[i + step, k] = b if a < b else a
        step //= 2


@kernel("void(f4[:,:,::1], i8, i8)")
def _sort_block(levels: NDArray[np.float32], block: int, lanes: int) -> None:
    """Fill level l with sorted pieces of 2**l rows, from level 0 on."""
    size = 1
    level = 0
    while size < block:
        for start in range(0, block, 2 * size):
            for i in range(size):
                first = start + i
                second = start + 2 * size - 1 - i
                for k in range(lanes):
                    a = levels[level, first, k]
                    b = levels[level, second, k]
                    levels[level + 1, first, k] = a if a < b else b
                    levels[level + 1, second, k] = b if a < b else a
            _clean(levels[level + 1], start, size, lanes)
            _clean(levels[level + 1], start + size, size, lanes)
        size *= 2
        level += 1


@kernel("void(f4[:,::1], i8, f4[:,::1], i8, f4[:,::1], i8, i8, i8)")
def _narrow(
    kept: NDArray[np.float32],
    at: int,
    piece: NDArray[np.float32],
    piece_at: int,
    out: NDArray[np.float32],
    out_at: int,
    size: int,
    lanes: int,
) -> None:
    """Leave the middle `size` of 2 `size` sorted rows of `kept` and `size` sorted rows of `piece`, sorted.

    Limiting each value of the piece, taken from the largest down, to the range from ``kept[i]`` to
    ``kept[size + i]`` does it: with values of 0 and 1 only, the number of zeros comes out right and they lie side by
    side or at both ends, so by the zero-one principle the result holds the right values as a bitonic sequence.
    """
    for i in range(size):
        for k in range(lanes):
            low = kept[at + i, k]
            high = kept[at + size + i, k]
            value = piece[piece_at + size - 1 - i, k]
            value = value if value < high else high
            out[out_at + i, k] = value if value > low else low
    _clean(out, out_at, size, lanes)


@kernel("void(f4[:,::1], i8[::1], i8, i8, f4[:,::1])")
def _running_median(
    values: NDArray[np.float32], source: NDArray[np.int64], block: int, width: int, out: NDArray[np.float32]
) -> None:
    n, n_lanes = values.shape
    depth = 1
    while 1 << (depth - 1) < block:
        depth += 1
    trees = np.empty((3, depth, block, width), dtype=np.float32)
    kept = np.empty((2, block, width), dtype=np.float32)
    n_parts = -(-n_lanes // width)
    for part in range(n_parts):
        begin = n_lanes * part // n_parts
        lanes = n_lanes * (part + 1) // n_parts - begin
        for b in range(source.size // block):
            fresh = trees[b % 3]
            for i in range(block):
                row = source[b * block + i]
                for k in range(lanes):
                    fresh[0, i, k] = values[row, begin + k]
            _sort_block(fresh, block, lanes)
            if b < 2:
                continue
            before = trees[(b - 2) % 3]
            middle = trees[(b - 1) % 3]
            current = middle[depth - 1]
            size = block // 2
            level = depth - 2
            while size > 0:
                target = kept[level % 2]
                for start in range(0, block, 2 * size):
                    _narrow(current, start, before[level], start + size, target, start, size, lanes)
                    _narrow(current, start, fresh[level], start, target, start + size, size, lanes)
                current = target
                size //= 2
                level -= 1
            first = (b - 2) * block
            for i in range(min(block, n - first)):
                for k in range(lanes):
                    out[first + i, begin + k] = current[i, k]
