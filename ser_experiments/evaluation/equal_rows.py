"""Rows of a ready-made table that are one: the nearest neighbour of each, where it is no further than a rounding."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: Two numbers are one where they differ by less than this share of the column's deviation.
CLOSE = 1e-3
#: Rows are compared where so many columns hold numbers that are seldom the same by chance.
FEWEST = 5
_DISTINCT = 0.4
#: Neighbours along a random direction that a row is compared with.
_NEIGHBOURS = 8


def equal_rows(table: pd.DataFrame) -> list[tuple[int, int]]:
    """Return the places of two rows that are equal but for their rounding.

    Equal rows are side by side along any direction, so that one sorting finds them among any number of rows.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Numbers; other columns are passed over.
    """
    values = _scaled(table)
    if len(values) < 2 or values.shape[1] < FEWEST:
        return []
    direction = np.random.default_rng(0).standard_normal(values.shape[1])
    thrown = np.asarray(values @ direction)
    order = np.argsort(thrown, kind="stable")
    found = []
    for away in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
        first, second = order[:-away], order[away:]
        # The projection of two equal rows differs by little: only those are compared number by number.
        near = np.flatnonzero(np.abs(thrown[first] - thrown[second]) < CLOSE * values.shape[1])
        for one, other in zip(first[near].tolist(), second[near].tolist(), strict=True):
            if np.abs(values[one] - values[other]).max() < CLOSE:
                found.append((min(one, other), max(one, other)))
    return sorted(found)


def _scaled(table: pd.DataFrame) -> NDArray[np.float32]:
    """Return the columns whose numbers tell rows apart, in units of their deviation; what is missing is 0."""
    numbers = table.select_dtypes("number")
    telling = [name for name in numbers if numbers[name].nunique() > max(2, _DISTINCT * len(numbers))]
    values = numbers[telling].to_numpy(dtype=np.float64)
    deviation = np.nanstd(values, axis=0) if len(values) else np.ones(values.shape[1])
    with np.errstate(invalid="ignore"):
        values = (values - np.nanmean(values, axis=0)) / deviation if len(values) else values
    return np.nan_to_num(values, posinf=0.0, neginf=0.0).astype(np.float32)
