"""Look at the table store and clean it."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from ser_experiments.features.store import keys, quality, survey
from ser_experiments.features.store.compaction import LOCK
from ser_experiments.features.store.files import IDENTITY_FILE, TEMPORARY, name_and_digest, store_error, tables_folder
from ser_experiments.features.store.parts import DAMAGE, shard_of

_log = logging.getLogger(__name__)

#: Files that no reader looks at are leftovers of killed processes when they are older than so many seconds.
LEFTOVER_S = 3600.0
COLUMNS = ("set", "digest", "version", "params", "rows", "parts", "bytes", "damaged", "changed", "folder")


def status(cache: Path) -> pd.DataFrame:
    """Say what the store holds.

    Parameters
    ----------
    cache : Path
        The cache folder.

    Returns
    -------
    DataFrame
        One row a table: ``set``, ``digest`` of the identity, ``version``, ``params``, ``rows`` (recordings), ``parts``,
        ``bytes``, ``damaged`` (parts that cannot be read), ``changed`` (UTC) and ``folder``. The sets ``_contents``,
        ``_survey`` and ``_quality`` are fingerprints of files, the survey of recordings and what they are like.
    """
    return pd.DataFrame([_describe(folder) for folder in _tables(cache)], columns=list(COLUMNS))


def prune(cache: Path, *, keep: Collection[tuple[str, str]], dry_run: bool = False) -> pd.DataFrame:
    """Remove tables that nothing asks for any more, and what killed processes left behind.

    Parameters
    ----------
    cache : Path
        The cache folder.
    keep : collection of (str, str)
        Name and digest of the extractors in use; fingerprints of files, the current survey and what recordings are
        like are always kept.
    dry_run : bool
        Only say what would go.

    Returns
    -------
    DataFrame
        What was removed: ``path``, ``why`` and ``bytes``.

    Raises
    ------
    StoreError
        Something cannot be removed.
    """
    kept = {*keep, *always_kept(cache)}
    removed = []
    for folder in _tables(cache):
        if name_and_digest(folder) in kept:
            removed += list(_leftovers(folder))
        else:
            removed.append((folder, "of an identity that is not in use", _weight(folder)))
    if not dry_run:
        for path, _, _ in removed:
            _remove(path)
    return pd.DataFrame(removed, columns=["path", "why", "bytes"]).astype({"path": str})


def always_kept(cache: Path) -> set[tuple[str, str]]:
    """Return name and digest of the tables that are of no feature set: fingerprints, the survey, qualities."""
    own = (keys.fingerprints_table, survey.table, quality.table)
    return {name_and_digest(one(cache).folder) for one in own}


def _tables(cache: Path) -> list[Path]:
    """List the folders of all tables."""
    return sorted(path for path in tables_folder(cache).glob("*/*") if path.is_dir())


def _describe(folder: Path) -> dict[str, Any]:
    rows, damaged, parts = 0, 0, sorted(folder.glob("part-*.parquet"))
    for part in parts:
        try:
            rows += pq.read_metadata(part).num_rows
        except FileNotFoundError:
            continue
        except DAMAGE:
            damaged += 1
    identity: dict[str, Any] = {}
    with suppress(OSError, ValueError, AttributeError):
        identity = json.loads((folder / IDENTITY_FILE).read_text(encoding="utf-8")).get("identity", {})
    set_name, digest = name_and_digest(folder)
    return {
        "set": set_name,
        "digest": digest,
        "version": identity.get("version", ""),
        "params": identity.get("params", {}),
        "rows": rows,
        "parts": len(parts),
        "bytes": _weight(folder),
        "damaged": damaged,
        "changed": pd.Timestamp(folder.stat().st_mtime, unit="s", tz="UTC").floor("s"),
        "folder": str(folder),
    }


def _weight(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _leftovers(folder: Path) -> Iterator[tuple[Path, str, int]]:
    """Yield the files of a table that no reader looks at."""
    parts = {path.name for path in folder.glob("part-*.parquet")}
    shards = {shard_of(folder / name).name for name in parts}
    for path in sorted(folder.iterdir()):
        try:
            told = path.stat()
        except FileNotFoundError:
            continue
        why = None
        if path.name.startswith(TEMPORARY):
            why = "unfinished"
        elif path.name.startswith("shard-") and path.name not in shards:
            why = "without an index"
        elif path.name in parts and _is_damaged(path):
            why = "damaged"
        elif path.name not in {IDENTITY_FILE, LOCK, *parts, *shards}:
            continue
        if why and (why == "damaged" or time.time() - told.st_mtime > LEFTOVER_S):
            yield path, why, told.st_size


def _is_damaged(part: Path) -> bool:
    try:
        pq.read_table(part, page_checksum_verification=True)
    except FileNotFoundError:
        return False
    except DAMAGE:
        return True
    return False


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise store_error(path, error) from error
