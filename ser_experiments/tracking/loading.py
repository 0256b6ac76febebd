"""Load a model by name for use in Python and at the command line."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ser_experiments import project
from ser_experiments.errors import InputError
from ser_experiments.files import path_of
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.folder import ABOUT, load_folder

if TYPE_CHECKING:
    from ser_experiments.tracking.backend import Backend

#: What begins a path and no name.
_FOLDERS = (".", "/", "~", os.sep)
#: The id of a run, or as much of it as boards show.
_RUN = re.compile(r"[0-9a-f]{8,32}")


def load_model(name: str | os.PathLike[str] | None = None) -> AudioModel:
    """Load a model that takes audio; nothing in its files is executed.

    Parameters
    ----------
    name : str or path, optional
        A setting, a registered name with ``@alias`` or ``/version``, the id of a run (its first eight characters do), a
        ``models:/`` or ``runs:/`` URI, or a folder that :func:`ser_experiments.serving.save_model` wrote. By default
        the champion: of real speech where there is one.

    Returns
    -------
    AudioModel
        ``predict(sources)`` takes paths, bytes or arrays.

    Raises
    ------
    InputError
        No such model, or none is named and several settings have a champion; or its files were changed, hold unknown
        types, or name other versions of feature sets.

    Examples
    --------
    >>> from ser_experiments import load_model
    >>> load_model("models/calls")
    AudioModel logreg_lld of recordings-as-is-leave-one-speaker-out: angry, sad from lld
    >>> load_model()
    Traceback (most recent call last):
    ser_experiments.errors.InputError: no model is registered; register the best run with: ser register
    """
    if name is not None and not isinstance(name, str | os.PathLike):
        raise InputError(f"a model is named by a text or lies in a folder; got {type(name).__name__}")
    if name is not None and is_folder(name):
        return load_folder(path_of(name))
    # A folder needs no store, and is read without one.
    from ser_experiments.tracking.backend import existing
    from ser_experiments.tracking.registry import model_uri

    named = None if name is None else os.fspath(name)
    backend = existing(project.find())
    uri = _of_run(backend, named) if named and _RUN.fullmatch(named) else None
    return load_folder(backend.model_folder(uri or model_uri(backend, named)))


def is_folder(name: str | os.PathLike[str]) -> bool:
    """Whether a model is called by its folder, so that no store is asked."""
    if not isinstance(name, str):
        return True
    return name.startswith(_FOLDERS) or os.path.isfile(Path(os.path.expanduser(name)) / ABOUT)


def _of_run(backend: Backend, begins: str) -> str | None:
    """Return the URI of the model of the one run whose id begins so; None where there is no run of it."""
    runs = {run.run_id: run.name for one in backend.settings() for run in one.runs if run.run_id.startswith(begins)}
    if len(runs) > 1:
        told = ", ".join(f"{run_id} ({name})" for run_id, name in runs.items())
        raise InputError(f"{len(runs)} runs begin with {begins}: {told}; write more of the id")
    return next((f"runs:/{run_id}/model" for run_id in runs), None)
