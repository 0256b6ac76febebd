"""What may be asked of a run's audit before its model is registered: that nothing failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ser_experiments import plugins
from ser_experiments.audio import conditions as kinds
from ser_experiments.audio.conditions import conditions
from ser_experiments.errors import InputError, SerError, nearest
from ser_experiments.evaluation.audited import Audited, Finding
from ser_experiments.evaluation.fairness import FAILED, KNOWN_OF, PITCH, UNKNOWN
from ser_experiments.tracking.audits import is_of
from ser_experiments.tracking.backend import StoredRun
from ser_experiments.tracking.meant import SHORT

_MOST_NAMED = 6


def check_names(names: Iterable[str]) -> None:
    """Refuse a name that is neither a condition, nor a kind of them, nor what speakers are grouped by."""
    known = [*plugins.names(kinds.__name__), *(one.name for one in conditions()), *KNOWN_OF, PITCH]
    for name in names:
        if name not in known:
            raise InputError(
                f"--require-audit {name!r}: neither a condition nor a group{nearest(name, known)} (a run is named "
                "before it)"
            )


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
    wanted = _each_of(names)
    asked = [one for one in audited.findings if not names or {one.name, one.kind} & wanted.keys()]
    lacking = [name for name in wanted if name not in {one.name for one in asked}]
    if lacking or not asked:
        what = ", ".join(lacking) or "anything"
        raise SerError(f"{said} run {short} was not audited for {what}; {_how(short, lacking)}")
    failed = [one for one in asked if one.verdict == FAILED]
    if failed:
        raise SerError(f"{said} its audit failed for {_told(failed)}")
    told = [f"{UNKNOWN}: {one.name} ({one.figures})" for one in asked if one.verdict == UNKNOWN]
    heard = {one.condition.name for one in audited.robustness}
    others = [] if names else [one.name for one in conditions() if one.name not in heard]
    return [*told, *([f"not audited: {', '.join(others)}"] if others else [])]


def _each_of(names: Sequence[str]) -> dict[str, None]:
    """Return what is asked by names, one by one: all conditions of a kind."""
    groups = [name for name in names if name in (*KNOWN_OF, PITCH)]
    heard = [name for name in names if name not in groups]
    return dict.fromkeys([*(one.name for one in (conditions(heard) if heard else ())), *groups])


def _how(short: str, lacking: Sequence[str]) -> str:
    grouped = [name for name in lacking if name in (*KNOWN_OF, PITCH)]
    if grouped:
        return f"its corpus does not tell the {' or the '.join(grouped)} of its speakers, or there are no two groups"
    named = " ".join(f'--condition "{name}"' for name in lacking)
    return f"do it with: ser audit {short} {named}".rstrip()


def _told(failed: Sequence[Finding]) -> str:
    told = [f"{one.name} ({one.figures})" for one in failed[:_MOST_NAMED]]
    more = [f"and {len(failed) - _MOST_NAMED} more"] if len(failed) > _MOST_NAMED else []
    return "; ".join([*told, *more])
