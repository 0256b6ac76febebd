"""The steps of logging a run, each done by MLflow from what lies in the outbox."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    RunTag,
)

from ser_experiments.tracking.backends._mlflow.limits import (
    BATCH,
    DATASET_TAG,
    ERROR_TAG,
    STEP_TAG,
    of_params,
    of_tags,
)
from ser_experiments.tracking.backends._mlflow.log_model import MODEL_NAME, write_model
from ser_experiments.tracking.outbox import Step


def perform(step: Step, client: mlflow.MlflowClient, run_id: str) -> Any:
    """Do one step; doing it twice changes nothing."""
    return STEPS[step.kind](step, client, run_id)


def _params(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [Param(*one) for one in of_params(step.arguments).items()]
    for i in range(0, len(found), BATCH):
        client.log_batch(run_id, params=found[i : i + BATCH])


def _tags(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [RunTag(*one) for one in of_tags(step.arguments).items()]
    for i in range(0, len(found), BATCH):
        client.log_batch(run_id, tags=found[i : i + BATCH])


def _metrics(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    _log_metrics(client, run_id, [Metric(*value) for value in step.arguments["values"]])


def _log_metrics(client: mlflow.MlflowClient, run_id: str, found: list[Metric]) -> None:
    for i in range(0, len(found), BATCH):
        client.log_batch(run_id, metrics=found[i : i + BATCH])


def _artifacts(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    client.log_artifacts(run_id, str(step.files))


def _dataset(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    dataset = Dataset(**step.arguments)
    client.log_inputs(run_id, [DatasetInput(dataset, [InputTag(*DATASET_TAG)])])


def _nested(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    told = step.arguments
    name = f"{run_id}/{step.folder.name}"
    experiment = told["experiment_id"]
    known = client.search_runs([experiment], f"tags.`{STEP_TAG}` = '{name}'", max_results=1)
    child = known[0] if known else client.create_run(experiment, tags={**of_tags(told["tags"]), STEP_TAG: name})
    client.log_batch(
        child.info.run_id,
        params=[Param(*one) for one in of_params(told["params"]).items()],
        metrics=[Metric(key, value, told["time"], 0) for key, value in told["metrics"].items()],
    )
    client.set_terminated(child.info.run_id)


def _model(step: Step, client: mlflow.MlflowClient, run_id: str) -> str:
    run = client.get_run(run_id)
    known = run.outputs.model_outputs if run.outputs else []
    if known and client.get_logged_model(known[0].model_id).status == LoggedModelStatus.READY:
        model_id = str(known[0].model_id)
    else:
        model_id = _log_model(step, client, run)
    # The run's own values of the same moment, which stand at the model too.
    pooled = step.arguments.get("metrics", [])
    _log_metrics(
        client, run_id, [Metric(key, value, time, 0, model_id, run_id=run_id) for key, value, time, _ in pooled]
    )
    return f"models:/{model_id}"


def _log_model(step: Step, client: mlflow.MlflowClient, run: Any) -> str:
    run_id, params = run.info.run_id, dict(run.data.params)
    made = client.create_logged_model(run.info.experiment_id, name=MODEL_NAME, source_run_id=run_id, params=params)
    model_id, uri = str(made.model_id), made.artifact_location
    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
    with tempfile.TemporaryDirectory() as temporary:
        write_model(step.files, Path(temporary), step.arguments["columns"], model_id=model_id, run_id=run_id, uri=uri)
        client.log_model_artifacts(model_id, temporary)
    client.finalize_logged_model(model_id, LoggedModelStatus.READY)
    return model_id


def _end(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    if step.arguments["error"]:
        client.set_tag(run_id, *next(iter(of_tags({ERROR_TAG: step.arguments["error"]}).items())))
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
