"""Rows of MLflow's tables, as MLflow itself writes them; everything happens in a transaction that is handed in."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import RUN_NAME, RUNNING, now_ms
from ser_experiments.tracking.backends._mlflow import limits

#: Columns of what runs and settings are tagged with, and of what a run took and gave.
OF_RUN, OF_SETTING = ("key", "value", "run_uuid"), ("key", "value", "experiment_id")
OF_INPUT = ("input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step")


def insert(
    rows: sqlite3.Connection, table: str, columns: Sequence[str], found: Sequence[Sequence[Any]], known: str = ""
) -> None:
    """Add rows to a table; `known` says what becomes of those that are there already.

    Columns are named: their order depends on which version of MLflow made the file.
    """
    marks = ", ".join("?" * len(columns))
    rows.executemany(f"INSERT {known} INTO {table} ({', '.join(columns)}) VALUES ({marks})", found)


def create_run(rows: sqlite3.Connection, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
    """Open a run and return its id; a StoreError where its setting is gone."""
    found = rows.execute("SELECT artifact_location FROM experiments WHERE experiment_id = ?", [setting_id]).fetchone()
    if found is None:
        raise StoreError(f"MLflow experiment {setting_id} is not there any more")
    run_id = uuid.uuid4().hex
    told = {
        "run_uuid": run_id, "name": name, "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "",
        "user_id": tags.get("mlflow.user", "unknown"), "status": RUNNING, "start_time": now_ms(), "source_version": "",
        "lifecycle_stage": "active", "artifact_uri": f"{found[0]}/{run_id}/artifacts", "experiment_id": setting_id,
    }  # fmt: skip
    insert(rows, "runs", list(told), [list(told.values())])
    set_tags(rows, run_id, {**tags, RUN_NAME: name})
    return run_id


def run_with_tag(rows: sqlite3.Connection, setting_id: str, key: str, value: str) -> str | None:
    """Return the run of a setting that has a tag, if there is one."""
    found = rows.execute(
        "SELECT run_uuid FROM runs JOIN tags USING (run_uuid) "
        "WHERE experiment_id = ? AND lifecycle_stage = 'active' AND key = ? AND value = ?",
        [setting_id, key, value],
    ).fetchone()
    return None if found is None else str(found[0])


def set_tags(rows: sqlite3.Connection, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags, whatever they were before."""
    limits.check_names(tags)
    found = [(key, value, run_id) for key, value in limits.of_tags(tags).items()]
    insert(rows, "tags", OF_RUN, found, "OR REPLACE")


def log_params(rows: sqlite3.Connection, run_id: str, params: Mapping[str, str]) -> None:
    """Set parameters; one that has another value already is a StoreError."""
    limits.check_names(params)
    said = limits.of_params(params)
    insert(rows, "params", OF_RUN, [(key, value, run_id) for key, value in said.items()], "OR IGNORE")
    kept = dict(rows.execute("SELECT key, value FROM params WHERE run_uuid = ?", [run_id]).fetchall())
    for key, value in said.items():
        if kept[key] != value:
            raise StoreError(f"parameter {key!r} of run {run_id} is {kept[key]!r} already and cannot become {value!r}")


def log_metrics(rows: sqlite3.Connection, run_id: str, values: Sequence[Sequence[Any]]) -> None:
    """Add to the history, and let the latest of a name be that of the last step, and of these of the last time."""
    limits.check_names(name for name, *_ in values)
    columns = ("key", "value", "timestamp", "step", "is_nan", "run_uuid")
    found = [(*value, False, run_id) for value in values]
    insert(rows, "metrics", columns, found, "OR IGNORE")
    rows.executemany(
        f"INSERT INTO latest_metrics ({', '.join(columns)}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "value = excluded.value, timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan "
        "WHERE (excluded.step, excluded.timestamp, excluded.value) > "
        "(latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
        found,
    )


def finish(rows: sqlite3.Connection, run_id: str, status: str, time_ms: int) -> None:
    """Say how a run ended, and when."""
    rows.execute("UPDATE runs SET status = ?, end_time = ? WHERE run_uuid = ?", [status, time_ms, run_id])
