"""The steps of logging a run, each done in MLflow's SQLite file without MLflow; the files go where MLflow puts them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ser_experiments.tracking.backend import FINISHED, RUN_NAME, now_ms
from ser_experiments.tracking.backends._mlflow import limits
from ser_experiments.tracking.backends._mlflow import rows as rows_of
from ser_experiments.tracking.backends._mlflow.log_model import MODEL_NAME, write_model
from ser_experiments.tracking.outbox import Step

if TYPE_CHECKING:
    from ser_experiments.tracking.backends._mlflow.database import Database

#: How a logged model stands that is there with all its files, in MLflow's numbers.
_READY = 2


class StoredRun(NamedTuple):
    """A run: its id, that of its setting, and the address of its files."""

    run_id: str
    setting_id: int
    place: str


def _folder(uri: str) -> Path:
    return Path(url2pathname(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)


def _params(step: Step, store: Database, run: StoredRun) -> None:
    with store.writing() as rows:
        rows_of.log_params(rows, run.run_id, step.arguments)


def _tags(step: Step, store: Database, run: StoredRun) -> None:
    with store.writing() as rows:
        rows_of.set_tags(rows, run.run_id, step.arguments)


def _metrics(step: Step, store: Database, run: StoredRun) -> None:
    with store.writing() as rows:
        rows_of.log_metrics(rows, run.run_id, step.arguments["values"])


def _artifacts(step: Step, store: Database, run: StoredRun) -> None:
    shutil.copytree(step.files, _folder(run.place), dirs_exist_ok=True)


def _dataset(step: Step, store: Database, run: StoredRun) -> None:
    told, dataset = step.arguments, uuid.uuid4().hex
    about = {
        "dataset_uuid": dataset, "experiment_id": run.setting_id, "name": told["name"], "digest": told["digest"],
        "dataset_source_type": told["source_type"], "dataset_source": told["source"],
        "dataset_schema": told["schema"], "dataset_profile": told["profile"],
    }  # fmt: skip
    with store.writing() as rows:
        # All runs on the same rows share one.
        rows_of.insert(rows, "datasets", list(about), [list(about.values())], "OR IGNORE")
        (dataset,) = rows.execute(
            "SELECT dataset_uuid FROM datasets WHERE experiment_id = ? AND name = ? AND digest = ?",
            [run.setting_id, told["name"], told["digest"]],
        ).fetchone()
        edge = (uuid.uuid4().hex, "DATASET", dataset, "RUN", run.run_id, 0)
        known = "SELECT 1 FROM inputs WHERE source_id = ? AND destination_id = ?"
        if rows.execute(known, [dataset, run.run_id]).fetchone() is None:
            rows_of.insert(rows, "inputs", rows_of.OF_INPUT, [edge])
            rows_of.insert(rows, "input_tags", ("input_uuid", "name", "value"), [(edge[0], *limits.DATASET_TAG)])


def _nested(step: Step, store: Database, run: StoredRun) -> None:
    told, name = step.arguments, f"{run.run_id}/{step.folder.name}"
    with store.writing() as rows:
        child = rows_of.run_with_tag(rows, told["experiment_id"], limits.STEP_TAG, name)
        if child is None:
            tags = {**told["tags"], limits.STEP_TAG: name}
            child = rows_of.create_run(rows, told["experiment_id"], tags[RUN_NAME], tags)
        rows_of.log_params(rows, child, told["params"])
        rows_of.log_metrics(rows, child, [(key, value, told["time"], 0) for key, value in told["metrics"].items()])
        rows_of.finish(rows, child, FINISHED, now_ms())


def _model(step: Step, store: Database, run: StoredRun) -> str:
    """Log the one model of a run; its rows come when its files are there."""
    with store.reading() as rows:
        known = rows.execute(
            "SELECT model_id FROM inputs JOIN logged_models ON model_id = destination_id "
            "WHERE source_id = ? AND source_type = 'RUN_OUTPUT' AND status = ?",
            [run.run_id, _READY],
        ).fetchone()
    model_id = str(known[0]) if known else _log_model(step, store, run)
    columns = (
        "model_id",
        "metric_name",
        "metric_value",
        "metric_timestamp_ms",
        "metric_step",
        "experiment_id",
        "run_id",
    )
    pooled = [(model_id, *value, run.setting_id, run.run_id) for value in step.arguments["metrics"]]
    with store.writing() as rows:
        rows_of.insert(rows, "logged_model_metrics", columns, pooled, "OR IGNORE")
    return f"models:/{model_id}"


def _log_model(step: Step, store: Database, run: StoredRun) -> str:
    model_id, began = f"m-{uuid.uuid4().hex}", now_ms()
    root = run.place.removesuffix(f"/{run.run_id}/artifacts")
    place = f"{root}/models/{model_id}/artifacts"
    write_model(step.files, _folder(place), step.arguments["columns"], model_id=model_id, run_id=run.run_id, uri=place)
    about = {
        "model_id": model_id, "experiment_id": run.setting_id, "name": MODEL_NAME, "artifact_location": place,
        "creation_timestamp_ms": began, "last_updated_timestamp_ms": now_ms(), "status": _READY,
        "lifecycle_stage": "active", "source_run_id": run.run_id,
    }  # fmt: skip
    with store.writing() as rows:
        rows_of.insert(rows, "logged_models", list(about), [list(about.values())])
        params = rows.execute("SELECT key, value FROM params WHERE run_uuid = ?", [run.run_id]).fetchall()
        columns = ("model_id", "experiment_id", "param_key", "param_value")
        rows_of.insert(rows, "logged_model_params", columns, [(model_id, run.setting_id, *param) for param in params])
        edge = (uuid.uuid4().hex, "RUN_OUTPUT", run.run_id, "MODEL_OUTPUT", model_id, 0)
        rows_of.insert(rows, "inputs", rows_of.OF_INPUT, [edge])
    return model_id


def _end(step: Step, store: Database, run: StoredRun) -> None:
    with store.writing() as rows:
        if step.arguments["error"]:
            rows_of.set_tags(rows, run.run_id, {limits.ERROR_TAG: step.arguments["error"]})
        rows_of.finish(rows, run.run_id, step.arguments["status"], step.arguments["time"])


#: What can be logged, as :data:`ser_experiments.tracking.backends._mlflow.steps.STEPS` does it through MLflow.
STEPS: dict[str, Callable[[Step, Database, StoredRun], Any]] = {
    "params": _params,
    "tags": _tags,
    "metrics": _metrics,
    "artifacts": _artifacts,
    "dataset": _dataset,
    "nested": _nested,
    "model": _model,
    "end": _end,
}
