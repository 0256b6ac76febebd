"""What runs leave, written through MLflow: to servers, and to databases whose rows only MLflow knows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    Run,
    RunTag,
)
from mlflow.exceptions import MlflowException

from ser_experiments.errors import InputError, StoreError
from ser_experiments.secret import hidden, reason
from ser_experiments.tracking.backend import ROWS_TAG
from ser_experiments.tracking.backends._mlflow.answers import is_away, is_gone
from ser_experiments.tracking.backends._mlflow.health import check_database
from ser_experiments.tracking.backends._mlflow.log_model import MODEL_NAME
from ser_experiments.tracking.backends._mlflow.pointing import point_mlflow_at
from ser_experiments.tracking.backends._mlflow.store import check_artifacts, on_server, sqlite_file
from ser_experiments.tracking.backends._mlflow.template import begin_database, first_opening
from ser_experiments.tracking.backends._mlflow.writer import DATASET_TAG, Added, FoundSetting, NewModel, NewRun

#: How long a server may take to answer, in MLflow's own words, and by default here.
_TIMEOUT, _TIMEOUT_S = "MLFLOW_HTTP_REQUEST_TIMEOUT", 20
#: So many values MLflow takes at once.
_BATCH = 100


def connect(uri: str) -> mlflow.MlflowClient:
    """Point mlflow at a store and return a client for it.

    Raises
    ------
    StoreError
        The store does not answer, or its file cannot be opened.
    """
    # A server that went away, or takes a request and never answers, is noticed in seconds; by MLflow's own defaults a
    # run would wait for a quarter of an hour.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    told = os.environ.setdefault(_TIMEOUT, str(_TIMEOUT_S))
    if not told.isdecimal() or int(told) < 1:
        raise InputError(f"{_TIMEOUT} is {told!r}; it must be a whole number of seconds, e.g. {_TIMEOUT_S}")
    point_mlflow_at(uri)
    file = sqlite_file(uri)
    try:
        if file is not None:
            return _opened(uri, file)
        if on_server(uri):
            _ask(uri)
        return _client(uri)
    except (MlflowException, OSError) as error:
        what = "does not answer" if is_away(error) else "refuses to answer"
        raise StoreError(f"tracking store {hidden(uri)} {what}: {reason(error)}") from error


def _client(uri: str) -> mlflow.MlflowClient:
    client = mlflow.MlflowClient(uri)
    client.search_experiments(max_results=1)
    return client


def _opened(uri: str, file: Path) -> mlflow.MlflowClient:
    """Return a client of an SQLite file, which MLflow brings to its own schema where it has an older one."""
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        begin_database(file)
        check_database(file)
        with first_opening(file):
            return _client(uri)
    except (SQLAlchemyError, CommandError) as error:
        raise StoreError(
            f"{file}: MLflow cannot open it ({reason(error)}); if another version of MLflow was to change "
            f"it and did not end, restore a backup, or move the file away"
        ) from error


def _ask(uri: str) -> None:
    """Ask a server once whether it is there: one that takes requests and never answers is said before anything else."""
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    patience_s = int(os.environ[_TIMEOUT])
    try:
        http_request(get_default_host_creds(uri), "/health", "GET", max_retries=0, timeout=patience_s)
    except MlflowException as error:
        if "timed out" not in str(error).lower():
            raise
        raise StoreError(
            f"tracking server {hidden(uri)} did not answer within {patience_s} s; is it one of MLflow's? "
            f"To wait longer: {_TIMEOUT}={4 * patience_s}"
        ) from error


def ready_models(client: mlflow.MlflowClient, run_id: str) -> list[str]:
    """Return the ids of a run's models that are there with all their files."""
    every = _outputs(client.get_run(run_id))
    return [one for one in every if client.get_logged_model(one).status == LoggedModelStatus.READY]


def _outputs(run: Run) -> list[str]:
    return [str(one.model_id) for one in run.outputs.model_outputs] if run.outputs else []


class Client:
    """A writer through MLflow's client; see :class:`~ser_experiments.tracking.backends._mlflow.writer.Writer`.

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

    def setting_tags(self, setting_id: str) -> dict[str, str]:
        """Return the tags of an MLflow experiment."""
        return dict(self.client.get_experiment(setting_id).tags)

    def tag_setting(self, setting_id: str, tags: Mapping[str, str]) -> None:
        """Tag an MLflow experiment."""
        for key, value in tags.items():
            self.client.set_experiment_tag(setting_id, key, value)

    def create_run(self, new: NewRun) -> str:
        """Open a run and return its id."""
        made = self.client.create_run(new.setting_id, run_name=new.name, tags=dict(new.tags))
        return str(made.info.run_id)

    def run_with_tag(self, setting_id: str, key: str, value: str) -> str | None:
        """Return the id of the run of a setting that has a tag."""
        found = self.client.search_runs([setting_id], f"tags.`{key}` = '{value}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        try:
            return str(self.client.get_run(run_id).info.status)
        except MlflowException as error:
            if is_gone(error):
                return None
            raise

    def add(self, run_id: str, added: Added) -> None:
        """Add to a run, so much at once as MLflow takes."""
        whose: dict[str, Any] = {} if added.model_id is None else {"model_id": added.model_id, "run_id": run_id}
        self._log(run_id, "params", [Param(*one) for one in added.params.items()])
        self._log(run_id, "tags", [RunTag(*one) for one in added.tags.items()])
        self._log(run_id, "metrics", [Metric(*one, **whose) for one in added.metrics])
        if added.dataset is not None:
            self.client.log_inputs(run_id, [DatasetInput(Dataset(**added.dataset), [InputTag(*DATASET_TAG)])])
        if added.ended is not None:
            self.client.set_terminated(run_id, *added.ended)

    def _log(self, run_id: str, kind: str, found: Sequence[Any]) -> None:
        for i in range(0, len(found), _BATCH):
            batch: dict[str, Any] = {kind: found[i : i + _BATCH]}
            self.client.log_batch(run_id, **batch)

    def add_child(self, new: NewRun, key: str, added: Added) -> None:
        """Add to the run that has the same tag, which is opened where there is none."""
        self.add(self.run_with_tag(new.setting_id, key, new.tags[key]) or self.create_run(new), added)

    def add_files(self, run_id: str, folder: Path) -> None:
        """Keep the files of a folder with a run."""
        self.client.log_artifacts(run_id, str(folder))

    def model_of(self, run_id: str) -> str | None:
        """Return the id of a run's model that is there with all its files."""
        return next(iter(ready_models(self.client, run_id)), None)

    @contextmanager
    def new_model(self, run_id: str) -> Iterator[NewModel]:
        """Log a model of a run, whose files are written meanwhile."""
        run = self.client.get_run(run_id)
        experiment = run.info.experiment_id
        # One that a killed process began is ended: `runs:/ID/model` may mean any of a run's models.
        begun = self.client.search_logged_models([experiment], f"source_run_id = '{run_id}'", max_results=1)
        made = begun[0] if begun else self.client.create_logged_model(
            experiment, name=MODEL_NAME, source_run_id=run_id, params=dict(run.data.params)
        )  # fmt: skip
        model_id = str(made.model_id)
        if model_id not in _outputs(run):
            self.client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
        with tempfile.TemporaryDirectory() as temporary:
            yield NewModel(model_id, made.artifact_location, Path(temporary))
            self.client.log_model_artifacts(model_id, temporary)
        self.client.finalize_logged_model(model_id, LoggedModelStatus.READY)
