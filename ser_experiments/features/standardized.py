"""Arrays over time from which a mean is taken out where they are read: none of them is copied before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Standardized:
    """An array of shape (n_frames, n_columns) minus a mean, divided by a deviation.

    ``numpy.asarray(cell)`` and ``cell[start:stop]`` compute it, as float32.

    Parameters
    ----------
    cell : ndarray or ArrayRef
        What it is made of.
    mean, deviation : ndarray of shape (n_columns,), float32
        Subtracted, then divided by.
    """

    __slots__ = ("_cell", "_deviation", "_mean")

    def __init__(self, cell: Any, mean: NDArray[np.float32], deviation: NDArray[np.float32]) -> None:
        self._cell, self._mean, self._deviation = cell, mean, deviation

    @property
    def identity(self) -> dict[str, Any]:
        """Return what it is: the array, and what was taken out of it."""
        return {"cell": self._cell, "mean": self._mean, "deviation": self._deviation}

    @property
    def shape(self) -> tuple[int, int]:
        """Return (n_frames, n_columns)."""
        n_frames, n_columns = self._cell.shape
        return n_frames, n_columns

    @property
    def ndim(self) -> int:
        """Return 2."""
        return 2

    @property
    def dtype(self) -> np.dtype[Any]:
        """Return float32."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self._cell)

    def __getitem__(self, item: slice) -> NDArray[np.float32]:
        return self._of(np.asarray(self._cell[item]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[np.floating]:
        if copy is False:
            raise ValueError("it is computed where it is read; it cannot be had without a copy")
        return self._of(np.asarray(self._cell)).astype(dtype or np.float32, copy=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return Standardized, (self._cell, self._mean, self._deviation)

    def __repr__(self) -> str:
        return f"<standardized array {self.shape[0]} x {self.shape[1]}>"

    def _of(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        return np.asarray((values - self._mean) / self._deviation, dtype=np.float32)


def moments(cells: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation over the frames of all arrays, each of shape (n_columns,), one read each."""
    n_frames = sum(len(cell) for cell in cells)
    mean = sum(np.asarray(cell, dtype=np.float64).sum(axis=0) for cell in cells) / n_frames
    squares = sum(((np.asarray(cell, dtype=np.float64) - mean) ** 2).sum(axis=0) for cell in cells)
    return np.asarray(mean), np.sqrt(squares / n_frames)
