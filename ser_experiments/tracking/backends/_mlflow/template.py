"""An empty MLflow database to begin with: made once by MLflow itself, then copied.

MLflow makes a database by all the migrations it ever had, one after the other, each waiting for the disk: that takes
seconds, in which a second process finds half a schema. What comes of it depends on MLflow's version alone, so it is
kept under that name for all projects of a user; ``make setup`` makes it.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

log = logging.getLogger(__name__)


def begin_database(database: Path, kept: Path | None = None) -> None:
    """Put an empty database where there is none yet; one that is there is left alone, whatever it holds.

    A file without a byte is none. Of several processes that begin one at once, one does it and the others wait.

    Parameters
    ----------
    database : Path
        In a folder that is there.
    kept : Path, optional
        Folder where the empty database of each MLflow version is kept; by default in the user's cache.

    Raises
    ------
    OSError
        The database's folder cannot be written.
    """
    if _holds_something(database):
        return
    with first_opening(database):
        if _holds_something(database):
            return
        half = database.with_name(f".{database.name}.half")
        template = _template(user_cache_path("ser_experiments") if kept is None else kept)
        if template is None:
            _make(half)
        else:
            shutil.copyfile(template, half)
        half.replace(database)


@contextmanager
def first_opening(database: Path) -> Iterator[None]:
    """Let nobody else make a database or bring it to another schema meanwhile: two at once leave half a one.

    Where no lock can be written, nothing else can be either: what is there is opened to be read.
    """
    lock = FileLock(database.with_name(f".{database.name}.lock"))
    with suppress(OSError):
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _holds_something(database: Path) -> bool:
    return database.exists() and database.stat().st_size > 0


def _template(folder: Path) -> Path | None:
    """Return the empty database of this version, made where it is missing; None where it cannot be kept."""
    template = folder / f"mlflow-{version('mlflow')}.db"
    try:
        if not template.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                made = Path(scratch) / template.name
                _make(made)
                made.replace(template)
    except OSError as error:
        log.debug("no empty database is kept in %s: %s", folder, error)
        return None
    return template


def _make(path: Path) -> None:
    from mlflow import MlflowClient

    path.unlink(missing_ok=True)
    MlflowClient(f"sqlite:///{path}").search_experiments(max_results=1)
    with closing(sqlite3.connect(path)) as made, made:
        # Its place of artifacts is of this folder; MLflow makes it again where it is missing.
        made.execute("DELETE FROM experiments")


if __name__ == "__main__":
    _template(user_cache_path("ser_experiments"))
