"""Tables of the store: immutable Parquet parts, one folder a set and identity.

A part is written under a temporary name, synced and renamed, so that it is there whole or not at all; nothing is ever
changed in place and nobody waits for a lock. Why it is built so is told in ``docs/decisions/0003-table-store.md``.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ser_experiments.errors import StoreError
from ser_experiments.features.store.files import Sync, write_file

_log = logging.getLogger(__name__)

#: The places in a table of utterances of each key; two utterances of the same audio share a key.
RowsByKey = dict[bytes, list[int]]
#: Every row has a key of so many bytes; of feature rows it stands for the audio's content and the segment.
KEY_BYTES = 16
KEY = pa.field("key", pa.binary(KEY_BYTES), nullable=False)
#: A row group holds about so many bytes, so that a few rows can be read out of a big part.
GROUP_BYTES = 8 << 20
#: A merged part of rows is closed when it has this size.
PART_BYTES = 64 << 20
#: What reading a damaged part raises, from Arrow or from what takes its columns for whole.
DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError, IndexError, OverflowError)
#: How often a reader lists a folder again whose parts are merged under its hands.
_LISTINGS = 20


@dataclass(frozen=True)
class Part:
    """One open part.

    Parameters
    ----------
    file : ParquetFile
        Its rows.
    shard : Path
        Where the arrays lie that its rows point to; there only for array sets.
    """

    file: pq.ParquetFile
    shard: Path

    def keys(self) -> list[bytes]:
        """Return the keys of all rows in order."""
        return [key for chunk in self.file.read(["key"])["key"].chunks for key in chunk.to_pylist()]

    def group_lengths(self) -> list[int]:
        """Return the number of rows of each row group."""
        metadata = self.file.metadata
        return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]


class PartitionedTable:
    """The rows of one table, in as many parts as there were writes.

    Parameters
    ----------
    folder : Path
        Where the parts lie; it need not exist.
    schema : Schema
        Of every part; the first field is :data:`KEY`. A file of another schema is foreign and passed over.
    older : sequence of Schema
        Of parts that earlier versions wrote and that are read as well.
    """

    def __init__(self, folder: Path, schema: pa.Schema, older: Sequence[pa.Schema] = ()) -> None:
        self.folder = folder
        self.schema = schema
        self._read_as_well = (schema, *older)

    def names(self) -> list[str]:
        """List the parts there are now."""
        return sorted(name for name in _listing(self.folder) if name.startswith("part-") and name.endswith(".parquet"))

    def append(self, table: pa.Table, shard: Sequence[memoryview] = (), *, sync: Sync = Sync.CONTENT) -> None:
        """Add rows; when this returns, no end of this process can lose them.

        Parameters
        ----------
        table : Table
            Of the schema.
        shard : sequence of memoryview
            The arrays that the rows point to; always synced before the rows are written.
        sync : Sync
            What survives a power cut.

        Raises
        ------
        StoreError
            The disk is full or the folder cannot be written.
        """
        name = uuid.uuid4().hex
        if shard:
            write_file(self.folder, f"shard-{name}.bin", lambda file: file.writelines(shard))
        write_file(self.folder, f"part-{name}.parquet", lambda file: self._write(file, table), sync=sync)

    def _write(self, file: BinaryIO, table: pa.Table) -> None:
        group = max(1, GROUP_BYTES * len(table) // max(table.nbytes, 1))
        with pq.ParquetWriter(
            file, self.schema, compression="none", use_dictionary=False, write_statistics=False,
            write_page_checksum=True,
        ) as writer:  # fmt: skip
            writer.write_table(table, row_group_size=group)

    def visit(self, read: Callable[[Part], bool], skip: set[str] | None = None) -> None:
        """Hand every part to a function until it has enough.

        A part that is merged into a bigger one before it was opened is found there: the folder is listed again.

        Parameters
        ----------
        read : callable
            Takes a part and returns whether it wants more.
        skip : set of str, optional
            Names of parts to pass over; what is visited is added.

        Raises
        ------
        StoreError
            The folder cannot be read.
        """
        seen = set() if skip is None else skip
        for _ in range(_LISTINGS):
            lost = False
            for name in self.names():
                if name in seen:
                    continue
                try:
                    more = self.open(name, read)
                except FileNotFoundError:
                    lost = True
                    continue
                seen.add(name)
                if not more:
                    return
            if not lost:
                return
        raise StoreError(f"{self.folder}: its parts vanish as they are read; another process clears it, run again")

    def open(self, name: str, read: Callable[[Part], bool]) -> bool:
        """Hand one part to a function and return what it returns; a damaged part is passed over, which gives True.

        Raises
        ------
        FileNotFoundError
            It is not there any more.
        StoreError
            It cannot be read.
        """
        path = self.folder / name
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                if not any(file.schema_arrow.equals(one) for one in self._read_as_well):
                    raise pa.ArrowInvalid("not a part of this table")
                return read(Part(file, shard_of(path)))
        except FileNotFoundError:
            raise
        except DAMAGE as error:
            # Arrow reports damage as an OSError without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
            _log.warning("%s: damaged or foreign, passed over: %s", path, str(error).split("\n", 1)[0])
            return True

    def merge(self, names: Sequence[str]) -> list[str]:
        """Write the rows of parts into bigger ones, each key once; return the names of the parts that went in.

        Every row is in a new, synced part when this returns; the parts it came from are left to the caller.
        """
        merged: list[str] = []
        seen: set[bytes] = set()
        waiting: list[pa.Table] = []
        for name in names:
            table = self.read(name)
            if table is not None:
                fresh = unseen(table, seen)
                waiting += [fresh] if len(fresh) else []
                merged.append(name)
            if sum(each.nbytes for each in waiting) >= PART_BYTES:
                self.append(pa.concat_tables(waiting).combine_chunks(), sync=Sync.NAME)
                waiting.clear()
        if waiting:
            self.append(pa.concat_tables(waiting).combine_chunks(), sync=Sync.NAME)
        return merged

    def read(self, name: str) -> pa.Table | None:
        """Read one part; None if it is damaged or gone."""
        tables: list[pa.Table] = []
        with suppress(FileNotFoundError):
            self.open(name, lambda part: tables.append(part.file.read()) or False)  # type: ignore[func-returns-value]
        return tables[0] if tables else None

    def weight(self, name: str) -> int:
        """Return the bytes of a part and its shard, -1 if it is gone."""
        part = self.folder / name
        try:
            size = part.stat().st_size
        except FileNotFoundError:
            return -1
        with suppress(FileNotFoundError):
            size += shard_of(part).stat().st_size
        return size

    def remove(self, name: str) -> None:
        """Remove a part and its shard; what cannot be removed stays."""
        part = self.folder / name
        # The index goes before what it points to.
        for file in (part, shard_of(part)):
            with suppress(OSError):
                file.unlink()


def unseen(table: pa.Table, seen: set[bytes]) -> pa.Table:
    """Return the rows of keys that were not seen before, and remember them."""
    fresh = []
    for row, key in enumerate(table["key"].to_pylist()):
        if key not in seen:
            seen.add(key)
            fresh.append(row)
    return table if len(fresh) == len(table) else table.take(pa.array(fresh, pa.int64()))


def shard_of(part: Path) -> Path:
    """Return the shard that belongs to a part: it has the same name."""
    return part.with_name(part.name.replace("part-", "shard-", 1)).with_suffix(".bin")


def _listing(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read: {error.strerror}") from error
