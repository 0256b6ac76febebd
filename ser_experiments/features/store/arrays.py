"""Arrays over time in the store: shards of bytes, and parts that say where in them each array lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ser_experiments.features.columns import Columns
from ser_experiments.features.store.files import Sync
from ser_experiments.features.store.parts import KEY, PartitionedTable, RowsByKey, shard_of, unseen
from ser_experiments.features.store.references import SCHEMA, ArrayRef, places

#: Shards are merged up to about this size.
SHARD_BYTES = 64 << 20


class ShardedTable(PartitionedTable):
    """A table of arrays: the rows of a part point into a shard of bytes that has the same name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SCHEMA)

    def add(self, keys: Sequence[bytes], n_frames: Sequence[int], pieces: Sequence[memoryview], sync: Sync) -> None:
        """Append arrays as a shard, one after the other, and their index."""
        n_bytes = np.array([len(piece) for piece in pieces], dtype=np.int64)
        columns = [np.cumsum(n_bytes) - n_bytes, n_bytes, np.array(n_frames, dtype=np.int64)]
        self.append(pa.table([pa.array(keys, KEY.type), *map(pa.array, columns)], schema=SCHEMA), pieces, sync=sync)

    def merge(self, names: Sequence[str]) -> list[str]:
        """Write the arrays of shards into bigger ones, each key once; return the names of the parts that went in."""
        merged: list[str] = []
        seen: set[bytes] = set()
        waiting: list[tuple[bytes, int, memoryview]] = []
        for name in names:
            table, shard = self.read(name), _map(shard_of(self.folder / name))
            if table is not None and shard is not None:
                whole = table.filter(pc.less_equal(pc.add(table["offset"], table["n_bytes"]), len(shard)))
                columns = [column.to_pylist() for column in unseen(whole, seen).columns]
                for key, offset, n_bytes, n_frames in zip(*columns, strict=True):
                    waiting.append((key, n_frames, shard[offset : offset + n_bytes]))
                merged.append(name)
            if sum(len(piece) for _, _, piece in waiting) >= SHARD_BYTES:
                self._add_rows(waiting)
                waiting.clear()
        self._add_rows(waiting)
        return merged

    def _add_rows(self, rows: list[tuple[bytes, int, memoryview]]) -> None:
        if rows:
            keys, n_frames, pieces = zip(*rows, strict=True)
            self.add(keys, n_frames, pieces, Sync.NAME)


def _map(path: Path) -> memoryview | None:
    try:
        with pa.memory_map(str(path)) as file:
            return memoryview(file.read_buffer())
    except FileNotFoundError:
        return None


@dataclass(frozen=True)
class ArrayCodec:
    """Keep an array over time a recording; in a table it is a reference in one column.

    Parameters
    ----------
    n_columns : int
        Of each frame.
    dtype : str
        How numbers are stored: ``"float32"`` or ``"float16"``.
    """

    n_columns: int
    dtype: str

    @property
    def width(self) -> int:
        """Return how many float32 columns it takes of a table: none."""
        return 0

    def table(self, folder: Path) -> ShardedTable:
        """Return the table in a folder."""
        return ShardedTable(folder)

    def checked(self, values: Any) -> NDArray[Any]:
        """Hold a measure to its contract; a ValueError tells another shape, or numbers that are not finite."""
        with np.errstate(over="ignore"):
            values = np.asarray(values, dtype=self.dtype)
        if values.ndim != 2 or values.shape[1] != self.n_columns or len(values) == 0:
            raise ValueError(f"gave shape {values.shape}, expected (n_frames, {self.n_columns})")
        if not np.isfinite(values).all():
            raise ValueError("gave numbers that are not finite")
        return values

    def append(self, table: PartitionedTable, keys: Sequence[bytes], values: Sequence[NDArray[Any]]) -> None:
        """Add the arrays of recordings to the table."""
        pieces = [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in values]
        self.table(table.folder).add(keys, [len(array) for array in values], pieces, Sync.CONTENT)

    def room(self, block: NDArray[np.float32]) -> NDArray[Any]:
        """Return where references go: into a column of their own beside the block."""
        return np.empty(len(block), dtype=object)

    def fill(self, table: PartitionedTable, wanted: RowsByKey, out: NDArray[Any]) -> None:
        """Put references to stored arrays in their places; what is found is taken out of `wanted`."""
        folder = str(table.folder)
        for key, place in places(self.table(table.folder), set(wanted)).items():
            for position in wanted.pop(key):
                # One by one: numpy would take the references of a list for arrays and read them all.
                out[position] = ArrayRef(folder, key, place, self.n_columns, self.dtype)

    def block_names(self, columns: Columns) -> list[str]:
        """Return the names of its columns in the block: it has none."""
        return []

    def add_column(self, frame: pd.DataFrame, name: str, cells: NDArray[Any]) -> None:
        """Add the references as the column `name`."""
        frame[name] = pd.Series(cells, index=frame.index, dtype=object)

    def cells(self, name: str, columns: Columns, values: NDArray[Any]) -> dict[str, Any]:
        """Return what a table holds of one recording, by column."""
        return {name: values}

    def result(self, name: str, columns: Columns, values: NDArray[Any]) -> NDArray[Any]:
        """Return what :func:`~ser_experiments.features.extract` gives: the array."""
        return values
