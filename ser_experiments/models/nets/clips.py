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
    *beside : sequence of array-like
        Further arrays of the same clips, with as many frames and columns each, such as other layers of a network. They
        stand side by side where they are read.

    Raises
    ------
    InputError
        A cell is no such array, or the arrays of a clip do not fit each other.
    """

    def __init__(self, cells: Sequence[Any] | NDArray[np.float32], *beside: Sequence[Any]) -> None:
        self._cells, self._beside = cells, beside
        self.n_arrays = 1 + len(beside)
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
        for cells in self._beside:
            for number, (cell, shape) in enumerate(zip(cells, shapes, strict=True)):
                if _shape(cell) != shape:
                    raise InputError(
                        f"utterance {number}: arrays of shapes {shape} and {_shape(cell)}; those side by side must be "
                        "equally long and wide, such as layers of one encoder"
                    )
        self.lengths = np.array([shape[0] for shape in shapes], dtype=np.int64)
        self.n_columns = int(shapes[0][1]) * self.n_arrays
        halves = all(_dtype(cells[0]) == np.float16 for cells in (self._cells, *self._beside))
        self.dtype = np.dtype(np.float16 if halves else np.float32)

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
        parts = [np.asarray(cells[clip])[start:stop] for cells in (self._cells, *self._beside)]
        return np.concatenate(parts, axis=1) if self._beside else parts[0]

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


def cells_of(X: Any, *, several: bool = False) -> dict[str, Sequence[Any]]:
    """Return the arrays over time of a table by the names of their columns, or a list or an array of them.

    Parameters
    ----------
    X : DataFrame, or sequence of array-like
    several : bool, default=False
        Whether a table may hold several columns of them.

    Raises
    ------
    InputError
        The table has other columns beside those of arrays and ``group``.
    """
    if not isinstance(X, pd.DataFrame):
        return {"arrays": X}
    names = [name for name in X.columns if name != GROUP]
    others = [name for name in names if X[name].dtype != object]
    if (several and others) or (not several and len(names) != 1):
        shown = others if several else names
        raise InputError(
            f"a network over time takes {'columns' if several else 'one column'} of arrays, got {len(shown)} "
            f"{'others' if several else 'columns'} ({', '.join(map(repr, shown[:3]))}, ...); "
            f"name {'feature sets over time alone' if several else 'one feature set'}"
        )
    return {str(name): X[name].to_numpy() for name in names}  # type: ignore[misc]


def _is_cell(value: Any) -> bool:
    return hasattr(value, "__array__") and len(_shape(value)) > 0


def _shape(cell: Any) -> tuple[int, ...]:
    known = getattr(cell, "shape", None)
    return np.shape(cell) if known is None else tuple(known)


def _dtype(cell: Any) -> Any:
    return getattr(cell, "dtype", None) or np.asarray(cell).dtype
