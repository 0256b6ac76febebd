"""Whether an SQLite file is a whole store of MLflow's, and what to do where it is none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from ser_experiments.errors import StoreError

#: Tables that every version of MLflow's stores has, and where a run of migrations notes how far it came.
_NEEDED, _REVISION = {"experiments", "runs", "metrics", "params", "tags"}, "alembic_version"


def check_database(path: Path) -> None:
    """Refuse a file that MLflow cannot open, before it tries to and tells it in pages of traces.

    Only the beginning is read: what is damaged further on shows when it is read, as SQLite keeps no checksums.

    Raises
    ------
    StoreError
        It is no database, damaged, somebody else's, or was begun and never finished; what to do is said.
    """
    # To write, and never to make one: what a process that was killed left half written is taken back first.
    address = f"{path.resolve().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=20.0)) as rows:
            tables = {str(name) for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            noted = _REVISION in tables and rows.execute(f"SELECT count(*) FROM {_REVISION}").fetchone()[0] > 0
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise broken(path, error) from error
    whole = tables >= _NEEDED
    if tables and not whole and not noted:
        raise StoreError(f"{path}: a database, but none of MLflow's; {_ASIDE}")
    if not noted or not whole:
        raise StoreError(f"{path}: MLflow began to make or change this database and never finished; {_ASIDE}")


def broken(path: Path, error: sqlite3.Error | UnicodeDecodeError) -> StoreError:
    """Return what an error of SQLite means for a store, in one line."""
    said = str(error)
    if not is_damage(error):
        return StoreError(f"{path}: cannot be read ({said})")
    return StoreError(
        f"{path}: the database is damaged ({said[:100]}); take a backup of it, or save what can be read with "
        f"`sqlite3 {path.name} .recover | sqlite3 recovered.db`, or {_ASIDE}"
    )


def is_damage(error: BaseException) -> bool:
    """Whether an error means that a file is damaged, rather than that it cannot be had or does not take something."""
    lasting = sqlite3.OperationalError | sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError
    known = ("malformed", "unsupported file format")
    return any(words in str(error) for words in known) or not isinstance(error, lasting)


#: What is said where something else was asked for.
DAMAGED = "the database is damaged: take a backup of it, or move it away"
#: The way out that is always there.
_ASIDE = "move the file away and a new one is made by the next run (the files of runs stay under artifacts/)"
