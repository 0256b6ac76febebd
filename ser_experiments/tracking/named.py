"""Which run is meant by what a user writes: a run, or a model that one left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ser_experiments.errors import InputError, nearest
from ser_experiments.files import read_json
from ser_experiments.serving.folder import ABOUT
from ser_experiments.tracking.backend import Backend, Registered
from ser_experiments.tracking.deleting import find_run
from ser_experiments.tracking.keeper import KeptRun
from ser_experiments.tracking.loading import is_folder, model_folder
from ser_experiments.tracking.meant import SHORT
from ser_experiments.tracking.registry import registered, version_named


class Named(NamedTuple):
    """A run, and the version of the registry by which it was named, if it was."""

    run: KeptRun
    model: Registered | None = None


def named(backend: Backend, said: str, others: Iterable[str] = ()) -> Named:
    """Return the run that is meant by its id, the beginning of one, its title, or by its model.

    Parameters
    ----------
    backend : Backend
        The store.
    said : str
        A model as :func:`ser_experiments.tracking.loading.load_model` takes it, or a run as
        :func:`ser_experiments.tracking.deleting.find_run` does.
    others : iterable of str
        What else might have been meant, for the message.

    Raises
    ------
    InputError
        Neither is of that name, or several may be meant.
    """
    runs = backend.keeper().runs()
    if ":/" in said or is_folder(said):
        return Named(_of_files(runs, said))
    version = version_named(backend, said)
    if version is not None:
        return Named(find_run(runs, version.run_id), version)
    if not any(run.run_id.startswith(said) or run.title == said for run in runs):
        known = {*others, *(run.title for run in runs), *(one.name for one in registered(backend))}
        raise InputError(f"no run, model or experiment {said!r}{nearest(said, known)}")
    return Named(find_run(runs, said))


def _of_files(runs: Sequence[KeptRun], said: str) -> KeptRun:
    """Return the run of a model by the model's own files, which name it."""
    about = read_json(model_folder(said) / ABOUT)
    run_id = str(about.get("run_id", "")) if isinstance(about, dict) else ""
    found = next((run for run in runs if run.run_id == run_id), None)
    if found is None:
        raise InputError(f"{said}: the run that left this model ({run_id[:SHORT] or 'not said'}) is not in the store")
    return found
