"""Arrays over time in the store: shards of bytes, and parts that say where in them each array lies."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ser_experiments.errors import StoreError
from ser_experiments.features.columns import Columns
from ser_experiments.features.store.checksum import checksum
from ser_experiments.features.store.compaction import rewritten
from ser_experiments.features.store.files import Sync
from ser_experiments.features.store.parts import PartitionedTable, RowsByKey, shard_of
from ser_experiments.features.store.references import SCHEMA, UNCHECKED, ArrayRef, places

_log = logging.getLogger(__name__)
#: Shards are merged up to about this size.
SHARD_BYTES = 64 << 20


class ShardedTable(PartitionedTable):
    """A table of arrays: the rows of a part point into a shard of bytes that has the same name."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SCHEMA, older=[UNCHECKED])

    def add(self, keys: Sequence[bytes], n_frames: Sequence[int], pieces: Sequence[memoryview], sync: Sync) -> None:
        """Append arrays as a shard, one after the other, and their index."""
        self._add([_Row(*row) for row in zip(keys, n_frames, pieces, map(checksum, pieces), strict=True)], sync)

    def _add(self, rows: Sequence[_Row], sync: Sync) -> None:
        n_bytes = np.array([len(row.piece) for row in rows], dtype=np.int64)
        keys, n_frames, _, checksums = zip(*rows, strict=True)
        cells = [keys, np.cumsum(n_bytes) - n_bytes, n_bytes, n_frames, checksums]
        arrays = [pa.array(one, field.type) for one, field in zip(cells, SCHEMA, strict=True)]
        self.append(pa.table(arrays, schema=SCHEMA), [row.piece for row in rows], sync=sync)

    def merge(self, names: Sequence[str]) -> list[str]:
        """Write the arrays of shards into bigger ones, each key once; return the names of the parts that went in.

        An array that is not what was written stays behind: whoever wants it measures it again.
        """
        merged: list[str] = []
        seen: set[bytes] = set()
        waiting: list[_Row] = []
        for name in names:
            table, shard = self.read(name), _map(shard_of(self.folder / name))
            if table is not None and shard is not None:
                waiting += self._whole(table, shard, seen)
                merged.append(name)
            if sum(len(row.piece) for row in waiting) >= SHARD_BYTES:
                self._add(waiting, Sync.NAME)
                waiting.clear()
        if waiting:
            self._add(waiting, Sync.NAME)
        return merged

    def _whole(self, table: pa.Table, shard: memoryview, seen: set[bytes]) -> Iterator[_Row]:
        """Yield the arrays of a part that are there and as they were written, but for those of keys that were seen."""
        for key, offset, n_bytes, n_frames, *noted in zip(*(c.to_pylist() for c in table.columns), strict=True):
            piece = shard[offset : offset + n_bytes]
            found = checksum(piece)
            if key in seen or len(piece) < n_bytes:
                continue
            if noted not in ([], [found]):
                _log.warning("%s: an array is damaged and will be measured again", self.folder)
                continue
            seen.add(key)
            yield _Row(key, n_frames, piece, found)

    def drop_damaged(self, shard: str) -> bool:
        """Take the arrays of a shard that are not what was written out of the store; whether that could be done."""
        names = [name for name in self.names() if shard_of(Path(name)).name == shard]
        try:
            return all(rewritten(self, name) for name in names)
        except (StoreError, OSError):
            return False


class _Row(NamedTuple):
    """An array that is to be written: its key, frames, bytes and their checksum."""

    key: bytes
    n_frames: int
    piece: memoryview
    checksum: int


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
