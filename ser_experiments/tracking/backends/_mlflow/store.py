"""Where runs are kept: ``MLFLOW_TRACKING_URI`` if it is set, else an SQLite file under ``mlruns/``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from ser_experiments.errors import InputError, StoreError
from ser_experiments.project import Project
from ser_experiments.tracking.backend import ROWS_TAG, setting_names
from ser_experiments.tracking.backends._mlflow.template import begin_database


class FoundSetting(NamedTuple):
    """An MLflow experiment: whether it is deleted, and which rows it is of."""

    setting_id: str
    is_active: bool
    rows: str | None


class Settings(Protocol):
    """Whoever can find and make MLflow experiments."""

    def find_setting(self, name: str) -> FoundSetting | None:
        """Return the MLflow experiment of a name, deleted or not."""

    def create_setting(self, name: str, place: str | None, tags: Mapping[str, str]) -> str | None:
        """Make an MLflow experiment; None where another process made one of that name in the meantime."""


def tracking_uri(project: Project) -> str:
    """Return the URI of the tracking store; the local one is begun where there is none.

    Raises
    ------
    InputError
        The URI names a plain-file store, which MLflow 3.13 and later refuse.
    StoreError
        The folder for the local store cannot be written.
    """
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if uri:
        if "://" not in uri or uri.startswith("file:"):
            raise InputError(
                f"MLFLOW_TRACKING_URI is {uri!r}: MLflow no longer keeps runs in plain files; use sqlite:///PATH or a "
                "server's http:// address (`mlflow migrate-filestore` carries old runs over)"
            )
        return uri
    try:
        project.mlruns.mkdir(parents=True, exist_ok=True)
        begin_database(project.mlruns / "mlflow.db")
    except OSError as error:
        raise StoreError(
            f"{project.mlruns}: cannot be written ({error.strerror}); run from a folder you own"
        ) from error
    return f"sqlite:///{(project.mlruns / 'mlflow.db').resolve()}"


def local_file(project: Project) -> Path | None:
    """Return the SQLite file of the project's own store; None where the runs are kept elsewhere."""
    return None if os.environ.get("MLFLOW_TRACKING_URI") else (project.mlruns / "mlflow.db").resolve()


def artifact_root(project: Project) -> str | None:
    """Return where the local store keeps artifacts; a server decides for itself (None)."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return None
    return (project.mlruns / "artifacts").resolve().as_uri()


def setting_for(settings: Settings, project: Project, setting: str, rows: str) -> str:
    """Return the id of the MLflow experiment of a setting, creating it where needed.

    Runs on other rows never share it: if the plain name is taken by other rows, their digest is appended.

    Parameters
    ----------
    settings : Settings
        The store.
    project : Project
        Where a local store keeps artifacts.
    setting : str
        The setting in words, e.g. ``"iemocap-4class-leave-one-session-out"``.
    rows : str
        Digest of the rows and folds.
    """
    root = artifact_root(project)
    # The kind makes the UI open on runs and metrics; without it, it opens on traces of language models.
    tags = {ROWS_TAG: rows, "mlflow.experimentKind": "custom_model_development"}
    for name in setting_names(setting, rows):
        found = settings.find_setting(name)
        if found is None:
            made = settings.create_setting(name, None if root is None else f"{root}/{name}", tags)
            if made is not None:
                return made
            found = settings.find_setting(name)
        if found is not None and found.rows == rows and found.is_active:
            return found.setting_id
    raise StoreError(
        f"MLflow experiment {setting!r} is deleted or holds other rows; restore it with "
        f"`mlflow experiments restore` or choose another store"
    )
