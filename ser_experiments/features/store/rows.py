"""Rows of numbers in the store: functionals, and the rows of all layers one after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ser_experiments.features.columns import Columns, names_of
from ser_experiments.features.store.parts import KEY, Part, PartitionedTable, RowsByKey


@dataclass(frozen=True)
class RowCodec:
    """Keep an array of a fixed shape a recording; in a table each of its numbers has a column.

    Parameters
    ----------
    shape : tuple of int
        Of the array of one recording.
    """

    shape: tuple[int, ...]

    @property
    def width(self) -> int:
        """Return how many float32 columns it takes of a table."""
        return math.prod(self.shape)

    def table(self, folder: Path) -> PartitionedTable:
        """Return the table in a folder: all numbers of a row in one cell, which 1,000 columns need to stay fast."""
        values = pa.list_(pa.field("item", pa.float32(), nullable=False), self.width)
        return PartitionedTable(folder, pa.schema([KEY, pa.field("values", values)]))

    def checked(self, values: Any) -> NDArray[np.float32]:
        """Hold a measure to its contract; a ValueError tells another shape, or numbers that are not finite."""
        values = np.asarray(values, dtype=np.float32)
        if values.shape != self.shape:
            raise ValueError(f"gave shape {values.shape}, expected {self.shape}")
        if not np.isfinite(values).all():
            raise ValueError("gave numbers that are not finite")
        return values

    def append(self, table: PartitionedTable, keys: Sequence[bytes], values: Sequence[NDArray[Any]]) -> None:
        """Add the rows of recordings to the table."""
        flat = pa.array(np.ascontiguousarray(np.stack(values), dtype=np.float32).reshape(-1))
        rows = pa.FixedSizeListArray.from_arrays(flat, type=table.schema.field("values").type)
        table.append(pa.table([pa.array(keys, KEY.type), rows], schema=table.schema))

    def room(self, block: NDArray[np.float32]) -> NDArray[Any]:
        """Return where stored rows go: into the columns of the block that were set aside for them."""
        return block

    def fill(self, table: PartitionedTable, wanted: RowsByKey, out: NDArray[Any]) -> None:
        """Copy stored rows to their places.

        Parameters
        ----------
        table : PartitionedTable
            The rows.
        wanted : dict of bytes to list of int
            The places in `out` of each key; what is found is taken out.
        out : ndarray of shape (n_places, width), float32
            Where the rows go; may be a slice of the columns of a bigger array.
        """

        def read(part: Part) -> bool:
            keys, first = part.keys(), 0
            for group, length in enumerate(part.group_lengths()):
                hits = [i for i in range(length) if keys[first + i] in wanted]
                if hits:
                    cells = part.file.read_row_group(group, ["values"])["values"].combine_chunks()
                    values = cells.flatten().to_numpy().reshape(length, out.shape[1])
                    sources, places = [], []
                    for i in hits:
                        here = wanted.pop(keys[first + i], [])
                        places += here
                        sources += [i] * len(here)
                    out[places] = values[sources]
                first += length
            return bool(wanted)

        if wanted:
            table.visit(read)

    def block_names(self, columns: Columns) -> list[str]:
        """Return the names of its columns in the block."""
        return names_of(columns)

    def add_column(self, frame: pd.DataFrame, name: str, cells: NDArray[Any]) -> None:
        """Add what is not in the block, which is nothing."""

    def cells(self, name: str, columns: Columns, values: NDArray[Any]) -> dict[str, Any]:
        """Return what a table holds of one recording, by column."""
        return dict(zip(names_of(columns), values.reshape(-1), strict=True))

    def result(self, name: str, columns: Columns, values: NDArray[Any]) -> pd.Series:
        """Return what :func:`~ser_experiments.features.extract` gives: a row with the names of its columns."""
        return pd.Series(values.reshape(-1), index=names_of(columns), name=name)
