"""What is served of a model: a private copy of its own files, beside words of ours.

MLflow obeys the ``MLmodel`` that lies beside a model: it imports the loader that is named there, and whatever lies in
the folder that it calls code. Who can write into the store could have any program run by whoever serves it.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from ser_experiments.errors import StoreError
from ser_experiments.serving.folder import ABOUT, ESTIMATOR
from ser_experiments.serving.weights import ASSETS
from ser_experiments.tracking.backends._mlflow.log_model import DATA, describe_model
from ser_experiments.tracking.backends._mlflow.writer import NewModel

_OWN = "ser_model"


def private_copy(own: Path) -> Path:
    """Copy the files of a model that takes audio, and those alone; what comes of it is data that nothing executes.

    Parameters
    ----------
    own : Path
        The model's own folder.

    Returns
    -------
    Path
        A folder as MLflow wants it, which goes with this process. The model's own folder in it is :func:`own_of`.

    Raises
    ------
    StoreError
        There is no room for it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="ser-serve-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = own_of(folder)
        copy.mkdir(parents=True)
        for name in (ESTIMATOR, ABOUT):
            shutil.copyfile(own / name, copy / name)
        if (own / ASSETS).is_dir():
            # Weights are named by their digest, are no code, and may be gigabytes.
            shutil.copytree(own / ASSETS, copy / ASSETS, copy_function=_linked)
        describe_model(NewModel("served", str(folder), folder), None, "")
    except OSError as error:
        raise StoreError(f"{own}: cannot be copied to be served ({error.strerror or error})") from error
    return folder


def own_of(folder: Path) -> Path:
    """Return the model's own folder in a private copy."""
    return folder / DATA / _OWN


def _linked(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:  # another disk
        shutil.copyfile(source, target)
