"""Load a model by name for use in Python and at the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ser_experiments import project
from ser_experiments.errors import InputError
from ser_experiments.files import path_of
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.folder import ABOUT, load_folder

#: What begins a path and no name.
_FOLDERS = (".", "/", "~", os.sep)


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
    return load_folder(model_folder(name))


def model_folder(name: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder of a saved model by what a user calls it; see :func:`load_model`."""
    if name is not None and not isinstance(name, str | os.PathLike):
        raise InputError(f"a model is named by a text or lies in a folder; got {type(name).__name__}")
    if name is not None and is_folder(name):
        return path_of(name)
    # A folder needs no store, and is read without one.
    from ser_experiments.tracking.backend import existing
    from ser_experiments.tracking.registry import model_uri

    backend = existing(project.find())
    return backend.model_folder(model_uri(backend, None if name is None else os.fspath(name)))


def is_folder(name: str | os.PathLike[str]) -> bool:
    """Whether a model is called by its folder, so that no store is asked."""
    if not isinstance(name, str):
        return True
    return name.startswith(_FOLDERS) or os.path.isfile(Path(os.path.expanduser(name)) / ABOUT)
