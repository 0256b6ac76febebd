"""The steps of logging a run, each done by MLflow from what lies in the outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from ser_experiments.tracking.backends._mlflow.log_model import log_written_model
from ser_experiments.tracking.outbox import Step

#: MLflow takes so many values at once, and texts of so many characters.
_BATCH, _MAX_PARAM, _MAX_TAG = 100, 500, 5000
#: Which step of which outbox made a nested run: it is not made twice when the step is done again.
_STEP_TAG = "ser.step"


def perform(step: Step, client: mlflow.MlflowClient, run_id: str) -> Any:
    """Do one step; doing it twice changes nothing."""
    return STEPS[step.kind](step, client, run_id)


def fit_tags(tags: dict[str, str]) -> dict[str, str]:
    """Return tags that are no longer than MLflow takes."""
    return {key: value[:_MAX_TAG] for key, value in tags.items()}


def _params(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [Param(key, value[:_MAX_PARAM]) for key, value in step.arguments.items()]
    for i in range(0, len(found), _BATCH):
        client.log_batch(run_id, params=found[i : i + _BATCH])


def _tags(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [RunTag(key, value) for key, value in fit_tags(step.arguments).items()]
    for i in range(0, len(found), _BATCH):
        client.log_batch(run_id, tags=found[i : i + _BATCH])


def _metrics(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    _log_metrics(client, run_id, [Metric(*value) for value in step.arguments["values"]])


def _log_metrics(client: mlflow.MlflowClient, run_id: str, found: list[Metric]) -> None:
    for i in range(0, len(found), _BATCH):
        client.log_batch(run_id, metrics=found[i : i + _BATCH])


def _artifacts(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    client.log_artifacts(run_id, str(step.files))


def _dataset(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    dataset = Dataset(**step.arguments)
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])


def _nested(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    told = step.arguments
    name = f"{run_id}/{step.folder.name}"
    experiment = told["experiment_id"]
    known = client.search_runs([experiment], f"tags.`{_STEP_TAG}` = '{name}'", max_results=1)
    child = known[0] if known else client.create_run(experiment, tags={**fit_tags(told["tags"]), _STEP_TAG: name})
    client.log_batch(
        child.info.run_id,
        params=[Param(key, value[:_MAX_PARAM]) for key, value in told["params"].items()],
        metrics=[Metric(key, value, told["time"], 0) for key, value in told["metrics"].items()],
    )
    client.set_terminated(child.info.run_id)


def _model(step: Step, client: mlflow.MlflowClient, run_id: str) -> str:
    model_id = log_written_model(client, step.files, step.arguments["columns"], run_id)
    # The run's own values of the same moment, which stand at the model too.
    pooled = step.arguments.get("metrics", [])
    _log_metrics(
        client, run_id, [Metric(key, value, time, 0, model_id, run_id=run_id) for key, value, time, _ in pooled]
    )
    return f"models:/{model_id}"


def _end(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    if step.arguments["error"]:
        client.set_tag(run_id, "ser.error", step.arguments["error"][:_MAX_TAG])
    client.set_terminated(run_id, step.arguments["status"], step.arguments["time"])


#: What can be logged: a function of the step, the store and the run by its kind.
STEPS: dict[str, Callable[[Step, mlflow.MlflowClient, str], Any]] = {
    "params": _params,
    "tags": _tags,
    "metrics": _metrics,
    "artifacts": _artifacts,
    "dataset": _dataset,
    "nested": _nested,
    "model": _model,
    "end": _end,
}
