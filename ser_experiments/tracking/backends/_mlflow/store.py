"""Where runs are kept: ``MLFLOW_TRACKING_URI`` if it is set, else an SQLite file under ``mlruns/``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ser_experiments.errors import InputError, StoreError
from ser_experiments.project import Project
from ser_experiments.secret import hidden
from ser_experiments.tracking.backend import ROWS_TAG, setting_names
from ser_experiments.tracking.backends._mlflow.template import begin_database
from ser_experiments.tracking.backends._mlflow.writer import Writer

_SQLITE = "sqlite:///"


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
                f"MLFLOW_TRACKING_URI is {hidden(uri)!r}: MLflow no longer keeps runs in plain files; use "
                "sqlite:///PATH or a server's http:// address (`mlflow migrate-filestore` carries old runs over)"
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


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a tracking store that is an SQLite file on a disk; None of any other."""
    return Path(uri.removeprefix(_SQLITE)) if uri.startswith(_SQLITE) and uri.isprintable() and "?" not in uri else None


def artifact_root(project: Project) -> str | None:
    """Return where the local store keeps artifacts; a server decides for itself (None)."""
    if os.environ.get("MLFLOW_TRACKING_URI"):
        return None
    return (project.mlruns / "artifacts").resolve().as_uri()


def setting_for(writer: Writer, project: Project, setting: str, rows: str) -> str:
    """Return the id of the MLflow experiment of a setting, creating it where needed.

    Runs on other rows never share it: if the plain name is taken by other rows, their digest is appended.

    Parameters
    ----------
    writer : Writer
        Of the store.
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
        found = writer.find_setting(name)
        if found is None:
            made = writer.create_setting(name, None if root is None else f"{root}/{name}", tags)
            if made is not None:
                return made
            found = writer.find_setting(name)
        if found is not None and found.rows == rows and found.is_active:
            made = f", and delete what was made without: mlflow experiments delete -x {found.setting_id}"
            check_artifacts(tracking_uri(project), found.place, made)
            return found.setting_id
    raise StoreError(
        f"MLflow experiment {setting!r} is deleted or holds other rows; restore it with "
        f"`mlflow experiments restore` or choose another store"
    )


def on_server(uri: str) -> bool:
    """Whether a tracking store is a server, rather than a database that this process opens itself."""
    return uri.startswith(("http://", "https://"))


def check_artifacts(uri: str, location: str | None, then: str = "") -> None:
    """Refuse a server that wants files to be written to a folder of its own, before anything is run.

    A server that does not serve artifacts tells its clients the folder, and they write there themselves: on another
    machine, or as another user, they cannot.

    Parameters
    ----------
    uri : str
        The tracking store.
    location : str or None
        Where files of runs go.
    then : str
        What to do besides.

    Raises
    ------
    StoreError
        The folder cannot be written from here; what to do is said.
    """
    local = None if location is None or not on_server(uri) else folder_of(location)
    if local is None:
        return
    try:
        Path(local).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=local):
            pass
    except OSError as error:
        raise StoreError(
            f"the tracking server {hidden(uri)} keeps files on its own disk, in {local}, which cannot be written from "
            f"here ({error.strerror}): start it with --serve-artifacts --artifacts-destination {local}{then}"
        ) from error


def folder_of(location: str) -> str | None:
    """Return the folder of a location on a disk; None of any other, such as ``mlflow-artifacts:`` or ``s3:``."""
    parts = urlsplit(location)
    if parts.scheme not in ("", "file"):
        return None
    return unquote(parts.path) or None
