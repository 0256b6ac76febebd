"""The steps of logging a run, each done by the store from what lies in the outbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2

from ser_experiments.tracking.log_model import log_written_model
from ser_experiments.tracking.outbox import Step

_BATCH = 100
#: Which step of which outbox made a nested run: it is not made twice when the step is done again.
_STEP_TAG = "ser.step"
#: What the store answers when it was asked for nonsense; everything else means that it cannot be reached or is ill.
_NONSENSE = {
    databricks_pb2.ErrorCode.Name(code)
    for code in (
        databricks_pb2.INVALID_PARAMETER_VALUE, databricks_pb2.BAD_REQUEST, databricks_pb2.INVALID_STATE,
        databricks_pb2.RESOURCE_ALREADY_EXISTS, databricks_pb2.PERMISSION_DENIED,
    )
}  # fmt: skip


def perform(step: Step, client: mlflow.MlflowClient, run_id: str) -> Any:
    """Do one step; doing it twice changes nothing."""
    return STEPS[step.kind](step, client, run_id)


def is_away(error: BaseException) -> bool:
    """Whether an error means that the store cannot be reached or is ill, so that trying later makes sense."""
    if isinstance(error, MlflowException):
        return error.error_code not in _NONSENSE
    return isinstance(error, OSError)  # requests' and urllib3's errors are OSErrors or wrapped by MLflow


def _params(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [Param(key, value) for key, value in step.arguments.items()]
    for i in range(0, len(found), _BATCH):
        client.log_batch(run_id, params=found[i : i + _BATCH])


def _tags(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [RunTag(key, value) for key, value in step.arguments.items()]
    for i in range(0, len(found), _BATCH):
        client.log_batch(run_id, tags=found[i : i + _BATCH])


def _metrics(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    found = [Metric(key, value, time, number) for key, value, time, number in step.arguments["values"]]
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
    child = known[0] if known else client.create_run(experiment, tags={**told["tags"], _STEP_TAG: name})
    client.log_batch(
        child.info.run_id,
        params=[Param(key, value) for key, value in told["params"].items()],
        metrics=[Metric(key, value, told["time"], 0) for key, value in told["metrics"].items()],
    )
    client.set_terminated(child.info.run_id)


def _model(step: Step, client: mlflow.MlflowClient, run_id: str) -> str:
    return log_written_model(step.files, step.arguments["columns"], run_id)


def _end(step: Step, client: mlflow.MlflowClient, run_id: str) -> None:
    if step.arguments["error"]:
        client.set_tag(run_id, "ser.error", step.arguments["error"])
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
