"""MLflow: a server at ``MLFLOW_TRACKING_URI``, else an SQLite file under ``mlruns/``."""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from ser_experiments import plugins
from ser_experiments.errors import InputError, StoreError
from ser_experiments.project import Project
from ser_experiments.tracking.backend import (
    EXPERIMENT_TAG,
    FINISHED,
    OUTBOX_TAG,
    PARENT,
    Program,
    Registered,
    StoreAway,
    StoredRun,
    StoredSetting,
)
from ser_experiments.tracking.backends._mlflow import store
from ser_experiments.tracking.backends._mlflow.answers import answering, is_gone, reason
from ser_experiments.tracking.backends._mlflow.log_model import DATA
from ser_experiments.tracking.backends._mlflow.steps import fit_tags, perform
from ser_experiments.tracking.backends._mlflow.system import system_metrics
from ser_experiments.tracking.names import told
from ser_experiments.tracking.outbox import Step
from ser_experiments.tracking.placing import place

# After the package above, which says what MLflow is to leave alone.
import mlflow  # isort: skip
from mlflow.entities import Run as MlflowRun  # isort: skip
from mlflow.exceptions import MlflowException  # isort: skip
from mlflow.utils.file_utils import local_file_uri_to_path  # isort: skip
from mlflow.utils.uri import is_local_uri  # isort: skip

_PAGE = 500


def connect(project: Project) -> Mlflow:
    """Point mlflow at the project's store, which has answered."""
    return Mlflow(project, store.connect(project))


class Mlflow:
    """An MLflow store; see :class:`~ser_experiments.tracking.backend.Backend`.

    Parameters
    ----------
    project : Project
        Where a local store lies.
    client : MlflowClient
        The store.
    """

    def __init__(self, project: Project, client: mlflow.MlflowClient) -> None:
        self.project, self.client = project, client

    @property
    def uri(self) -> str:
        """Return the tracking URI."""
        return store.tracking_uri(self.project)

    # --- runs ----------------------------------------------------------------------------------------------------

    def setting_id(self, setting: str, rows: str) -> str:
        """Return the id of the MLflow experiment of a setting."""
        with answering():
            return store.experiment_for(self.client, self.project, setting, rows)

    def create_run(self, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Open a run, with what MLflow's pages say of where it came from."""
        said = {**_context(tags), **fit_tags(dict(tags))}
        with answering("no run could be opened"):
            return str(self.client.create_run(setting_id, run_name=name, tags=said).info.run_id)

    def run_of_outbox(self, setting_id: str, outbox: str) -> str | None:
        """Return the id of the run that was made with an outbox."""
        with answering():
            found = self.client.search_runs([setting_id], f"tags.`{OUTBOX_TAG}` = '{outbox}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        with answering():
            try:
                return str(self.client.get_run(run_id).info.status)
            except MlflowException as error:
                if is_gone(error):
                    return None
                raise

    def perform(self, step: Step, run_id: str) -> Any:
        """Do one step of logging a run."""
        with answering():
            return perform(step, self.client, run_id)

    def watched(self, run_id: str) -> AbstractContextManager[None]:
        """Log ``system/...`` metrics while it lasts, if ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING`` is true."""
        return system_metrics(run_id)

    # --- reading -------------------------------------------------------------------------------------------------

    def settings(self) -> list[StoredSetting]:
        """List the settings that have finished runs, that of the latest run first."""
        found: dict[str, list[StoredRun]] = {}
        with answering():
            names = {str(e.experiment_id): e.name for e in _pages(self.client.search_experiments)}
            query = {"filter_string": f"attributes.status = '{FINISHED}'", "order_by": ["attributes.start_time DESC"]}
            runs = _pages(self.client.search_runs, experiment_ids=list(names), **query) if names else []
        for run in runs:
            # Nested runs are trials of a search and members of a stack: parts of a candidate, not candidates.
            if PARENT not in run.data.tags and EXPERIMENT_TAG in run.data.tags:
                found.setdefault(str(run.info.experiment_id), []).append(_stored(run))
        return [StoredSetting(names[key], key, runs) for key, runs in found.items()]

    def artifact(self, run_id: str, name: str, folder: Path) -> Path:
        """Fetch a file of a run into a folder."""
        with answering():
            return Path(self.client.download_artifacts(run_id, name, str(folder)))

    # --- models --------------------------------------------------------------------------------------------------

    def versions(self, name: str | None = None) -> list[Registered]:
        """List what is registered under a name, or at all."""
        found: list[Registered] = []
        with answering():
            models = [m for m in self._models() if name is None or m.name == name]
            for model in models:
                versions = self.client.search_model_versions(f"name = '{model.name}'", max_results=1000)
                # A search leaves the aliases of versions out; the model knows them.
                for one in sorted(versions, key=lambda version: -int(version.version)):
                    aliases = tuple(sorted(a for a, v in model.aliases.items() if int(v) == int(one.version)))
                    about = (str(one.run_id), dict(one.tags), int(one.creation_timestamp))
                    found.append(Registered(one.name, int(one.version), aliases, *about))
        return found

    def register(self, name: str, run_id: str, *, description: str, tags: Mapping[str, str]) -> int:
        """Register the model of a run under a name."""
        with answering(f"{name} was not registered"):
            model_id = self._model_of(run_id)
            if name not in [model.name for model in self._models()]:
                self.client.create_registered_model(name, description=description)
            made = self.client.create_model_version(
                name, source=f"models:/{model_id}", run_id=run_id, model_id=model_id, tags=dict(tags)
            )
        return int(made.version)

    def add_to_model(self, run_id: str, files: Mapping[str, Path]) -> int:
        """Put files beside a run's model."""
        with answering(f"nothing was put beside the model of run {run_id}"):
            model_id = self._model_of(run_id)
            at = self.client.get_logged_model(model_id).artifact_location
        folder = self.model_folder(f"models:/{model_id}")
        local = local_file_uri_to_path(at) if is_local_uri(at) else None
        if local is not None and folder.is_relative_to(local):
            inside = folder.relative_to(local)
            try:
                return place(files, folder, Path(local).parents[3].glob(f"*/models/*/artifacts/{inside}"))
            except OSError as error:
                raise StoreAway(f"{folder}: cannot be written ({error.strerror or error}); make room") from error
        lacking = {name: path for name, path in files.items() if not (folder / name).exists()}
        with tempfile.TemporaryDirectory() as temporary, answering(f"nothing was put beside the model of {run_id}"):
            added = place(lacking, Path(temporary) / DATA / folder.name)
            if lacking:
                self.client.log_model_artifacts(model_id, temporary)
        return added

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias mean a version from now on."""
        with answering(f"{name}@{alias} was not set"):
            self.client.set_registered_model_alias(name, alias, str(version))

    def model_folder(self, uri: str) -> Path:
        """Return the local folder of a logged or registered model's own files.

        Raises
        ------
        InputError
            There is no such model, or it is not one of this project.
        """
        import yaml

        try:
            folder = Path(mlflow.artifacts.download_artifacts(uri))
            flavor: dict[str, Any] = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["flavors"]
            return folder / str(flavor["python_function"]["data"])
        except (MlflowException, OSError, KeyError, TypeError, yaml.YAMLError) as error:
            raise InputError(f"{uri}: not a model that can be loaded ({reason(error)})") from error

    def _model_of(self, run_id: str) -> str:
        outputs = self.client.get_run(run_id).outputs
        models = outputs.model_outputs if outputs else []
        if not models:
            raise StoreError(f"run {run_id} holds no model; run the experiment again")
        return str(models[0].model_id)

    def _models(self) -> list[Any]:
        return list(self.client.search_registered_models(max_results=1000))

    # --- programs ------------------------------------------------------------------------------------------------

    def ui(self, host: str, port: int) -> Program | str:
        """Return MLflow's own pages on the runs; a server has them already."""
        if self.uri.startswith("http"):
            return f"the runs are on {self.uri}; open it in a browser"
        arguments = ["--backend-store-uri", self.uri, "--host", host, "--port", str(port), "--workers", "2"]
        root = store.artifact_root(self.project)
        if root is not None:
            arguments += ["--default-artifact-root", root]
        # MLflow's own four workers and its runner of GenAI jobs, which no run here has, double the wait for a page.
        environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **os.environ}
        return Program([sys.executable, "-m", "mlflow", "ui", *arguments], environment)

    def serve(self, uri: str, host: str, port: int) -> Program:
        """Return MLflow's own server on a model."""
        # MLflow starts its server by name, so it has to be found although nobody activated this environment.
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        own = {"PATH": programs, "MLFLOW_TRACKING_URI": self.uri, "MLFLOW_REGISTRY_URI": self.uri}
        if plugins.folder():
            own[plugins.VARIABLE] = str(plugins.folder())
        arguments = ["--model-uri", uri, "--env-manager", "local", "--host", host, "--port", str(port)]
        return Program([sys.executable, "-m", "mlflow", "models", "serve", *arguments], {**os.environ, **own})


def _context(tags: Mapping[str, str]) -> dict[str, str]:
    """Return what MLflow's pages show of a run's origin, without asking git once more."""
    try:
        user = getpass.getuser()
    except (ImportError, KeyError, OSError):  # no name for the user's number
        user = "unknown"
    said = {"mlflow.user": user, "mlflow.source.name": sys.argv[0] or "<console>", "mlflow.source.type": "LOCAL"}
    if "git.commit" in tags:
        said["mlflow.source.git.commit"] = tags["git.commit"]
    return said


def _stored(run: MlflowRun) -> StoredRun:
    data = run.data
    return StoredRun(run.info.run_id, run.info.run_name, run.info.start_time, told(data.tags), told(data.metrics))


def _pages(search: Any, **query: Any) -> list[Any]:
    found, token = [], None
    while True:
        page = search(max_results=_PAGE, page_token=token, **query)
        found += page
        token = page.token
        if not token:
            return found
