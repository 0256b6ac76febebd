"""What a run leaves, written into MLflow's SQLite file as MLflow writes it, without MLflow.

To import MLflow and to open its store takes two seconds of the processor, as much as all else that a short run does
beside its fits; what a run leaves are some hundred rows. Only files of a schema that is listed here are written, and
tests hold every row against MLflow's own; any other file, and every server, is left to MLflow.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import OUTBOX_TAG, ROWS_TAG, StoreAway, now_ms
from ser_experiments.tracking.backends._mlflow import rows as rows_of
from ser_experiments.tracking.backends._mlflow.database_steps import STEPS, StoredRun
from ser_experiments.tracking.backends._mlflow.store import FoundSetting
from ser_experiments.tracking.outbox import Step

#: Revisions of MLflow's schema whose rows are known here: that of 3.17.
SCHEMAS = frozenset({"dc11669786a5"})
#: How long another process may hold the file, as MLflow waits for it.
_WAIT_S = 20.0


class Database:
    """The rows of runs in an SQLite file; see :class:`~ser_experiments.tracking.backend.Backend` for its methods.

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
                known = SCHEMAS.issuperset(name for (name,) in rows.execute("SELECT version_num FROM alembic_version"))
                places = [place for (place,) in rows.execute("SELECT artifact_location FROM experiments")]
        except sqlite3.Error:  # MLflow says better what is wrong with it
            return None
        return found if known and all(map(_is_local, places)) else None

    # --- settings and runs ---------------------------------------------------------------------------------------

    def find_setting(self, name: str) -> FoundSetting | None:
        """Return the MLflow experiment of a name, deleted or not."""
        with self.reading() as rows:
            columns = "experiment_id, lifecycle_stage, artifact_location"
            found = rows.execute(f"SELECT {columns} FROM experiments WHERE name = ?", [name])
            for number, stage, place in found.fetchall():
                tags = rows.execute("SELECT key, value FROM experiment_tags WHERE experiment_id = ?", [number])
                return FoundSetting(str(number), stage == "active", dict(tags.fetchall()).get(ROWS_TAG), place)
        return None

    def create_setting(self, name: str, place: str | None, tags: Mapping[str, str]) -> str | None:
        """Make an MLflow experiment; None where another process made one of that name in the meantime."""
        now = now_ms()
        with self.writing() as rows:
            if rows.execute("SELECT 1 FROM experiments WHERE name = ?", [name]).fetchone():
                return None
            columns = ("experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time")
            told = [*columns, "last_update_time"]
            # MLflow wants its own first one to be there, and makes it where it opens a file without.
            first = (0, "Default", f"{self.path.parent}/0", "active", now, now)
            rows_of.insert(rows, "experiments", told, [first], "OR IGNORE")
            rows_of.insert(rows, "experiments", told, [(None, name, place, "active", now, now)])
            (number,) = rows.execute("SELECT experiment_id FROM experiments WHERE name = ?", [name]).fetchone()
            rows_of.insert(
                rows, "experiment_tags", rows_of.OF_SETTING, [(key, value, number) for key, value in tags.items()]
            )
        return str(number)

    def create_run(self, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Open a run."""
        with self.writing() as rows:
            return rows_of.create_run(rows, setting_id, name, tags)

    def run_of_outbox(self, setting_id: str, outbox: str) -> str | None:
        """Return the id of the run that was made with an outbox."""
        with self.reading() as rows:
            return rows_of.run_with_tag(rows, setting_id, OUTBOX_TAG, outbox)

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        with self.reading() as rows:
            found = rows.execute("SELECT status FROM runs WHERE run_uuid = ?", [run_id]).fetchone()
        return None if found is None else str(found[0])

    def perform(self, step: Step, run_id: str) -> Any:
        """Do one step of logging a run; of a model, return its URI."""
        with self.reading() as rows:
            found = rows.execute(
                "SELECT lifecycle_stage, experiment_id, artifact_uri FROM runs WHERE run_uuid = ?", [run_id]
            ).fetchone()
        if found is None:
            raise StoreAway(f"run {run_id} is not there any more")
        if found[0] != "active":
            raise StoreError(f"run {run_id} is deleted; restore it with `mlflow runs restore`")
        return STEPS[step.kind](step, self, StoredRun(run_id, *found[1:]))

    # --- the file ------------------------------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection."""
        # Never made here: an empty file would pass for a store.
        address = f"{self.path.resolve().as_uri()}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_S, isolation_level=None)) as rows:
            rows.execute("PRAGMA foreign_keys = ON")
            yield rows

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a transaction, of which everything is kept or nothing."""
        with self.reading() as rows:
            # At once: a transaction that reads first and writes then may find that another wrote in between.
            rows.execute("BEGIN IMMEDIATE")
            try:
                yield rows
            except BaseException:
                rows.rollback()
                raise
            rows.commit()


def _is_local(place: str) -> bool:
    return place.startswith(("file:", "/"))
