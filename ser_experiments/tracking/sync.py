"""Log what earlier runs could not: their store had gone away, or their process was killed."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import mlflow
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException
from mlflow.utils.time import get_current_time_millis

from ser_experiments.errors import StoreError
from ser_experiments.project import Project
from ser_experiments.tracking import store
from ser_experiments.tracking.outbox import Outbox, abandoned
from ser_experiments.tracking.steps import is_away, perform

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


def deliver_abandoned(project: Project, client: mlflow.MlflowClient) -> list[Delivered]:
    """Log what no running process will, and end the runs of killed processes as KILLED.

    Parameters
    ----------
    project : Project
        Whose outboxes are emptied; those of another store are left.
    client : MlflowClient
        The store.

    Raises
    ------
    StoreError
        The store went away; what is left is kept.
    """
    uri, done = store.tracking_uri(project), []
    for outbox in abandoned(project):
        about = outbox.about
        if about["uri"] != uri:
            log.info("results of %s wait for the store %s", about["name"], about["uri"])
            continue
        try:
            found = _deliver(outbox, client)
        except (MlflowException, OSError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise StoreError(
                f"results of {about['name']} could not be logged and are kept in {outbox.folder}: {reason}"
            ) from error
        if found is not None:
            log.info("logged what was left of %s (run %s, %s)", found.name, found.run_id, found.status)
            done.append(found)
        outbox.remove()
    return done


def _deliver(outbox: Outbox, client: mlflow.MlflowClient) -> Delivered | None:
    about = outbox.about
    run_id = about.get("run_id") or _by_tag(client, about["experiment_id"], outbox.folder.name)
    if run_id is None or not _exists(client, run_id):
        return None
    steps = outbox.waiting()
    for step in steps:
        perform(step, client, run_id)
        outbox.delivered(step)
    status = client.get_run(run_id).info.status
    if status == RunStatus.to_string(RunStatus.RUNNING):
        client.set_tag(run_id, "ser.error", "the process was killed or lost its power; it said nothing")
        status = RunStatus.to_string(RunStatus.KILLED)
        client.set_terminated(run_id, status, get_current_time_millis())
    return Delivered(about["name"], run_id, len(steps), status)


def _by_tag(client: mlflow.MlflowClient, experiment_id: str, outbox: str) -> str | None:
    """Find a run whose process was killed before it could note the run's id."""
    found = client.search_runs([experiment_id], f"tags.`{store.OUTBOX_TAG}` = '{outbox}'", max_results=1)
    return found[0].info.run_id if found else None


def _exists(client: mlflow.MlflowClient, run_id: str) -> bool:
    """Whether the run is there; somebody may have deleted it for good."""
    try:
        client.get_run(run_id)
    except MlflowException as error:
        if is_away(error) and error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
    return True
