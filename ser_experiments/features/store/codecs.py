"""How an output is kept, and what it is in a table: the only place that asks which axes it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.features.columns import Columns
from ser_experiments.features.measure import OVER_TIME, Output
from ser_experiments.features.store.arrays import ArrayCodec
from ser_experiments.features.store.parts import PartitionedTable, RowsByKey
from ser_experiments.features.store.rows import RowCodec


class Codec(Protocol):
    """What keeps one output; see :class:`RowCodec` and :class:`ArrayCodec` for what each method does."""

    @property
    def width(self) -> int: ...
    def table(self, folder: Path) -> PartitionedTable: ...
    def checked(self, values: Any) -> NDArray[Any]: ...
    def append(self, table: PartitionedTable, keys: Sequence[bytes], values: Sequence[NDArray[Any]]) -> None: ...
    def room(self, block: NDArray[np.float32]) -> NDArray[Any]: ...
    def fill(self, table: PartitionedTable, wanted: RowsByKey, out: NDArray[Any]) -> None: ...
    def block_names(self, columns: Columns) -> list[str]: ...
    def add_column(self, frame: pd.DataFrame, name: str, cells: NDArray[Any]) -> None: ...
    def cells(self, name: str, columns: Columns, values: NDArray[Any]) -> dict[str, Any]: ...
    def result(self, name: str, columns: Columns, values: NDArray[Any]) -> Any: ...


def codec_of(output: Output) -> Codec:
    """Return what keeps an output."""
    if output.axes == OVER_TIME:
        return ArrayCodec(len(output.columns), output.dtype)
    return RowCodec(tuple(size for size in output.shape if size is not None))
