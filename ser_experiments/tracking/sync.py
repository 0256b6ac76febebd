"""Log what earlier runs could not: their store had gone away, or their process was killed."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ser_experiments.errors import StoreError
from ser_experiments.project import Project
from ser_experiments.secret import hidden, reason
from ser_experiments.tracking.backend import FAILED, KILLED, RUNNING, Backend, StoreAway, now_ms
from ser_experiments.tracking.kept import Damaged, Step
from ser_experiments.tracking.outbox import Outbox, abandoned

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """What was made good for one run.

    Parameters
    ----------
    name, run_id : str
        The experiment and the run.
    n_steps : int
        Steps of logging that were done.
    status : str
        How the run ended.
    """

    name: str
    run_id: str
    n_steps: int
    status: str


def deliver_abandoned(project: Project, backend: Backend) -> list[Delivered]:
    """Log what no running process will, and end the runs of killed processes as KILLED.

    Each outbox stands by itself. One that is damaged is set aside, with its run ended as FAILED and what is whole of it
    logged; one that the store refuses is kept, and so is everything while the store is away.

    Parameters
    ----------
    project : Project
        Whose outboxes are emptied; those of another store are left.
    backend : Backend
        The store.

    Raises
    ------
    StoreError
        Some could not be logged and are kept. What could be was, unless the store went away.
    """
    done, kept = [], []
    for outbox in abandoned(project):
        try:
            found = _delivered(outbox, backend)
        except (StoreError, OSError) as error:
            kept.append(_kept(outbox, error))
            if isinstance(error, StoreAway):  # the others would wait for it in vain
                break
            continue
        if found is not None:
            done.append(found)
    if kept:
        raise StoreError("; ".join(kept))
    return done


def _kept(outbox: Outbox, error: StoreError | OSError) -> str:
    """Say why an outbox was not delivered, and where it lies now."""
    said = reason(error)
    name = outbox.name
    if isinstance(error, Damaged):
        try:
            place = outbox.set_aside()
        except OSError as refused:
            return f"results of {name} are damaged and stay in {outbox.folder} ({refused.strerror}): {said}"
        return f"results of {name} are damaged and are set aside in {place}: {said}"
    why = "the store is away" if isinstance(error, StoreAway) else "the store refuses them"
    return f"results of {name} could not be logged and are kept in {outbox.folder}; {why}: {said}"


def _delivered(outbox: Outbox, backend: Backend) -> Delivered | None:
    """Log what is left of a run, and forget its outbox; None where that is not for this store."""
    about = outbox.about
    if hidden(about["uri"]) != hidden(backend.uri):
        log.info("results of %s wait for the store %s", about["name"], hidden(about["uri"]))
        return None
    found = _deliver(outbox, backend)
    if found is None:
        n_lost = len(outbox.waiting())
        if n_lost:
            log.warning(
                "the run of %s is not in the store any more; %d steps of it are forgotten", about["name"], n_lost
            )
    else:
        log.info("logged what was left of %s (run %s, %s)", found.name, found.run_id, found.status)
    outbox.remove()
    return found


def _deliver(outbox: Outbox, backend: Backend) -> Delivered | None:
    about = outbox.about
    # A process may have been killed before it could note the run's id; somebody may have deleted the run for good.
    run_id = about.get("run_id") or backend.run_of_outbox(about["experiment_id"], outbox.folder.name)
    if run_id is None or backend.status(run_id) is None:
        return None
    # What was added to a run after its end, such as an audit, says nothing of how it ended.
    had_ended = backend.status(run_id) != RUNNING
    steps = outbox.waiting()
    damaged: dict[str, str] = {}
    for step in steps:
        # A run that lacks a part is not finished, whatever it said of itself: it ended after all else.
        if step.kind == "end" and damaged:
            continue
        wrong = step.damage or _refused(backend, step, run_id)
        if wrong:
            damaged[step.kind] = wrong
        else:
            outbox.delivered(step)
    status = backend.status(run_id)
    if damaged and not had_ended:
        _end(outbox, backend, run_id, FAILED, f"damaged before they could be logged: {', '.join(damaged)}")
    if damaged:
        raise Damaged(next(iter(damaged.values())))
    if status == RUNNING:
        status = KILLED
        _end(outbox, backend, run_id, status, "the process was killed or lost its power; it said nothing")
    return Delivered(about["name"], run_id, len(steps), str(status))


def _refused(backend: Backend, step: Step, run_id: str) -> str:
    """Do a step; return why it is none where its arguments are not those of its kind."""
    try:
        backend.perform(step, run_id)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return f"{step.folder}: cannot be logged ({type(error).__name__}: {error})"
    return ""


def _end(outbox: Outbox, backend: Backend, run_id: str, status: str, error: str) -> None:
    end = outbox.put("end", {"status": status, "error": error, "time": now_ms()})
    backend.perform(end, run_id)
    outbox.delivered(end)
