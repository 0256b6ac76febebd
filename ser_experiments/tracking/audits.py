"""Audits of runs: kept with the run whose models were audited, and read again."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ser_experiments.errors import InputError, SerError, StoreError
from ser_experiments.evaluation.audit_file import as_json, of_dict
from ser_experiments.evaluation.audited import SAME, Audited
from ser_experiments.files import read_json
from ser_experiments.project import Project
from ser_experiments.secret import hidden
from ser_experiments.tracking.backend import Backend, StoredRun
from ser_experiments.tracking.meant import SHORT
from ser_experiments.tracking.outbox import Outbox
from ser_experiments.tracking.record import Maker, RunRecord
from ser_experiments.tracking.run import Run

log = logging.getLogger(__name__)
#: The files of an audit beside a run; its pictures lie in a folder below.
AUDIT, PAGE, MARKDOWN = "audit.json", "audit.html", "audit.md"
#: The tag of a run that says what an audit found.
TAG = "ser.audit"


def read_audit(backend: Backend, run_id: str) -> Audited | None:
    """Return the audit that is kept with a run; None where there is none that can be read, which is said."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = backend.artifact(run_id, AUDIT, Path(folder))
        except (OSError, SerError):
            return None
        try:
            return of_dict(read_json(path), f"audit of run {run_id[:SHORT]}")
        except InputError as error:
            log.warning("left out: %s", error)
            return None


def keep_audit(
    project: Project,
    backend: Backend,
    run: StoredRun,
    audited: Audited,
    texts: Mapping[str, str],
    pictures: Mapping[str, Maker],
) -> bool:
    """Keep an audit with its run; what the store does not take now waits on disk for the next run or ``ser sync``.

    Parameters
    ----------
    project : Project
        Whose outbox it is.
    backend : Backend
        The store.
    run : StoredRun
        Which has ended.
    audited : Audited
        What is kept.
    texts, pictures : mapping
        Pages of it and what they show, by the names of their files.

    Returns
    -------
    bool
        Whether the store has it.
    """
    about = {"uri": hidden(backend.uri), "name": run.name, "experiment_id": "", "run_id": run.run_id}
    outbox = Outbox.create(project, about)
    opened = Run(run.run_id, "", backend, outbox, {})
    try:
        files = {AUDIT: as_json(audited), **texts}
        opened.log(RunRecord(texts=files, pictures=pictures, tags={TAG: audited.summary}))
    except StoreError:
        outbox.leave()
        raise
    if opened.away:
        outbox.leave()
    else:
        outbox.remove()
    return not opened.away


def is_of(run: StoredRun, audited: Audited) -> bool:
    """Whether an audit is of a run, and of what that scored."""
    score = run.metrics.get(audited.metric, math.nan)
    rows = run.tags.get("ser.rows", audited.rows)
    return run.run_id == audited.run_id and rows == audited.rows and abs(score - audited.score) <= SAME
