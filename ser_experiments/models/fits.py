"""The folder of kept fits: found by key, written whole, and kept below a bound."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout
from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.models.persistence import load_estimator, save_estimator

log = logging.getLogger(__name__)
#: The attribute of a kept fit that holds its key.
_KEY = "fit_key_"
#: What the folder may hold; beyond it the fits that were not used for longest go.
MOST_BYTES = 4 << 30
#: What nobody asks for by its name, such as files that were written under another first, is a leftover after so many
#: seconds.
_LEFTOVER_S = 3600.0
FIT, TRIALS, SEARCHING, _UNFINISHED, _ASIDE = ".skops", ".trials", ".searching", ".tmp", ".aside"
#: Why a leftover goes.
_LEFTOVERS = {_UNFINISHED: "unfinished", _ASIDE: "set aside", SEARCHING: "of a search that was ended"}


def find_fit(path: Path) -> BaseEstimator | None:
    """Return a kept fit, None where there is none that can be used; it counts as used just now.

    A fit knows its key, which is the name of its file: what cannot be read, or lies under the name of another, is set
    aside and said.
    """
    if not path.is_file():
        return None
    try:
        found = load_estimator(path)
    except InputError as error:
        set_aside(path, f"a kept fit cannot be used and is made again: {error}")
        return None
    known = getattr(found, _KEY, None)
    if known is None:
        log.debug("%s is of a version that did not note which fit it is; it is made again", path)
        return None
    if known != path.stem:
        set_aside(path, f"a kept fit is made again: {path} holds another one, {str(known)[:40]!r}")
        return None
    touch(path)
    return found


def set_aside(path: Path, why: str) -> None:
    """Give a file that cannot be used another name, under which nobody looks for it, and say so."""
    log.warning("%s", why)
    # A folder that cannot be written keeps it where it is, and it is said again.
    with suppress(OSError):
        path.replace(path.with_name(path.name + _ASIDE))


def touch(path: Path) -> None:
    """Note that a file is in use, so that it is pruned last."""
    with suppress(OSError):
        os.utime(path)


def keep_fit(fitted: BaseEstimator, path: Path) -> None:
    """Write a fit beside its name and move it there whole, so that nobody ever reads half of it; make room for it.

    The file's name without its ending is the fit's key, and is kept in it. A fit that cannot be written is a warning:
    it only costs time.
    """
    setattr(fitted, _KEY, path.stem)
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
        if path.suffix in _LEFTOVERS:
            why = _LEFTOVERS[path.suffix] if age > _LEFTOVER_S and not _held(path) else ""
        elif days is not None and age > days * 86400:
            why = f"not used for {age / 86400:.0f} days"
        else:
            room -= size
            why = f"beyond {most_bytes / 2**20:.0f} MiB of fits" if room < 0 else ""
        if why:
            removed.append((str(path), why, size))
    for name, _, _ in removed if not dry_run else ():
        # Another process may have it open or have removed it.
        with suppress(OSError, Timeout), _unused(Path(name)):
            os.unlink(name)
    return pd.DataFrame(removed, columns=["path", "why", "bytes"])


def _held(path: Path) -> bool:
    try:
        with _unused(path):
            return False
    except Timeout:
        return True


def _unused(path: Path) -> AbstractContextManager[object]:
    """Hold what is a lock while it is removed: a search may take longer than a leftover stays."""
    return FileLock(path).acquire(blocking=False) if path.suffix == SEARCHING else nullcontext()


def _files(folder: Path) -> list[tuple[float, int, Path]]:
    """List the files of the folder with when they were used last and how large they are."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if path.suffix in {FIT, TRIALS, *_LEFTOVERS}:
                with suppress(OSError):
                    facts = entry.stat()
                    found.append((facts.st_mtime, facts.st_size, path))
    return found
