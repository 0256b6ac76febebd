"""Utterances of any length as one indexable thing, read from disk piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP

#: Frames of more bytes than this stay on disk and are read batch by batch.
RESIDENT_BYTES = 1 << 30


class Clips:
    """A sequence of arrays over time that share their columns.

    Parameters
    ----------
    cells : sequence of array-like, or ndarray of shape (n_clips, n_columns)
        Each cell is or becomes (``__array__``) an array of shape (n_frames, n_columns) and is not kept in memory
        here. Of a 2-D array each row is a clip of one frame.
    """

    def __init__(self, cells: Sequence[Any] | NDArray[np.float32]) -> None:
        self._cells = cells
        self.is_table = isinstance(cells, np.ndarray) and cells.ndim == 2
        if self.is_table:
            self.lengths = np.ones(len(cells), dtype=np.int64)
            self.n_columns = int(cells.shape[1])  # type: ignore[union-attr]
            self.dtype: np.dtype[Any] = np.dtype(np.float32)
        else:
            self._measure()

    def _measure(self) -> None:
        if len(self._cells) == 0:
            raise InputError("no utterances: need at least one array over time")
        shapes = [_shape(cell) for cell in self._cells]
        for number, shape in enumerate(shapes):
            if len(shape) != 2 or 0 in shape or shape[1] != shapes[0][1]:
                raise InputError(
                    f"utterance {number}: array of shape {shape}; need (n_frames, {shapes[0][-1]}) with frames"
                )
        self.lengths = np.array([shape[0] for shape in shapes], dtype=np.int64)
        self.n_columns = int(shapes[0][1])
        first = getattr(self._cells[0], "dtype", None) or np.asarray(self._cells[0]).dtype
        self.dtype = np.dtype(np.float16 if first == np.float16 else np.float32)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def n_bytes(self) -> int:
        """What all frames take in memory."""
        return int(self.lengths.sum()) * self.n_columns * self.dtype.itemsize

    def read(self, clip: int, start: int = 0, stop: int | None = None) -> NDArray[np.floating]:
        """Return frames `start` to `stop` of one clip, shape (n_frames, n_columns); of a mapped file only those."""
        if self.is_table:
            return self._cells[clip : clip + 1]  # type: ignore[return-value]
        return np.asarray(self._cells[clip])[start:stop]

    def chunks(self, clips: NDArray[np.intp]) -> Iterator[NDArray[np.floating]]:
        """Yield all frames of some clips in arrays of shape (n_frames, n_columns)."""
        if self.is_table:
            for start in range(0, len(clips), 4096):
                yield self._cells[clips[start : start + 4096]]  # type: ignore[call-overload]
        else:
            for clip in clips:
                yield self.read(clip)

    def frames(self) -> NDArray[np.floating]:
        """Return the frames of all clips one after the other, shape (sum of lengths, n_columns)."""
        if self.is_table:
            return self._cells  # type: ignore[return-value]
        buffer = np.empty((int(self.lengths.sum()), self.n_columns), dtype=self.dtype)
        end = 0
        for clip, length in enumerate(self.lengths.tolist()):
            buffer[end : end + length] = self.read(clip)
            end += length
        return buffer

    def moments(self, clips: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and standard deviation of each column over all frames of some clips.

        The deviation of a constant column is given as 1. Chunks are merged by the formula of Chan, Golub and
        LeVeque (1983), which one pass over the disk suffices for.

        Raises
        ------
        InputError
            A value is NaN or infinite.
        """
        count, mean, squares = 0, np.zeros(self.n_columns), np.zeros(self.n_columns)
        for chunk in self.chunks(clips):
            values = np.asarray(chunk, dtype=np.float64)
            own = values.mean(axis=0)
            delta, total = own - mean, count + len(values)
            squares += ((values - own) ** 2).sum(axis=0) + delta**2 * count * len(values) / total
            mean += delta * len(values) / total
            count = total
        if not np.isfinite(squares).all():
            raise InputError("the arrays over time hold NaN or infinite values; extract them again")
        deviation = np.sqrt(squares / max(count, 1))
        flat = deviation <= 1e-6 * np.maximum(1.0, np.abs(mean))
        return mean.astype(np.float32), np.where(flat, 1.0, deviation).astype(np.float32)


def holds_arrays(X: object) -> bool:
    """Say whether X is a sequence of arrays over time rather than a table of numbers."""
    if isinstance(X, pd.DataFrame):
        columns = [name for name in X.columns if name != GROUP]
        return any(_is_cell(value) for name in columns if X[name].dtype == object for value in X[name].iloc[:1])
    if isinstance(X, np.ndarray):
        return X.ndim == 3 or (X.ndim == 1 and X.dtype == object and len(X) > 0 and _is_cell(X[0]))
    return isinstance(X, list | tuple) and len(X) > 0 and len(_shape(X[0])) == 2


def cells_of(X: Any) -> Sequence[Any]:
    """Return the arrays over time of a table, a list or an array of them.

    Raises
    ------
    InputError
        The table has other columns beside the one of arrays and ``group``.
    """
    if not isinstance(X, pd.DataFrame):
        return X
    columns = [name for name in X.columns if name != GROUP]
    if len(columns) != 1:
        raise InputError(
            f"a network over time takes one column of arrays, got {len(columns)} columns "
            f"({', '.join(map(repr, columns[:3]))}, ...); name one feature set"
        )
    cells: Sequence[Any] = X[columns[0]].to_numpy()  # type: ignore[assignment]
    return cells


def _is_cell(value: Any) -> bool:
    return hasattr(value, "__array__") and len(_shape(value)) > 0


def _shape(cell: Any) -> tuple[int, ...]:
    known = getattr(cell, "shape", None)
    return np.shape(cell) if known is None else tuple(known)
