"""What a run leaves, written through MLflow: to servers, and to databases whose rows only MLflow knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

from ser_experiments.errors import StoreError
from ser_experiments.tracking.backend import OUTBOX_TAG, ROWS_TAG
from ser_experiments.tracking.backends._mlflow.answers import is_gone, reason
from ser_experiments.tracking.backends._mlflow.limits import of_tags
from ser_experiments.tracking.backends._mlflow.steps import perform
from ser_experiments.tracking.backends._mlflow.store import FoundSetting, check_artifacts, on_server
from ser_experiments.tracking.outbox import Step


def connect(uri: str) -> mlflow.MlflowClient:
    """Point mlflow at a store and return a client for it.

    Raises
    ------
    StoreError
        The store does not answer.
    """
    # A server that went away is noticed in seconds; MLflow's own default would have a run wait for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    point_mlflow_at(uri)
    try:
        client = mlflow.MlflowClient(uri)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise StoreError(f"tracking store {uri} does not answer: {reason(error)}") from error
    return client


def point_mlflow_at(uri: str) -> None:
    """Set mlflow's store for this process without leaving it in the environment, where it would pass for the user's."""
    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    if before is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)


class Through:
    """The rows of runs, written through a client; see :class:`~ser_experiments.tracking.backend.Backend`.

    Parameters
    ----------
    client : MlflowClient
        The store.
    uri : str
        Its address.
    """

    def __init__(self, client: mlflow.MlflowClient, uri: str) -> None:
        self.client, self.uri = client, uri

    def find_setting(self, name: str) -> FoundSetting | None:
        """Return the MLflow experiment of a name, deleted or not."""
        found = self.client.get_experiment_by_name(name)
        if found is None:
            return None
        is_active, rows = found.lifecycle_stage == "active", found.tags.get(ROWS_TAG)
        return FoundSetting(str(found.experiment_id), is_active, rows, found.artifact_location)

    def create_setting(self, name: str, place: str | None, tags: Mapping[str, str]) -> str | None:
        """Make an MLflow experiment; None where another process made one of that name in the meantime."""
        default = self.client.get_experiment("0") if on_server(self.uri) else None
        if default is not None:
            check_artifacts(self.uri, default.artifact_location)
        try:
            return str(self.client.create_experiment(name, artifact_location=place, tags=dict(tags)))
        except MlflowException:
            if self.find_setting(name) is None:
                raise
            return None

    def create_run(self, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Open a run."""
        return str(self.client.create_run(setting_id, run_name=name, tags=of_tags(tags)).info.run_id)

    def run_of_outbox(self, setting_id: str, outbox: str) -> str | None:
        """Return the id of the run that was made with an outbox."""
        found = self.client.search_runs([setting_id], f"tags.`{OUTBOX_TAG}` = '{outbox}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        try:
            return str(self.client.get_run(run_id).info.status)
        except MlflowException as error:
            if is_gone(error):
                return None
            raise

    def perform(self, step: Step, run_id: str) -> Any:
        """Do one step of logging a run; of a model, return its URI."""
        return perform(step, self.client, run_id)
