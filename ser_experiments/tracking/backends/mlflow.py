"""MLflow: a server at ``MLFLOW_TRACKING_URI``, else an SQLite file under ``mlruns/``."""

from __future__ import annotations

import getpass
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ser_experiments.errors import InputError, StoreError
from ser_experiments.files import MIB, Unreadable, read_text
from ser_experiments.project import Project
from ser_experiments.secret import hidden, reason
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
from ser_experiments.tracking.backends._mlflow import view as pages
from ser_experiments.tracking.backends._mlflow.answers import answering
from ser_experiments.tracking.backends._mlflow.database import Database
from ser_experiments.tracking.backends._mlflow.keeper import DELETING, MlflowKeeper
from ser_experiments.tracking.backends._mlflow.limits import of_tags
from ser_experiments.tracking.backends._mlflow.log_model import DATA
from ser_experiments.tracking.backends._mlflow.pointing import point_mlflow_at
from ser_experiments.tracking.backends._mlflow.searching import every
from ser_experiments.tracking.backends._mlflow.steps import LoggedRun
from ser_experiments.tracking.backends._mlflow.system import system_metrics
from ser_experiments.tracking.backends._mlflow.writer import NewRun, Writer
from ser_experiments.tracking.keeper import Keeper
from ser_experiments.tracking.kept import Step
from ser_experiments.tracking.names import told
from ser_experiments.tracking.placing import place, probe
from ser_experiments.tracking.steps import perform
from ser_experiments.tracking.view import View

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run as MlflowRun

#: Bytes of an ``MLmodel``, which names every column; and what one provokes that nobody wrote by hand.
_MOST_ABOUT, _ODD = 64 * MIB, (Unreadable, RecursionError, ValueError)


def connect(project: Project) -> Mlflow:
    """Return the project's store, which has answered."""
    uri, path = store.tracking_uri(project), store.local_file(project)
    found = Mlflow(project, uri, None if path is None else Database.open(path))
    found.writer  # noqa: B018 -- a store that does not answer says so here
    # Whoever uses MLflow in this process, now or later, finds the runs.
    point_mlflow_at(uri)
    return found


def there(project: Project) -> bool:
    """Whether the project has a database of runs, or its runs are kept elsewhere."""
    path = store.local_file(project)
    return path is None or path.is_file()


class Mlflow:
    """An MLflow store; see :class:`~ser_experiments.tracking.backend.Backend`.

    Parameters
    ----------
    project : Project
        Where a local store lies.
    uri : str
        The tracking URI.
    database : Database, optional
        What writes runs; by default MLflow does, which is imported for everything else.
    """

    def __init__(self, project: Project, uri: str, database: Database | None = None) -> None:
        self.project, self.uri, self._database = project, uri, database

    @cached_property
    def client(self) -> MlflowClient:
        """MLflow's own client."""
        from ser_experiments.tracking.backends._mlflow.client import connect

        return connect(self.uri)

    @cached_property
    def writer(self) -> Writer:
        """What writes what runs leave."""
        if self._database is not None:
            return self._database
        from ser_experiments.tracking.backends._mlflow.client import Client

        return Client(self.client, self.uri)

    def check_writable(self) -> None:
        """Find out whether a run could be written; of a server only its answers to a run tell."""
        root = store.artifact_root(self.project)
        if root is not None:
            probe(Path(url2pathname(urlsplit(root).path)))
        if self._database is not None:
            self._database.check_writable()

    # --- runs ----------------------------------------------------------------------------------------------------

    def setting_id(self, setting: str, rows: str) -> str:
        """Return the id of the MLflow experiment of a setting."""
        with answering():
            return store.setting_for(self.writer, self.project, setting, rows)

    def show(self, setting_id: str, view: View) -> None:
        """Describe the MLflow experiment of a setting, and say how its page opens."""
        with answering("MLflow's page of the setting was not set up"):
            tags = of_tags(pages.new_tags(view, self.writer.setting_tags(setting_id)))
            if tags:
                self.writer.tag_setting(setting_id, tags)

    def link(self, setting_id: str, address: str = "") -> str:
        """Return the address of the runs of a setting, with its columns where they are said."""
        at = hidden(self.uri) if store.on_server(self.uri) else address
        if not at:
            return ""
        with answering():
            return pages.link(at, setting_id, self.writer.setting_tags(setting_id))

    def create_run(self, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Open a run, with what MLflow's pages say of where it came from."""
        with answering("no run could be opened"):
            return self.writer.create_run(NewRun(setting_id, name, of_tags({**_context(tags), **tags})))

    def run_of_outbox(self, setting_id: str, outbox: str) -> str | None:
        """Return the id of the run that was made with an outbox."""
        with answering():
            return self.writer.run_with_tag(setting_id, OUTBOX_TAG, outbox)

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""
        with answering():
            return self.writer.status(run_id)

    def perform(self, step: Step, run_id: str) -> str | None:
        """Do one step of logging a run."""
        with answering():
            return perform(step, LoggedRun(self.writer, run_id))

    def watched(self, run_id: str) -> AbstractContextManager[None]:
        """Log ``system/...`` metrics while it lasts, if ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING`` is true."""
        return system_metrics(run_id)

    # --- reading -------------------------------------------------------------------------------------------------

    def settings(self) -> list[StoredSetting]:
        """List the settings that have finished runs, that of the latest run first."""
        found: dict[str, list[StoredRun]] = {}
        with answering():
            names = {str(e.experiment_id): e.name for e in every(self.client.search_experiments)}
            query = {"filter_string": f"attributes.status = '{FINISHED}'", "order_by": ["attributes.start_time DESC"]}
            runs = every(self.client.search_runs, experiment_ids=list(names), **query) if names else []
        for run in runs:
            # Nested runs are trials of a search and members of a stack: parts of a candidate, not candidates.
            tags = run.data.tags
            if PARENT not in tags and EXPERIMENT_TAG in tags and DELETING not in tags:
                found.setdefault(str(run.info.experiment_id), []).append(_stored(run))
        return [StoredSetting(names[key], key, runs) for key, runs in found.items()]

    def artifact(self, run_id: str, name: str, folder: Path) -> Path:
        """Fetch a file of a run into a folder."""
        with answering():
            return Path(self.client.download_artifacts(run_id, name, str(folder)))

    def keeper(self) -> Keeper:
        """Return what looks after runs that are there."""
        return MlflowKeeper(self.client, self.uri)

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
        from mlflow.utils.file_utils import local_file_uri_to_path
        from mlflow.utils.uri import is_local_uri

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
        import mlflow
        import yaml

        self.client  # noqa: B018 -- points MLflow at this store
        try:
            folder = Path(mlflow.artifacts.download_artifacts(uri))
            flavor: dict[str, Any] = yaml.safe_load(read_text(folder / "MLmodel", most=_MOST_ABOUT))["flavors"]
            own = folder / str(flavor["python_function"]["data"])
            if not own.resolve().is_relative_to(folder.resolve()):
                raise OSError("its files lie elsewhere")
            return own
        except (mlflow.exceptions.MlflowException, OSError, KeyError, TypeError, yaml.YAMLError, *_ODD) as error:
            raise InputError(f"{uri}: not a model that can be loaded ({reason(error)})") from error

    def _model_of(self, run_id: str) -> str:
        from ser_experiments.tracking.backends._mlflow.client import ready_models

        models = ready_models(self.client, run_id)
        if not models:
            raise StoreError(f"run {run_id} holds no model; run the experiment again")
        return models[0]

    def _models(self) -> list[Any]:
        return list(self.client.search_registered_models(max_results=1000))

    # --- programs ------------------------------------------------------------------------------------------------

    def ui(self, host: str, port: int) -> Program | str:
        """Return MLflow's own pages on the runs; a server has them already."""
        if self.uri.startswith("http"):
            return f"the runs are on {hidden(self.uri)}; open it in a browser"
        # Arguments are seen by every user of the machine, environments are not.
        arguments = ["--host", host, "--port", str(port), "--workers", "2"]
        root = store.artifact_root(self.project)
        if root is not None:
            arguments += ["--default-artifact-root", root]
        # MLflow's own four workers and its runner of GenAI jobs, which no run here has, double the wait for a page.
        environment = {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            **os.environ,
            "MLFLOW_BACKEND_STORE_URI": self.uri,
        }
        return Program([sys.executable, "-m", "mlflow", "ui", *arguments], environment)


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
    tags, metrics = told(run.data.tags), told(run.data.metrics)
    # What the run is called in MLflow says more, and anybody may change it.
    name = tags.get(EXPERIMENT_TAG) or run.info.run_name
    return StoredRun(run.info.run_id, name, run.info.start_time, tags, metrics)
