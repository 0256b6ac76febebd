"""Merge many small parts into few big ones while others read and write."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ser_experiments.errors import StoreError
from ser_experiments.features.store.parts import PartitionedTable

_log = logging.getLogger(__name__)

#: Parts below this size are merged when there are so many of them.
SMALL_BYTES = 32 << 20
MANY = 64
#: The same when all is measured: every later run opens each part.
LEFT = 8
LOCK = ".lock"


def compact_if_due(table: PartitionedTable, many: int = MANY) -> int:
    """Merge small parts if there are many; a store that cannot be written stays as it is.

    Every row is in a new, synced part before the part it came from is removed, so that a reader who misses one finds
    the row by listing the folder again, and a merge that is killed leaves rows twice but never loses one.

    Parameters
    ----------
    table : PartitionedTable
        The table.
    many : int
        How many small parts are many.

    Returns
    -------
    int
        How many parts were merged.
    """
    names = table.names()
    if len(names) < many:
        return 0
    small = [name for name in names if 0 <= table.weight(name) < SMALL_BYTES]
    if len(small) < many:
        return 0
    try:
        with _lock(table.folder) as mine:
            return _merge(table, small) if mine else 0
    except (StoreError, OSError) as error:
        _log.info("%s: parts stay unmerged: %s", table.folder, error)
        return 0


def rewritten(table: PartitionedTable, name: str) -> bool:
    """Write a part anew, with what is whole of it; False where somebody else merges here at the moment.

    Raises
    ------
    StoreError
        The store cannot be written.
    """
    with _lock(table.folder) as mine:
        return mine and _merge(table, [name]) == 1


def _merge(table: PartitionedTable, names: list[str]) -> int:
    merged = table.merge(names)
    for name in merged:
        table.remove(name)
    _log.debug("%s: %d parts merged", table.folder, len(merged))
    return len(merged)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Say whether nobody else merges here; nobody ever waits. The system lets go of it when a process dies."""
    try:
        import fcntl
    except ImportError:
        # Without the lock two merges may do the same work twice; neither can lose a row.
        yield True
        return
    with open(folder / LOCK, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
