"""The table store: immutable Parquet parts, one folder a set and identity.

A part is written under a temporary name, synced and renamed, so that it is there whole or not at all; nothing is ever
changed in place and nobody waits for a lock. Why it is built so is told in ``docs/decisions/0003-table-store.md``.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ser_experiments.errors import StoreError
from ser_experiments.features.extractor import Extractor

_log = logging.getLogger(__name__)

#: Every row has a key of so many bytes; of feature rows it stands for the audio's content and the segment.
KEY_BYTES = 16
KEY = pa.field("key", pa.binary(KEY_BYTES), nullable=False)
#: A row group holds about so many bytes, so that a few rows can be read out of a big part.
GROUP_BYTES = 8 << 20
IDENTITY_FILE = "identity.json"
TEMPORARY = ".tmp-"
#: How often a reader lists a folder again whose parts are merged under its hands.
_LISTINGS = 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class Sync(IntEnum):
    """How far a written file is followed to the disk. Syncing costs milliseconds, and a part that a power cut tears is
    noticed by its checksums, so this decides what is measured again after one, never whether numbers are right."""

    NOTHING = 0
    CONTENT = 1
    #: Name and content: needed before what the file replaces is removed.
    NAME = 2


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


class Parts:
    """The rows of one table, in as many parts as there were writes.

    Parameters
    ----------
    folder : Path
        Where the parts lie; it need not exist.
    schema : Schema
        Of every part; the first field is :data:`KEY`. A file of another schema is foreign and passed over.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self.folder = folder
        self.schema = schema

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
                if not file.schema_arrow.equals(self.schema):
                    raise pa.ArrowInvalid("not a part of this table")
                return read(Part(file, shard_of(path)))
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            # Arrow reports damage as an OSError without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise StoreError(f"{path}: cannot be read: {error.strerror or error}") from error
            _log.warning("%s: damaged or foreign, passed over: %s", path, str(error).split("\n", 1)[0])
            return True


def shard_of(part: Path) -> Path:
    """Return the shard that belongs to a part: it has the same name."""
    return part.with_name(part.name.replace("part-", "shard-", 1)).with_suffix(".bin")


def write_file(folder: Path, name: str, write: Callable[[BinaryIO], object], *, sync: Sync = Sync.CONTENT) -> None:
    """Create a file that appears whole or not at all.

    Parameters
    ----------
    folder : Path
        Made where it does not exist.
    name : str
        Of the file; an older one is replaced.
    write : callable
        Writes the content to a binary file.
    sync : Sync
        What survives a power cut.

    Raises
    ------
    StoreError
        The disk is full or the folder cannot be written.
    """
    temporary = folder / f"{TEMPORARY}{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            write(file)
            file.flush()
            if sync >= Sync.CONTENT:
                os.fsync(file.fileno())
        temporary.replace(folder / name)
        if sync >= Sync.NAME:
            _sync_folder(folder)
    except OSError as error:
        raise store_error(folder, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def store_error(path: Path, error: OSError) -> StoreError:
    """Return what an error of the operating system means for the store, in one line."""
    what = error.strerror or str(error)
    if error.errno in _FULL:
        what = "no space left on the device; free some, or set SER_CACHE to a folder elsewhere"
    elif error.errno in _REFUSED:
        what = f"cannot be written ({what}); set SER_CACHE to a folder that can"
    return StoreError(f"table store {path}: {what}")


def probe(cache: Path) -> None:
    """Find out whether the store can be written.

    Raises
    ------
    StoreError
        It cannot; better known before hours of work than after.
    """
    folder, name = tables_folder(cache), f"{TEMPORARY}{uuid.uuid4().hex}"
    write_file(folder, name, lambda file: file.write(b"\0" * 4096), sync=Sync.NOTHING)
    with suppress(OSError):
        (folder / name).unlink()


def write_identity(folder: Path, extractor: Extractor) -> None:
    """Say in the folder of a set what is kept there, once."""
    if not (folder / IDENTITY_FILE).exists():
        columns = [column._asdict() for column in extractor.columns]
        described = {"identity": extractor.identity, "layout": extractor.layout, "columns": columns}
        text = json.dumps(described, indent=1, ensure_ascii=False)
        write_file(folder, IDENTITY_FILE, lambda file: file.write(text.encode()))


def tables_folder(cache: Path) -> Path:
    """Return the folder of the store in a cache folder."""
    return cache / "tables"


def _listing(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise StoreError(f"{folder}: cannot be read: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    # Not every system lets a folder be opened.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
