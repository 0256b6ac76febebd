"""Find runs by what a user calls them, and delete them with all that hangs on them."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ser_experiments.errors import InputError, SerError, nearest
from ser_experiments.project import Project
from ser_experiments.tracking.backend import OUTBOX_TAG, RUNNING, Backend, Registered
from ser_experiments.tracking.keeper import KeptRun
from ser_experiments.tracking.meant import SHORT, one_of
from ser_experiments.tracking.outbox import ASIDE, abandoned, home

#: Of so few runs what they are called is said.
_MOST_NAMED = 6


@dataclass(frozen=True)
class Doomed:
    """A run that is to be deleted, what that frees, and the versions of the registry that are of its model."""

    run: KeptRun
    n_bytes: int
    n_parts: int
    versions: Sequence[Registered]


def find_run(runs: Collection[KeptRun], said: str) -> KeptRun:
    """Return the one run that is meant by an id, the beginning of one, or what a run is called.

    Raises
    ------
    InputError
        None is, or several are: which is said.
    """
    found = [run for run in runs if run.run_id.startswith(said)] if said else []
    found = found or [run for run in runs if run.title == said]
    if one_of({run.run_id: run.title for run in found}, said) is None:
        known = [run.run_id[:SHORT] for run in runs]
        hint = nearest(said, {run.title for run in runs}) if len(runs) <= _MOST_NAMED else "; see: ser runs list"
        raise InputError(f"no run {said!r}" + (hint if known else ": there are no runs; run an experiment first"))
    return found[0]


def doomed(project: Project, backend: Backend, runs: Sequence[KeptRun], *, unregister: bool) -> list[Doomed]:
    """Return what deleting runs means; refuse those that must stay.

    Parameters
    ----------
    project : Project
        Whose processes may be running.
    backend : Backend
        The store.
    runs : sequence of KeptRun
        From its keeper.
    unregister : bool
        Whether versions of the registry that are of their models may go, too.

    Raises
    ------
    SerError
        A run is still running, or its model is registered. Nothing was deleted.
    """
    free = {outbox.folder.name for outbox in abandoned(project)}
    keeper, versions, found = backend.keeper(), backend.versions(), []
    for run in runs:
        _check_ended(project, run, free)
        own = [one for one in versions if one.run_id == run.run_id]
        if own and not unregister:
            named = ", ".join(_called(one) for one in own)
            raise SerError(
                f"run {run.run_id[:SHORT]} ({run.title}) stays, since its model is registered as {named}; register "
                "another first (ser register, ser register --rollback) or remove the version too: --unregister"
            )
        held = keeper.held(run.run_id)
        found.append(Doomed(run, held.n_bytes, held.n_parts, own))
    return found


def delete(project: Project, backend: Backend, one: Doomed) -> int:
    """Delete a run for good: versions, files, models, parts, and what waited to be logged; return the bytes freed.

    In this order whatever is interrupted can be said again: the run itself is the last that goes from the store.
    """
    keeper = backend.keeper()
    for version in one.versions:
        keeper.remove_version(version.name, version.version)
    freed = keeper.delete(one.run.run_id)
    name = one.run.tags.get(OUTBOX_TAG)
    for outbox in abandoned(project):
        if outbox.folder.name == name:
            outbox.remove()
    if name and "/" not in name:
        shutil.rmtree(project.mlruns / ASIDE / name, ignore_errors=True)
    return freed


def _check_ended(project: Project, run: KeptRun, free: Collection[str]) -> None:
    """Refuse a run that a process writes: here its outbox is held, elsewhere only what it says of itself tells."""
    name = run.tags.get(OUTBOX_TAG, "")
    here = bool(name) and (home(project) / name).is_dir()
    if (here and name not in free) or (run.status == RUNNING and not here and not run.going):
        raise SerError(
            f"run {run.run_id[:SHORT]} ({run.title}) is still running, or was killed on another machine; wait for it, "
            "or end it there with: ser sync"
        )


def _called(one: Registered) -> str:
    aliases = f" ({', '.join(one.aliases)})" if one.aliases else ""
    return f"{one.name} version {one.version}{aliases}"
