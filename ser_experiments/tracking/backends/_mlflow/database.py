"""What runs leave, written into MLflow's SQLite file as MLflow writes it, without MLflow.

To import MLflow and to open its store takes two seconds of the processor, as much as all else that a short run does
beside its fits; what a run leaves are some hundred rows. Only files of a schema that is listed here are written, and
tests hold every row against MLflow's own; any other file, and every server, is left to MLflow.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import ROWS_TAG, StoreAway, now_ms
from ser_experiments.tracking.backends._mlflow import rows as rows_of
from ser_experiments.tracking.backends._mlflow.health import DAMAGED, check_database, is_damage
from ser_experiments.tracking.backends._mlflow.writer import Added, FoundSetting, NewModel, NewRun

log = logging.getLogger(__name__)
#: Revisions of MLflow's schema whose rows are known here: that of 3.17.
SCHEMAS = frozenset({"dc11669786a5"})
#: How long another process may hold the file, as MLflow waits for it.
_WAIT_S = 20.0


class Database:
    """A writer of an SQLite file; see :class:`~ser_experiments.tracking.backends._mlflow.writer.Writer`.

    Parameters
    ----------
    path : Path
        An SQLite file of a schema that is listed in :data:`SCHEMAS`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Database | None:
        """Return the database in a file; None where MLflow has to write it itself."""
        if "MLFLOW_ENABLE_WORKSPACES" in os.environ:
            return None
        found = cls(path)
        try:
            with found.reading() as rows:
                places = [place for (place,) in rows.execute("SELECT artifact_location FROM experiments")]
        except (sqlite3.Error, StoreAway) as error:
            check_database(path)
            log.debug("left to MLflow: %s", error)
            return None
        return found if all(map(_is_local, places)) else None

    def check_writable(self) -> None:
        """Find out whether a run could be written; a StoreError says why not."""
        try:
            with self.writing():
                pass
        except sqlite3.Error as error:
            raise StoreError(f"{error}; runs cannot be written there") from error

    # --- settings and runs ---------------------------------------------------------------------------------------

    def find_setting(self, name: str) -> FoundSetting | None:
        """Return the MLflow experiment of a name, deleted or not."""
        with self.reading() as rows:
            columns = "experiment_id, lifecycle_stage, artifact_location"
            found = rows.execute(f"SELECT {columns} FROM experiments WHERE name = ?", [name])
            for number, stage, place in found.fetchall():
                tags = rows_of.setting_tags(rows, number)
                return FoundSetting(str(number), stage == "active", tags.get(ROWS_TAG), place)
        return None

    def create_setting(self, name: str, place: str | None, tags: Mapping[str, str]) -> str | None:
        """Make an MLflow experiment; None where another process made one of that name in the meantime."""
        with self.writing() as rows:
            return rows_of.create_setting(rows, name, place, tags, f"{self.path.parent}/0")

    def setting_tags(self, setting_id: str) -> dict[str, str]:
        """Return the tags of an MLflow experiment."""
        with self.reading() as rows:
            return rows_of.setting_tags(rows, setting_id)

    def tag_setting(self, setting_id: str, tags: Mapping[str, str]) -> None:
        """Tag an MLflow experiment, with everything or nothing."""
        with self.writing() as rows:
            rows_of.tag_setting(rows, setting_id, tags)

    def create_run(self, new: NewRun) -> str:
        """Open a run and return its id."""
        with self.writing() as rows:
            return rows_of.create_run(rows, new)

    def run_with_tag(self, setting_id: str, key: str, value: str) -> str | None:
        """Return the id of the run of a setting that has a tag."""
        with self.reading() as rows:
            return rows_of.run_with_tag(rows, setting_id, key, value)

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        with self.reading() as rows:
            found = rows.execute("SELECT status FROM runs WHERE run_uuid = ?", [run_id]).fetchone()
        return None if found is None else str(found[0])

    # --- what is added to runs -----------------------------------------------------------------------------------

    def add(self, run_id: str, added: Added) -> None:
        """Add to a run, everything or nothing."""
        with self.writing() as rows:
            rows_of.add(rows, rows_of.writable_run(rows, run_id), added)

    def add_child(self, new: NewRun, key: str, added: Added) -> None:
        """Add to the run that has the same tag, which is opened where there is none."""
        with self.writing() as rows:
            run_id = rows_of.run_with_tag(rows, new.setting_id, key, new.tags[key]) or rows_of.create_run(rows, new)
            rows_of.add(rows, rows_of.writable_run(rows, run_id), added)

    def add_files(self, run_id: str, folder: Path) -> None:
        """Keep the files of a folder with a run."""
        with self.reading() as rows:
            run = rows_of.writable_run(rows, run_id)
        shutil.copytree(folder, _folder(run.place), dirs_exist_ok=True)

    def model_of(self, run_id: str) -> str | None:
        """Return the id of a run's model that is there with all its files."""
        with self.reading() as rows:
            return rows_of.model_of(rows, rows_of.writable_run(rows, run_id))

    @contextmanager
    def new_model(self, run_id: str) -> Iterator[NewModel]:
        """Log a model of a run; its rows come when its files are there."""
        with self.reading() as rows:
            run = rows_of.writable_run(rows, run_id)
        # A run has one: what a killed process wrote of it is written again, and does not stay beside it for good.
        model_id, began = f"m-{run_id}", now_ms()
        uri = f"{run.root}/models/{model_id}/artifacts"
        new = NewModel(model_id, uri, _folder(uri))
        shutil.rmtree(new.folder, ignore_errors=True)
        yield new
        with self.writing() as rows:
            rows_of.add_model(rows, rows_of.writable_run(rows, run_id), new, began)

    # --- the file ------------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection to a file whose rows are known here.

        Raises
        ------
        StoreAway
            They are not any more: MLflow brings them to another schema, and writes what comes next.
        sqlite3.Error
            Whatever SQLite says, with the file's name.
        """
        with self._connected() as rows:
            self._check(rows)
            yield rows

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a transaction, of which everything is kept or nothing; raises what :meth:`reading` does."""
        with self._connected() as rows:
            # At once: a transaction that reads first and writes then may find that another wrote in between.
            rows.execute("BEGIN IMMEDIATE")
            try:
                self._check(rows)
                yield rows
            except BaseException:
                rows.rollback()
                raise
            rows.commit()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        # Never made here: an empty file would pass for a store.
        address = f"{self.path.resolve().as_uri()}?mode=rw"
        try:
            with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_S, isolation_level=None)) as rows:
                rows.execute("PRAGMA foreign_keys = ON")
                yield rows
        except UnicodeDecodeError as error:  # of a text in it, or in what SQLite says of it
            raise sqlite3.DatabaseError(f"{self.path}: {DAMAGED}") from error
        except sqlite3.Error as error:
            damaged = f" ({DAMAGED})" if is_damage(error) else ""
            raise type(error)(f"{self.path}: {error}{damaged}") from error

    def _check(self, rows: sqlite3.Connection) -> None:
        found = {str(name) for (name,) in rows.execute("SELECT version_num FROM alembic_version")}
        if not found or not found <= SCHEMAS:
            raise StoreAway(f"{self.path}: another version of MLflow has changed its tables")


def _folder(uri: str) -> Path:
    return Path(url2pathname(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)


def _is_local(place: str | None) -> bool:
    return place is not None and place.startswith(("file:", "/"))
