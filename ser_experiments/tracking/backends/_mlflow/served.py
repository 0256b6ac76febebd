"""What is served of a model: a private copy of its own files, beside words of ours.

MLflow obeys the ``MLmodel`` that lies beside a model: it imports the loader that is named there, and whatever lies in
the folder that it calls code. Who can write into the store could have any program run by whoever serves it.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

from ser_experiments.errors import StoreError
from ser_experiments.serving.folder import ABOUT, ESTIMATOR
from ser_experiments.serving.weights import ASSETS
from ser_experiments.tracking.backends._mlflow.log_model import DATA, describe_model
from ser_experiments.tracking.backends._mlflow.writer import NewModel
from ser_experiments.tracking.placing import place


def private_copy(own: Path) -> tuple[Path, Path]:
    """Copy the files of a model that takes audio, and those alone; what comes of it is data that nothing executes.

    Parameters
    ----------
    own : Path
        The model's own folder.

    Returns
    -------
    folder, own : Path
        A folder as MLflow wants it, which goes with this process, and the model's own in it.

    Raises
    ------
    StoreError
        There is no room for it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="ser-serve-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = folder / DATA / own.name
        copy.mkdir(parents=True)
        for name in (ESTIMATOR, ABOUT):
            shutil.copyfile(own / name, copy / name)
        # Weights are named by their digest, are no code, and may be gigabytes.
        weights = [path for path in (own / ASSETS).rglob("*") if path.is_file()]
        place({path.relative_to(own).as_posix(): path for path in weights}, copy, [own])
        describe_model(NewModel("served", str(folder), folder), None, "")
    except OSError as error:
        raise StoreError(f"{own}: cannot be copied to be served ({error.strerror or error})") from error
    return folder, copy
