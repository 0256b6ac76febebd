"""Audits of runs: kept with the run whose models were audited, read again, and asked of whoever is registered."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ser_experiments import plugins
from ser_experiments.audio import conditions as kinds
from ser_experiments.audio.conditions import conditions
from ser_experiments.errors import InputError, SerError, StoreError, nearest
from ser_experiments.evaluation.audit_file import as_json, of_dict
from ser_experiments.evaluation.audited import Audited, Finding
from ser_experiments.evaluation.fairness import FAILED, KNOWN_OF, PITCH, UNKNOWN
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
_SAME = 1e-6
_MOST_NAMED = 6


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


def groups_and_conditions() -> list[str]:
    """List what may be asked of an audit: kinds of conditions, conditions, and what speakers are grouped by."""
    every = (one.name for one in conditions())
    return list(dict.fromkeys([*plugins.names(kinds.__name__), *every, *KNOWN_OF, PITCH]))


def check_names(names: Iterable[str]) -> None:
    """Refuse a name of nothing that can be audited, before anything is asked."""
    known = groups_and_conditions()
    for name in names:
        if name not in known:
            raise InputError(f"--require-audit {name!r}: neither a condition nor a group{nearest(name, known)}")


def check_audit(run: StoredRun, audited: Audited | None, names: Sequence[str] = ()) -> list[str]:
    """Refuse a run whose audit failed, and return what must be said of one that did not.

    Parameters
    ----------
    run : StoredRun
        Whose model is to be used.
    audited : Audited or None
        What is kept with it.
    names : sequence of str
        Conditions, kinds of them, and what speakers are grouped by; by default everything that was audited.

    Returns
    -------
    list of str
        What cannot be told, and what was not audited; a line each.

    Raises
    ------
    SerError
        It was not audited, or not for this; the audit is of another run; or something failed: what, with its figures.
    """
    said, short = f"{run.name} is not registered:", run.run_id[:SHORT]
    if audited is None:
        raise SerError(f"{said} run {short} was not audited; do it with: ser audit {short}")
    if not is_of(run, audited):
        whose = audited.run_id[:SHORT] or audited.experiment
        raise SerError(f"{said} the audit that lies with run {short} is of another ({whose}); ser audit {short}")
    asked = [one for one in audited.findings if not names or {one.name, one.kind} & set(names)]
    lacking = [name for name in names if not any(name in (one.name, one.kind) for one in asked)]
    if lacking or not asked:
        what = ", ".join(lacking) or "anything"
        raise SerError(f"{said} run {short} was not audited for {what}; {_how(short, lacking)}")
    failed = [one for one in asked if one.verdict == FAILED]
    if failed:
        raise SerError(f"{said} its audit failed for {_told(failed)}")
    told = [
        f"cannot be told with so few speakers: {one.name} ({one.figures})" for one in asked if one.verdict == UNKNOWN
    ]
    heard = {one.condition.name for one in audited.robustness}
    others = [] if names else [one.name for one in conditions() if one.name not in heard]
    return [*told, *([f"not audited: {', '.join(others)}"] if others else [])]


def is_of(run: StoredRun, audited: Audited) -> bool:
    """Whether an audit is of a run, and of what that scored."""
    score = run.metrics.get(audited.metric, math.nan)
    rows = run.tags.get("ser.rows", audited.rows)
    return run.run_id == audited.run_id and rows == audited.rows and abs(score - audited.score) <= _SAME


def _how(short: str, lacking: Sequence[str]) -> str:
    grouped = [name for name in lacking if name in (*KNOWN_OF, PITCH)]
    if grouped:
        return f"nothing is known of its speakers by {', '.join(grouped)}, or it was not audited whole"
    named = " ".join(f'--condition "{name}"' for name in lacking)
    return f"do it with: ser audit {short} {named}".rstrip()


def _told(failed: Sequence[Finding]) -> str:
    told = [f"{one.name} ({one.figures})" for one in failed[:_MOST_NAMED]]
    more = [f"and {len(failed) - _MOST_NAMED} more"] if len(failed) > _MOST_NAMED else []
    return "; ".join([*told, *more])
