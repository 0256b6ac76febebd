"""What a tracking store must be able to do, and the values that it gives; each store is one file of ``backends/``.

``SER_TRACKER`` says which is used: ``mlflow`` (the default) or ``json``, a folder of JSON files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, Protocol

from ser_experiments import plugins
from ser_experiments.errors import InputError, StoreError
from ser_experiments.project import Project
from ser_experiments.tracking.keeper import Keeper
from ser_experiments.tracking.kept import Step
from ser_experiments.tracking.view import View

PACKAGE = "ser_experiments.tracking.backends"
VARIABLE = "SER_TRACKER"
DEFAULT = "mlflow"

#: Tags of every store that MLflow's pages give a meaning: a run's name, what it lies below, its description.
RUN_NAME, PARENT, NOTE = "mlflow.runName", "mlflow.parentRunId", "mlflow.note.content"
#: Which outbox a run was made with; see :mod:`ser_experiments.tracking.outbox`.
OUTBOX_TAG = "ser.outbox"
#: Says which rows and folds a setting is of, and which experiment a run is of.
ROWS_TAG, EXPERIMENT_TAG = "ser.rows", "ser.experiment"
#: What stopped a run.
ERROR_TAG = "ser.error"
#: How a run stands, in MLflow's words.
RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"


class StoreAway(StoreError):
    """The store cannot be reached or is ill, so that trying later makes sense."""


@dataclass(frozen=True)
class StoredRun:
    """A finished run.

    Parameters
    ----------
    run_id, name : str
        The store's id; the name is the experiment's, whatever the run is called in the store.
    started_ms : int
        Milliseconds since 1970.
    tags : dict of str to str
        As logged: ``ser.corpus``, ``ser.protocol``, ...
    metrics : dict of str to float
        As logged.
    """

    run_id: str
    name: str
    started_ms: int
    tags: dict[str, str]
    metrics: dict[str, float]

    @property
    def variant(self) -> tuple[str, ...]:
        """Return what was run: two runs that differ in it are two candidates, of others the later one counts."""
        return (self.name, *(self.tags.get(f"ser.{key}", "") for key in ("changes", "seed", "features")))

    @property
    def contaminated(self) -> bool:
        """Whether what measured its features has learned from the labels of the corpus: its score says nothing."""
        return self.tags.get("ser.contaminated") == "true"


@dataclass(frozen=True)
class StoredSetting:
    """One setting (an MLflow experiment) and its finished runs, the latest first."""

    name: str
    experiment_id: str
    runs: list[StoredRun]

    @property
    def latest(self) -> StoredRun:
        """Return the run that began last."""
        return self.runs[0]


@dataclass(frozen=True)
class Registered:
    """One version of a registered model.

    Parameters
    ----------
    name : str
        ``ser-<setting>``.
    version : int
        Counted from 1.
    aliases : tuple of str
        ``champion``, ``previous`` or none.
    run_id : str
        The run whose model it is.
    tags : dict of str to str
        ``experiment``, ``metric``, ``score`` and its interval where it is known.
    created_ms : int
        Milliseconds since 1970.
    """

    name: str
    version: int
    aliases: tuple[str, ...]
    run_id: str
    tags: dict[str, str]
    created_ms: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON of it holds."""
        return {**self.__dict__, "aliases": list(self.aliases)}


class Program(NamedTuple):
    """A program that takes this process's place: its words, and its environment."""

    arguments: Sequence[str]
    environment: Mapping[str, str]


class Backend(Protocol):
    """A tracking store that answers.

    Methods raise :class:`StoreAway` where trying later makes sense, and another :class:`StoreError` where it does not.
    """

    @property
    def uri(self) -> str:
        """Return what tells this store from others; outboxes of another store are left alone."""

    def check_writable(self) -> None:
        """Find out, before anything is measured, whether a run could be written; a StoreError says why not."""

    def setting_id(self, setting: str, rows: str) -> str:
        """Return the id of a setting on these rows, which is made where it is not there."""

    def show(self, setting_id: str, view: View) -> None:
        """Let the store's pages show a setting so; what they show so already is not written again."""

    def link(self, setting_id: str, address: str = "") -> str:
        """Return the address of the runs of a setting, on a server or on pages at `address`; "" where there is none."""

    def create_run(self, setting_id: str, name: str, tags: Mapping[str, str]) -> str:
        """Open a run and return its id."""

    def run_of_outbox(self, setting_id: str, outbox: str) -> str | None:
        """Return the id of the run that was made with an outbox."""

    def status(self, run_id: str) -> str | None:
        """Return how a run stands; None where it is not there any more."""

    def perform(self, step: Step, run_id: str) -> str | None:
        """Do one step of logging a run, see :mod:`ser_experiments.tracking.steps`; of a model, return its URI."""

    def watched(self, run_id: str) -> AbstractContextManager[None]:
        """Log what the machine does while it lasts, if the user wants that."""

    def settings(self) -> list[StoredSetting]:
        """List the settings that have finished runs, that of the latest run first; parts of runs are left out."""

    def artifact(self, run_id: str, name: str, folder: Path) -> Path:
        """Return where a file of a run lies; one that has to be fetched is put into `folder`."""

    def keeper(self) -> Keeper:
        """Return what looks after runs that are there: lists, renames and deletes them."""

    def versions(self, name: str | None = None) -> list[Registered]:
        """List what is registered under a name, or at all, by name and the newest first."""

    def register(self, name: str, run_id: str, *, description: str, tags: Mapping[str, str]) -> int:
        """Register the model of a run under a name, and return its version."""

    def add_to_model(self, run_id: str, files: Mapping[str, Path]) -> int:
        """Put files beside a run's model, by their place in its own folder; return the bytes of what was not there."""

    def set_alias(self, name: str, alias: str, version: int) -> None:
        """Let an alias mean a version from now on."""

    def model_folder(self, uri: str) -> Path:
        """Return the folder of a model's own files; nothing in it is executed."""

    def ui(self, host: str, port: int) -> Program | str:
        """Return the program that shows the runs, or words that say where they are."""


def connect(project: Project) -> Backend:
    """Return the project's tracking store, which has answered; a local one is begun where there is none.

    Raises
    ------
    InputError
        ``SER_TRACKER`` names no backend, or the store's address cannot be used.
    StoreError
        The store does not answer, or its folder cannot be written.
    """
    backend: Backend = _module().connect(project)
    return backend


def existing(project: Project) -> Backend:
    """Return the project's tracking store as :func:`connect` does, without beginning one where there is none.

    Raises
    ------
    InputError
        Besides those of :func:`connect`: the project has no runs, and its folder is left as it was.
    """
    if not is_begun(project):
        do = "begin with: ser run svm_lld"
        if not project.is_marked:
            do = f"it is no project: change to one (cd, or ser -C FOLDER), make it one (ser init), or {do}"
        raise InputError(f"no runs in {project.folder} yet; {do}")
    return connect(project)


def is_begun(project: Project) -> bool:
    """Whether the project has a store, for all that can be told without asking it."""
    # A store of somebody else's need not be able to tell; then it is asked itself.
    there = getattr(_module(), "there", None)
    return there is None or bool(there(project))


def _module() -> ModuleType:
    return plugins.load(PACKAGE, _chosen(), VARIABLE, holds="connect")


def check_chosen() -> None:
    """Refuse a ``SER_TRACKER`` that names no backend, before anything is done whose result could not be logged.

    Nothing is imported or connected to.

    Raises
    ------
    InputError
        It names the nearest backend.
    """
    plugins.require(PACKAGE, _chosen(), VARIABLE)


def _chosen() -> str:
    return os.environ.get(VARIABLE) or DEFAULT


def setting_names(setting: str, rows: str) -> tuple[str, str]:
    """Return the names that runs of a setting on some rows may stand under, the plain one first.

    Runs on other rows never stand together: where others have the plain name, the digest is a part of it.
    """
    return setting, f"{setting}-{rows[:6]}"


def now_ms() -> int:
    """Return the milliseconds since 1970."""
    return time.time_ns() // 1_000_000
