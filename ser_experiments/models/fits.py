"""The folder of kept fits: found by key, written whole, and kept below a bound."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.models.persistence import load_estimator, save_estimator

log = logging.getLogger(__name__)
#: What the folder may hold; beyond it the fits that were not used for longest go.
MOST_BYTES = 4 << 30
#: Files that are written under another name first are leftovers when they are older than so many seconds.
_LEFTOVER_S = 3600.0
FIT, TRIALS, _UNFINISHED = ".skops", ".trials", ".tmp"


def find_fit(path: Path) -> BaseEstimator | None:
    """Return a kept fit, None where there is none that can be read; it counts as used just now."""
    if not path.is_file():
        return None
    try:
        found = load_estimator(path)
    except InputError as error:
        log.warning("a kept fit cannot be used and is made again: %s", error)
        return None
    touch(path)
    return found


def touch(path: Path) -> None:
    """Note that a file is in use, so that it is pruned last."""
    with suppress(OSError):
        os.utime(path)


def keep_fit(fitted: BaseEstimator, path: Path) -> None:
    """Write a fit beside its name and move it there whole, so that nobody ever reads half of it; make room for it.

    A fit that cannot be written is a warning: it only costs time.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=_UNFINISHED)
        os.close(handle)
        temporary = Path(name)
        try:
            save_estimator(fitted, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        prune_fits(path.parent)
    except (OSError, InputError) as error:
        log.warning("a fit could not be kept: %s", error)


def prune_fits(
    folder: Path, *, most_bytes: int | None = None, days: float | None = None, dry_run: bool = False
) -> pd.DataFrame:
    """Remove kept fits and trials: those unused for some days, and the least recently used beyond a size.

    Parameters
    ----------
    folder : Path
        ``fits`` of the cache.
    most_bytes : int, optional
        What may stay; by default :data:`MOST_BYTES`.
    days : float, optional
        Remove whatever was not used for so long.
    dry_run : bool
        Only say what would go.

    Returns
    -------
    DataFrame
        What was removed: ``path``, ``why`` and ``bytes``.
    """
    most_bytes = MOST_BYTES if most_bytes is None else most_bytes
    now, room, removed = time.time(), most_bytes, []
    for used, size, path in sorted(_files(folder), reverse=True):
        age = now - used
        if path.suffix == _UNFINISHED:
            why = "unfinished" if age > _LEFTOVER_S else ""
        elif days is not None and age > days * 86400:
            why = f"not used for {age / 86400:.0f} days"
        else:
            room -= size
            why = f"beyond {most_bytes / 2**20:.0f} MiB of fits" if room < 0 else ""
        if why:
            removed.append((str(path), why, size))
    for name, _, _ in removed if not dry_run else ():
        # Another process may have it open or have removed it.
        with suppress(OSError):
            os.unlink(name)
    return pd.DataFrame(removed, columns=["path", "why", "bytes"])


def _files(folder: Path) -> list[tuple[float, int, Path]]:
    """List the files of the folder with when they were used last and how large they are."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if path.suffix in {FIT, TRIALS, _UNFINISHED}:
                with suppress(OSError):
                    facts = entry.stat()
                    found.append((facts.st_mtime, facts.st_size, path))
    return found
