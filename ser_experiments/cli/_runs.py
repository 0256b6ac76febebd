"""Runs as ``ser runs`` shows them: on the terminal, in 80 columns, and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ser_experiments.cli._boards import console, print_table
from ser_experiments.cli._say import said, say
from ser_experiments.cli._sizes import size
from ser_experiments.report.plain import finite
from ser_experiments.tracking.backend import FINISHED, Registered
from ser_experiments.tracking.deleting import Doomed
from ser_experiments.tracking.keeper import Held, KeptRun
from ser_experiments.tracking.meant import SHORT

if TYPE_CHECKING:
    from ser_experiments.evaluation.audited import Audited

_LOW, _HIGH = "_ci_low", "_ci_high"
_WIDTH = 80
#: Characters of what runs are called in the list, where there is no room for more.
_LONGEST = 22
#: Of so many findings of an audit the figures are said.
_MOST_FAILED = 6


def scores_of(run: KeptRun) -> list[str]:
    """List the scores that a run has, the primary one of what it predicted first, then those with intervals."""
    from ser_experiments.evaluation.scoring import score_names
    from ser_experiments.tasks import task_kinds

    mine = [name for name in score_names() if name in run.metrics]
    # What is predicted is not told: the first of these primary scores that there is says it.
    primary = next((kind.primary for kind in task_kinds().values() if kind.primary in run.metrics), "")
    return sorted(mine, key=lambda name: (name != primary, name + _LOW not in run.metrics, name))


def facts(run: KeptRun) -> dict[str, Any]:
    """Return what JSON says of a run in a list."""
    scores = scores_of(run)
    metric = scores[0] if scores else None
    told = {
        "run_id": run.run_id, "name": run.title, "experiment": run.experiment, "setting": run.setting,
        "status": run.status, "started": _iso(run.started_ms), "ended": run.ended_ms and _iso(run.ended_ms),
        "seed": run.tags.get("ser.seed", ""), "changes": run.tags.get("ser.changes", ""), "metric": metric,
        "score": run.metrics.get(metric or ""), "low": run.metrics.get(f"{metric}{_LOW}"),
        "high": run.metrics.get(f"{metric}{_HIGH}"),
    }  # fmt: skip
    return finite(told)


def all_facts(
    run: KeptRun, held: Held, folds: Mapping[str, list[float]], versions: Sequence[Registered]
) -> dict[str, Any]:
    """Return what JSON says of one run."""
    return {
        **facts(run),
        "folds": folds,
        "metrics": finite(run.metrics),
        "params": run.params,
        "tags": run.tags,
        "place": held.place,
        "files": held.files,
        "models": held.models,
        "parts": held.n_parts,
        "registered": [one.as_dict() for one in versions],
    }


def show_list(runs: Sequence[KeptRun], n_runs: int) -> None:
    """Print runs, under the name of their setting, where it changes from one to the next."""
    if not runs:
        say("no runs; run an experiment first, e.g. ser run svm_lld")
        return
    on = console(_WIDTH)
    headings = ["id", "run", "score", "95 % interval", "when", "seed"]
    for number, (setting, some) in enumerate(_by_setting(runs)):
        say(f"{chr(10) if number else ''}{setting}")
        print_table(on, headings, [_row(run) for run in some], left=[0, 1])
        for run in some:
            if run.tags.get("ser.changes"):
                say(f"{run.run_id[:SHORT]}  {run.tags['ser.changes']}")
    if n_runs > len(runs):
        say(f"\n{len(runs)} of {n_runs} runs; more with --limit {n_runs}")


def _by_setting(runs: Sequence[KeptRun]) -> list[tuple[str, list[KeptRun]]]:
    found: list[tuple[str, list[KeptRun]]] = []
    for run in runs:
        if not found or found[-1][0] != run.setting:
            found.append((run.setting, []))
        found[-1][1].append(run)
    return found


def _row(run: KeptRun) -> list[str]:
    score, interval = _score(run)
    title = run.title if len(run.title) <= _LONGEST else f"{run.title[: _LONGEST - 1]}…"
    return [run.run_id[:SHORT], title, score, interval, _when(run.started_ms), run.tags.get("ser.seed", "")]


def _score(run: KeptRun) -> tuple[str, str]:
    """Return the primary score of a run and its interval; of one that has none, how it stands."""
    from ser_experiments.evaluation.scoring import get_score

    scores = scores_of(run)
    if run.going or run.status != FINISHED or not scores:
        return ("half deleted" if run.going else run.status.lower()), ""
    return f"{get_score(scores[0]).title} {run.metrics[scores[0]]:.3f}", _interval(run, scores[0])


def _interval(run: KeptRun, metric: str) -> str:
    low, high = (run.metrics.get(metric + end) for end in (_LOW, _HIGH))
    return "" if low is None or high is None else f"{low:.3f} to {high:.3f}"


def show_one(
    run: KeptRun,
    held: Held,
    folds: Mapping[str, list[float]],
    versions: Sequence[Registered],
    audited: Audited | None = None,
) -> None:
    """Print everything of one run."""
    from ser_experiments.evaluation.scoring import get_score

    on = console(_WIDTH)
    for heading, words in _about(run):
        say(f"{heading:<11} {words}")
    scores = scores_of(run)
    if scores:
        say()
        rows = [[get_score(name).title, f"{run.metrics[name]:.3f}", _interval(run, name)] for name in scores]
        print_table(on, ["score", "", "95 % interval"], rows, left=[0])
    for name, values in folds.items():
        if values:
            each = "  ".join(f"{value:.3f}" for value in values)
            say(f"\n{get_score(name).title} by fold, in their order:\n{each}")
    if run.status == FINISHED:
        say()
        _show_audit(run, audited)
    if run.params:
        say()
        print_table(on, ["parameter", "value"], [[key, run.params[key]] for key in sorted(run.params)], left=[0, 1])
    say(f"\n{len(held.files)} files, {size(sum(held.files.values()))}, in\n{held.place}")
    if held.files:
        print_table(on, ["file", "size"], [[name, size(held.files[name])] for name in sorted(held.files)], left=[0])
    for place, n_bytes in held.models.items():
        say(f"\nmodel, {size(n_bytes)}, in\n{place}")
    for one in versions:
        say(f"registered as {one.name} version {one.version}{_aliases(one)}")
    if held.n_parts:
        say(f"\n{held.n_parts} parts: trials of its search or members of its stack")


def _show_audit(run: KeptRun, audited: Audited | None) -> None:
    """Print what an audit found: what failed with its figures, what cannot be told, and how much passed."""
    from ser_experiments.evaluation.fairness import FAILED, PASSED, UNKNOWN

    if audited is None:
        say(f"not audited; do it with: ser audit {run.run_id[:SHORT]}")
        return
    say(f"audit: {len(audited.those(PASSED))} of {len(audited.findings)} passed, the page is audit.html")
    failed = [one for one in audited.findings if one.verdict == FAILED]
    for one in failed[:_MOST_FAILED]:
        say(f"  failed: {one.name} ({one.figures})")
    if len(failed) > _MOST_FAILED:
        say(f"  failed: {len(failed) - _MOST_FAILED} more, {', '.join(one.name for one in failed[_MOST_FAILED:])}")
    unknown = audited.those(UNKNOWN)
    if unknown:
        say(f"  cannot be told: {', '.join(unknown)}")


def _about(run: KeptRun) -> Iterator[tuple[str, str]]:
    tags = run.tags
    yield "run", run.run_id
    yield "name", run.title
    yield "experiment", run.experiment + (f", {tags['ser.changes']}" if tags.get("ser.changes") else "")
    yield "setting", run.setting
    yield "seed", tags.get("ser.seed", "")
    took = f", {(run.ended_ms - run.started_ms) / 1000:.0f} s" if run.ended_ms else ""
    yield "when", f"{_when(run.started_ms, seconds=True)}{took}"
    yield "status", "half deleted; say: ser runs delete" if run.going else run.status.lower()
    if tags.get("ser.error"):
        yield "stopped by", tags["ser.error"]


def doom(one: Doomed) -> str:
    """Say what deleting a run means."""
    run = one.run
    score, interval = _score(run)
    with_it = f", {one.n_parts} parts" if one.n_parts else ""
    with_it += "".join(f", {version.name} version {version.version}{_aliases(version)}" for version in one.versions)
    scored = f"{score} ({interval})" if interval else score
    return f"{run.run_id[:SHORT]} {run.title} of {run.setting}: {scored}, {size(one.n_bytes)}{with_it}"


def _aliases(one: Registered) -> str:
    return f" ({', '.join(one.aliases)})" if one.aliases else ""


def _when(ms: int, *, seconds: bool = False) -> str:
    """Return a time as the clock here shows it."""
    return said(time.strftime("%Y-%m-%d %H:%M:%S" if seconds else "%y-%m-%d %H:%M", time.localtime(ms / 1000)))


def _iso(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))
