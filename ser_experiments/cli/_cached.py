"""What lies in the cache, kind by kind: how much, since when, what uses it, and what may go.

A kind is a function that yields :class:`Item`; all of them are in :data:`KINDS`. Whatever another process is writing or
holds a lock on is not offered.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ser_experiments.cli._sizes import weight

#: What no reader looks at is a leftover when it is older than so many seconds.
_LEFTOVER_S = 3600.0
_DAY_S = 86400.0


@dataclass(frozen=True)
class Item:
    """One thing in the cache that can go by itself.

    Parameters
    ----------
    path : Path
        A file or a folder.
    n_bytes, n_files : int
        What it weighs.
    used_s : float
        When it was used or written last, in seconds since 1970.
    unused : str
        Why nothing uses it any more; empty where something may.
    of : str
        What it is of, in a word.
    """

    path: Path
    n_bytes: int
    n_files: int
    used_s: float
    unused: str = ""
    of: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of what the cache holds.

    Parameters
    ----------
    what, again : str
        What it is, and what it costs to make it once more.
    items : callable
        Yields what there is, given the folder of the cache.
    """

    what: str
    again: str
    items: Callable[[Path], Iterator[Item]]


def _tables(cache: Path) -> Iterator[Item]:
    """Yield the tables of features, each of one identity; what no experiment asks for is unused."""
    from ser_experiments.cli._tables import tables_in_use
    from ser_experiments.features.store.files import name_and_digest, tables_folder
    from ser_experiments.features.store.maintenance import always_kept

    folders = sorted(path for path in tables_folder(cache).glob("*/*") if path.is_dir())
    kept = tables_in_use(cache) if folders else set()
    kept |= always_kept(cache)
    for folder in folders:
        name, digest = name_and_digest(folder)
        why = "" if (name, digest) in kept else "of an identity that is not in use"
        yield _item(folder, unused=why, of=name)


def _fits(cache: Path) -> Iterator[Item]:
    return _files(cache / "fits", (".skops",), of="fit")


def _searches(cache: Path) -> Iterator[Item]:
    """Yield the trials of searches; one that is made in this moment is not offered."""
    from filelock import FileLock, Timeout

    from ser_experiments.models.fits import SEARCHING

    for one in _files(cache / "fits", (".trials",), of="search"):
        lock = one.path.with_suffix(SEARCHING)
        if lock.exists():
            try:
                with FileLock(lock).acquire(blocking=False):
                    pass
            except (Timeout, OSError):
                continue
        yield one


def _demo(cache: Path) -> Iterator[Item]:
    for folder in sorted((cache / "demo").glob("demo-v*-seed*")):
        yield _item(folder, of=folder.name, unused=_of_older_builder(folder.name))


def _of_older_builder(name: str) -> str:
    from ser_experiments.corpora._demo.builder import VERSION

    found = re.match(r"demo-v(\d+)-", name)
    return "of an older builder" if found and int(found[1]) < VERSION else ""


def _recordings(cache: Path) -> Iterator[Item]:
    for folder in sorted((cache / "iemocap").glob("*")):
        yield _item(folder, of="iemocap")


def _errors(cache: Path) -> Iterator[Item]:
    for one in _files(cache / "errors", (".log",), of="traceback"):
        old = time.time() - one.used_s > 30 * _DAY_S
        yield Item(one.path, one.n_bytes, 1, one.used_s, "older than 30 days" if old else "", one.of)


def _encoders(cache: Path) -> Iterator[Item]:
    """Yield encoders that the hub's library keeps for all programs of a user: those of families that are known here."""
    from ser_experiments.features.encoders.hub import cache_folder
    from ser_experiments.files import Unreadable, read_json

    for folder in sorted(cache_folder().glob("models--*")):
        speech = False
        for config in folder.glob("snapshots/*/config.json"):
            with suppress(Unreadable, OSError, AttributeError):
                speech = speech or read_json(config).get("model_type") in _families()
        if speech:
            yield _item(folder, of=folder.name.removeprefix("models--").replace("--", "/"))


def _families() -> set[str]:
    """Return what configurations of speech encoders call their families."""
    from ser_experiments.features.encoders.catalogue import catalogue

    return {one.family for one in catalogue().values()}


def _templates(cache: Path) -> Iterator[Item]:
    """Yield the empty databases by MLflow's version, for all projects of a user; of others than this one unused."""
    from importlib.metadata import PackageNotFoundError, version

    from platformdirs import user_cache_path

    try:
        own = f"mlflow-{version('mlflow')}.db"
    except PackageNotFoundError:
        own = ""
    for one in _files(user_cache_path("ser_experiments"), (".db",), of="empty database"):
        why = "" if one.path.name == own else "of another version of MLflow"
        yield Item(one.path, one.n_bytes, 1, one.used_s, why, one.of)


def _leftovers(cache: Path) -> Iterator[Item]:
    """Yield what killed processes left, as the parts of the cache themselves tell it."""
    from ser_experiments.corpora._demo import leftovers
    from ser_experiments.features.store.files import TEMPORARY, tables_folder
    from ser_experiments.models.fits import prune_fits

    found: list[tuple[Path, str, int]] = list(leftovers(cache / "demo"))
    some = prune_fits(cache / "fits", most_bytes=1 << 62, dry_run=True)
    found += [(Path(row["path"]), str(row["why"]), int(row["bytes"])) for row in some.to_dict(orient="records")]
    for path in sorted(tables_folder(cache).glob(f"*/*/{TEMPORARY}*")):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFTOVER_S:
                found.append((path, "unfinished", path.stat().st_size))
    for path, why, n_bytes in found:
        with suppress(OSError):
            yield Item(path, n_bytes, 1, path.stat().st_mtime, why, "leftover")


def _others(cache: Path) -> Iterator[Item]:
    """Yield what stands in the cache and is of no kind: caches of corpora that are plug-ins, or somebody's own."""
    known = {"tables", "fits", "demo", "iemocap", "errors"}
    for path in sorted(cache.glob("*")):
        if path.name not in known and not path.name.startswith("."):
            yield _item(path, of=path.name)


#: By the word that `ser cache prune` takes.
KINDS: Mapping[str, Kind] = {
    "tables": Kind("features of recordings", "measuring again, minutes to hours", _tables),
    "fits": Kind("fitted models of folds", "fitting again, seconds to hours", _fits),
    "searches": Kind("trials of searches", "searching again, minutes to hours", _searches),
    "demo": Kind("the demo corpus", "building it again, about 10 s", _demo),
    "recordings": Kind("recordings taken out of Parquet files", "taking them out again, minutes", _recordings),
    "encoders": Kind("encoders fetched from the hub", "fetching them again, 0.1 to 6 GB each", _encoders),
    "mlflow": Kind("empty MLflow databases", "making one again, about 5 s", _templates),
    "errors": Kind("tracebacks of unforeseen errors", "they cannot be made again", _errors),
    "leftovers": Kind("what killed processes left", "nothing is lost", _leftovers),
    "others": Kind("what is of no known kind", "nobody knows", _others),
}


def _item(path: Path, **more: Any) -> Item:
    n_bytes, n_files = weight(path) if path.is_dir() else (path.stat().st_size, 1)
    return Item(path, n_bytes, n_files, _latest(path), **more)


def _latest(path: Path) -> float:
    """Return when a folder or one of the files right below it changed last."""
    times = [0.0]
    for one in (path, *(path.iterdir() if path.is_dir() else ())):
        with suppress(OSError):
            times.append(one.stat().st_mtime)
    return max(times)


def _files(folder: Path, endings: tuple[str, ...], *, of: str) -> Iterator[Item]:
    for path in sorted(folder.glob("*")):
        if path.suffix in endings and path.is_file():
            with suppress(OSError):
                told = path.stat()
                yield Item(path, told.st_size, 1, told.st_mtime, of=of)
