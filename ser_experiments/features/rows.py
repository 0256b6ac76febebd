"""Row sets in the store: one row of numbers a recording."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ser_experiments.features.store import KEY, Part, Parts


def schema(n_columns: int) -> pa.Schema:
    """Return the schema of a row set: all numbers of a row in one cell, which 1,000 columns need to stay fast."""
    return pa.schema([KEY, pa.field("values", pa.list_(pa.field("item", pa.float32(), nullable=False), n_columns))])


def to_table(keys: Sequence[bytes], rows: NDArray[np.float32]) -> pa.Table:
    """Return the content of a row set's part from an array of shape (n_rows, n_columns)."""
    of_part = schema(rows.shape[1])
    flat = pa.array(np.ascontiguousarray(rows, dtype=np.float32).reshape(-1))
    values = pa.FixedSizeListArray.from_arrays(flat, type=of_part.field("values").type)
    return pa.table([pa.array(keys, KEY.type), values], schema=of_part)


def fill(parts: Parts, wanted: dict[bytes, list[int]], out: NDArray[np.float32]) -> None:
    """Copy stored rows to their places.

    Parameters
    ----------
    parts : Parts
        A row set.
    wanted : dict of bytes to list of int
        The places in `out` of each key; what is found is taken out.
    out : ndarray of shape (n_places, n_columns), float32
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
        parts.visit(read)
