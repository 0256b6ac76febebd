"""Load a model by name for use in Python and at the command line."""

from __future__ import annotations

import os
from pathlib import Path

from ser_experiments import project
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.folder import ABOUT, load_folder


def load_model(name: str | Path | None = None) -> AudioModel:
    """Load a model that takes audio; nothing in its files is executed.

    Parameters
    ----------
    name : str or Path, optional
        A setting, a registered name with ``@alias`` or ``/version``, the id of a run, a ``models:/`` or ``runs:/`` URI,
        or a folder that :func:`ser_experiments.serving.save_model` wrote. By default the champion: of real speech
        where there is one.

    Returns
    -------
    AudioModel
        ``predict(sources)`` takes paths, bytes or arrays.

    Raises
    ------
    InputError
        No such model, or none is named and several settings have a champion; or its files were changed, hold unknown
        types, or name other versions of feature sets.
    """
    return load_folder(model_folder(name))


def model_folder(name: str | Path | None = None) -> Path:
    """Return the folder of a saved model by what a user calls it; see :func:`load_model`."""
    if isinstance(name, Path) or (name is not None and os.path.isfile(Path(name) / ABOUT)):
        return Path(name)
    # A folder needs no store, and is read without one.
    from ser_experiments.tracking.backend import connect
    from ser_experiments.tracking.registry import model_uri

    backend = connect(project.find())
    return backend.model_folder(model_uri(backend, name))
