"""Rows of MLflow's tables, as MLflow itself writes them; everything happens in a transaction that is handed in."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import RUN_NAME, RUNNING, StoreAway, now_ms
from ser_experiments.tracking.backends._mlflow.log_model import MODEL_NAME
from ser_experiments.tracking.backends._mlflow.writer import DATASET_TAG, Added, NewModel, NewRun

#: Columns of what runs and settings are tagged with, and of what a run took and gave.
_OF_RUN, _OF_SETTING = ("key", "value", "run_uuid"), ("key", "value", "experiment_id")
_OF_INPUT = ("input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step")
#: How a logged model stands that is there with all its files, in MLflow's numbers.
_READY = 2


class RunRow(NamedTuple):
    """A run: its id, that of its setting, the address of its files, and that of all files of its setting."""

    run_id: str
    setting_id: int
    place: str
    root: str


# --- settings and runs -----------------------------------------------------------------------------------------------


def create_setting(
    rows: sqlite3.Connection, name: str, place: str | None, tags: Mapping[str, str], first_place: str
) -> str | None:
    """Make an MLflow experiment and return its id; None where there is one of that name."""
    if rows.execute("SELECT 1 FROM experiments WHERE name = ?", [name]).fetchone():
        return None
    now = now_ms()
    told = {"lifecycle_stage": "active", "creation_time": now, "last_update_time": now}
    # MLflow wants its own first one to be there, and makes it where it opens a file without.
    first = {"experiment_id": 0, "name": "Default", "artifact_location": first_place, **told}
    _insert(rows, "experiments", first, "OR IGNORE")
    _insert(rows, "experiments", {"name": name, "artifact_location": place, **told})
    (number,) = rows.execute("SELECT last_insert_rowid()").fetchone()
    _insert_all(rows, "experiment_tags", _OF_SETTING, [(key, value, number) for key, value in tags.items()])
    return str(number)


def setting_tags(rows: sqlite3.Connection, setting_id: str) -> dict[str, str]:
    """Return the tags of an MLflow experiment."""
    found = rows.execute("SELECT key, value FROM experiment_tags WHERE experiment_id = ?", [setting_id])
    return dict(found.fetchall())


def tag_setting(rows: sqlite3.Connection, setting_id: str, tags: Mapping[str, str]) -> None:
    """Tag an MLflow experiment, whatever the tags were."""
    found = [(key, value, setting_id) for key, value in tags.items()]
    _insert_all(rows, "experiment_tags", _OF_SETTING, found, "OR REPLACE")


def create_run(rows: sqlite3.Connection, new: NewRun) -> str:
    """Open a run and return its id; a StoreError where its setting is gone."""
    found = rows.execute("SELECT artifact_location FROM experiments WHERE experiment_id = ?", [new.setting_id])
    setting = found.fetchone()
    if setting is None:
        raise StoreError(f"MLflow experiment {new.setting_id} is not there any more")
    run_id = uuid.uuid4().hex
    told = {
        "run_uuid": run_id, "name": new.name, "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "",
        "user_id": new.tags.get("mlflow.user", "unknown"), "status": RUNNING, "start_time": now_ms(),
        "source_version": "", "lifecycle_stage": "active", "artifact_uri": f"{setting[0]}/{run_id}/artifacts",
        "experiment_id": new.setting_id,
    }  # fmt: skip
    _insert(rows, "runs", told)
    _set_tags(rows, run_id, {**new.tags, RUN_NAME: new.name})
    return run_id


def run_with_tag(rows: sqlite3.Connection, setting_id: str, key: str, value: str) -> str | None:
    """Return the run of a setting that has a tag, if there is one."""
    found = rows.execute(
        "SELECT run_uuid FROM runs JOIN tags USING (run_uuid) "
        "WHERE experiment_id = ? AND lifecycle_stage = 'active' AND key = ? AND value = ?",
        [setting_id, key, value],
    ).fetchone()
    return None if found is None else str(found[0])


def writable_run(rows: sqlite3.Connection, run_id: str) -> RunRow:
    """Return a run that can be written.

    Raises
    ------
    StoreAway
        It is not there.
    StoreError
        It is deleted.
    """
    found = rows.execute(
        "SELECT runs.lifecycle_stage, experiment_id, artifact_uri, artifact_location "
        "FROM runs JOIN experiments USING (experiment_id) WHERE run_uuid = ?",
        [run_id],
    ).fetchone()
    if found is None:
        raise StoreAway(f"run {run_id} is not there any more")
    if found[0] != "active":
        raise StoreError(f"run {run_id} is deleted; restore it with `mlflow runs restore`")
    return RunRow(run_id, *found[1:])


# --- what is added to runs -------------------------------------------------------------------------------------------


def add(rows: sqlite3.Connection, run: RunRow, added: Added) -> None:
    """Add to a run."""
    _log_params(rows, run.run_id, added.params)
    _set_tags(rows, run.run_id, added.tags)
    _log_metrics(rows, run.run_id, added.metrics)
    if added.model_id is not None:
        _log_metrics_of_model(rows, run, added.model_id, added.metrics)
    if added.dataset is not None:
        _log_dataset(rows, run, added.dataset)
    if added.ended is not None:
        rows.execute("UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ?", [*added.ended, run.run_id])


def _set_tags(rows: sqlite3.Connection, run_id: str, tags: Mapping[str, str]) -> None:
    _insert_all(rows, "tags", _OF_RUN, [(key, value, run_id) for key, value in tags.items()], "OR REPLACE")


def _log_params(rows: sqlite3.Connection, run_id: str, params: Mapping[str, str]) -> None:
    """Set parameters; one that has another value already is a StoreError."""
    _insert_all(rows, "params", _OF_RUN, [(key, value, run_id) for key, value in params.items()], "OR IGNORE")
    kept = dict(rows.execute("SELECT key, value FROM params WHERE run_uuid = ?", [run_id]).fetchall())
    for key, value in params.items():
        if kept[key] != value:
            raise StoreError(f"parameter {key!r} of run {run_id} is {kept[key]!r} already and cannot become {value!r}")


def _log_metrics(rows: sqlite3.Connection, run_id: str, values: Iterable[Sequence[Any]]) -> None:
    """Add to the history, and let the latest of a name be that of the last step, and of these of the last time."""
    columns = ("key", "value", "timestamp", "step", "is_nan", "run_uuid")
    found = [(*value, False, run_id) for value in values]
    _insert_all(rows, "metrics", columns, found, "OR IGNORE")
    rows.executemany(
        f"INSERT INTO latest_metrics ({', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan "
        "WHERE (excluded.step, excluded.timestamp, excluded.value) > "
        "(latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
        found,
    )


def _log_metrics_of_model(
    rows: sqlite3.Connection, run: RunRow, model_id: str, values: Iterable[Sequence[Any]]
) -> None:
    own = ("metric_name", "metric_value", "metric_timestamp_ms", "metric_step")
    columns = ("model_id", *own, "experiment_id", "run_id")
    found = [(model_id, *value, run.setting_id, run.run_id) for value in values]
    _insert_all(rows, "logged_model_metrics", columns, found, "OR IGNORE")


def _log_dataset(rows: sqlite3.Connection, run: RunRow, told: Mapping[str, str]) -> None:
    """Say what a run was learned from."""
    about = {
        "dataset_uuid": uuid.uuid4().hex, "experiment_id": run.setting_id, "name": told["name"],
        "digest": told["digest"], "dataset_source_type": told["source_type"], "dataset_source": told["source"],
        "dataset_schema": told["schema"], "dataset_profile": told["profile"],
    }  # fmt: skip
    # All runs on the same rows share one.
    _insert(rows, "datasets", about, "OR IGNORE")
    (dataset,) = rows.execute(
        "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
        [run.setting_id, told["name"], told["digest"]],
    ).fetchone()
    known = "SELECT 1 FROM inputs WHERE source_id = ? AND destination_id = ?"
    if rows.execute(known, [dataset, run.run_id]).fetchone() is None:
        edge = _join(rows, "DATASET", dataset, "RUN", run.run_id)
        _insert(rows, "input_tags", dict(zip(("input_uuid", "name", "value"), (edge, *DATASET_TAG), strict=True)))


# --- models ----------------------------------------------------------------------------------------------------------


def model_of(rows: sqlite3.Connection, run: RunRow) -> str | None:
    """Return the id of a run's model that is there with all its files."""
    found = rows.execute(
        "SELECT model_id FROM inputs JOIN logged_models ON model_id = destination_id "
        "WHERE source_id = ? AND source_type = 'RUN_OUTPUT' AND status = ?",
        [run.run_id, _READY],
    ).fetchone()
    return None if found is None else str(found[0])


def add_model(rows: sqlite3.Connection, run: RunRow, new: NewModel, began_ms: int) -> None:
    """Log a model of a run whose files are there, with the parameters that the run has."""
    about = {
        "model_id": new.model_id, "experiment_id": run.setting_id, "name": MODEL_NAME, "artifact_location": new.uri,
        "creation_timestamp_ms": began_ms, "last_updated_timestamp_ms": now_ms(), "status": _READY,
        "lifecycle_stage": "active", "source_run_id": run.run_id,
    }  # fmt: skip
    _insert(rows, "logged_models", about)
    params = rows.execute("SELECT key, value FROM params WHERE run_uuid = ?", [run.run_id]).fetchall()
    columns = ("model_id", "experiment_id", "param_key", "param_value")
    found = [(new.model_id, run.setting_id, *param) for param in params]
    _insert_all(rows, "logged_model_params", columns, found)
    _join(rows, "RUN_OUTPUT", run.run_id, "MODEL_OUTPUT", new.model_id)


# --- any rows --------------------------------------------------------------------------------------------------------


def _join(rows: sqlite3.Connection, source_type: str, source: str, destination_type: str, destination: str) -> str:
    """Say that a run took a dataset or gave a model; return the id of what says so."""
    edge = uuid.uuid4().hex
    values = (edge, source_type, source, destination_type, destination, 0)
    _insert_all(rows, "inputs", _OF_INPUT, [values])
    return edge


def _insert(rows: sqlite3.Connection, table: str, told: Mapping[str, Any], known: str = "") -> None:
    """Add a row by the names of its columns."""
    _insert_all(rows, table, list(told), [list(told.values())], known)


def _insert_all(
    rows: sqlite3.Connection, table: str, columns: Sequence[str], found: Sequence[Sequence[Any]], known: str = ""
) -> None:
    """Add rows to a table; `known` says what becomes of those that are there already.

    Columns are named: their order depends on which version of MLflow made the file.
    """
    marks = ", ".join("?" * len(columns))
    rows.executemany(f"INSERT {known} INTO {table} ({', '.join(columns)}) VALUES ({marks})", found)
