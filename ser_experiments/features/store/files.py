"""Files of the store: each appears whole or not at all, and errors of the system become one line."""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO

from ser_experiments.errors import StoreError

IDENTITY_FILE = "identity.json"
TEMPORARY = ".tmp-"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
#: Between a set and its output in the name of an extractor, and in the name of a folder.
_SLASH, _DOT = "/", "."


class Sync(IntEnum):
    """How far a written file is followed to the disk.

    Syncing costs milliseconds, and a part that a power cut tears is noticed by its checksums, so this decides what is
    measured again after one, never whether numbers are right.
    """

    NOTHING = 0
    CONTENT = 1
    #: Name and content: needed before what the file replaces is removed.
    NAME = 2


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


def write_identity(folder: Path, described: Mapping[str, Any]) -> None:
    """Say in the folder of a table what is kept there, once."""
    if not (folder / IDENTITY_FILE).exists():
        text = json.dumps(described, indent=1, ensure_ascii=False)
        write_file(folder, IDENTITY_FILE, lambda file: file.write(text.encode()))


def tables_folder(cache: Path) -> Path:
    """Return the folder of the store in a cache folder."""
    return cache / "tables"


def table_folder(cache: Path, name: str, digest: str) -> Path:
    """Return the folder of the table of an extractor, by its name and the digest of its identity."""
    return tables_folder(cache) / name.replace(_SLASH, _DOT) / digest


def name_and_digest(folder: Path) -> tuple[str, str]:
    """Return the name of the extractor and the digest of its identity whose table lies in a folder."""
    return folder.parent.name.replace(_DOT, _SLASH), folder.name


def _sync_folder(folder: Path) -> None:
    # Not every system lets a folder be opened.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
