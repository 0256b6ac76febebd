"""Merge many small parts into few big ones while others read and write."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ser_experiments.errors import StoreError
from ser_experiments.features import arrays
from ser_experiments.features.store import Parts, Sync, shard_of

_log = logging.getLogger(__name__)

#: Parts below this size are merged when there are so many of them.
SMALL_BYTES = 32 << 20
MANY = 64
#: A merged part of rows is closed when it has this size.
PART_BYTES = 64 << 20
LOCK = ".lock"


def compact_if_due(parts: Parts, many: int = MANY) -> int:
    """Merge small parts if there are many; a store that cannot be written stays as it is.

    Every row is in a new, synced part before the part it came from is removed, so that a reader who misses one finds
    the row by listing the folder again, and a merge that is killed leaves rows twice but never loses one.

    Parameters
    ----------
    parts : Parts
        The table.
    many : int
        How many small parts are many.

    Returns
    -------
    int
        How many parts were merged.
    """
    names = parts.names()
    if len(names) < many:
        return 0
    small = [name for name in names if 0 <= _weight(parts.folder / name) < SMALL_BYTES]
    if len(small) < many:
        return 0
    try:
        with _lock(parts.folder) as mine:
            return _merge(parts, small) if mine else 0
    except (StoreError, OSError) as error:
        _log.info("%s: parts stay unmerged: %s", parts.folder, error)
        return 0


def _merge(parts: Parts, names: list[str]) -> int:
    merge = _merge_arrays if parts.schema.equals(arrays.SCHEMA) else _merge_rows
    merged = merge(parts, names)
    for name in merged:
        path = parts.folder / name
        # The index goes before what it points to.
        for file in (path, shard_of(path)):
            with suppress(OSError):
                file.unlink()
    _log.debug("%s: %d parts merged", parts.folder, len(merged))
    return len(merged)


def _merge_rows(parts: Parts, names: list[str]) -> list[str]:
    """Write the rows of parts into bigger ones, each key once; return the names of the parts that went in."""
    merged: list[str] = []
    seen: set[bytes] = set()
    waiting: list[pa.Table] = []
    for name in names:
        table = _read(parts, name)
        if table is not None:
            fresh = _without(table, seen)
            waiting += [fresh] if len(fresh) else []
            merged.append(name)
        if sum(each.nbytes for each in waiting) >= PART_BYTES:
            parts.append(pa.concat_tables(waiting).combine_chunks(), sync=Sync.NAME)
            waiting.clear()
    if waiting:
        parts.append(pa.concat_tables(waiting).combine_chunks(), sync=Sync.NAME)
    return merged


def _merge_arrays(parts: Parts, names: list[str]) -> list[str]:
    """Write the arrays of shards into bigger ones, each key once; return the names of the parts that went in."""
    merged: list[str] = []
    seen: set[bytes] = set()
    waiting: list[tuple[bytes, int, memoryview]] = []
    for name in names:
        table, shard = _read(parts, name), _map(shard_of(parts.folder / name))
        if table is not None and shard is not None:
            whole = table.filter(pc.less_equal(pc.add(table["offset"], table["n_bytes"]), len(shard)))
            columns = [column.to_pylist() for column in _without(whole, seen).columns]
            for key, offset, n_bytes, n_frames in zip(*columns, strict=True):
                waiting.append((key, n_frames, shard[offset : offset + n_bytes]))
            merged.append(name)
        if sum(len(piece) for _, _, piece in waiting) >= arrays.SHARD_BYTES:
            _append_arrays(parts, waiting)
            waiting.clear()
    _append_arrays(parts, waiting)
    return merged


def _append_arrays(parts: Parts, rows: list[tuple[bytes, int, memoryview]]) -> None:
    if rows:
        keys, n_frames, pieces = zip(*rows, strict=True)
        parts.append(arrays.to_table(keys, n_frames, pieces), pieces, sync=Sync.NAME)


def _read(parts: Parts, name: str) -> pa.Table | None:
    """Read one part; None if it is damaged or gone."""
    tables: list[pa.Table] = []
    with suppress(FileNotFoundError):
        parts.open(name, lambda part: tables.append(part.file.read()) or False)  # type: ignore[func-returns-value]
    return tables[0] if tables else None


def _map(path: Path) -> memoryview | None:
    try:
        with pa.memory_map(str(path)) as file:
            return memoryview(file.read_buffer())
    except FileNotFoundError:
        return None


def _without(table: pa.Table, seen: set[bytes]) -> pa.Table:
    """Return the rows of keys that were not seen before, and remember them."""
    fresh = []
    for row, key in enumerate(table["key"].to_pylist()):
        if key not in seen:
            seen.add(key)
            fresh.append(row)
    return table if len(fresh) == len(table) else table.take(pa.array(fresh, pa.int64()))


def _weight(part: Path) -> int:
    """Return the bytes of a part and its shard, -1 if it is gone."""
    try:
        size = part.stat().st_size
    except FileNotFoundError:
        return -1
    with suppress(FileNotFoundError):
        size += shard_of(part).stat().st_size
    return size


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
