"""``ser run``: one experiment from audio to a logged score."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, print_table
from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.experiment.request import RunRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ser_experiments.evaluation.score import Score
    from ser_experiments.experiment import Result
    from ser_experiments.project import Project


class _Run(CorpusCommand):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, which imports corpora and with them much else."""
        # First: to keep a model, skops looks for the home of each function of scipy in all modules, in their order.
        # A shell that completes a word keeps none.
        if not ctx.resilient_parsing:
            import scipy.special  # noqa: F401

        return super().parse_args(ctx, args)


@click.command("run", cls=_Run)
@click.argument("experiments", metavar="EXPERIMENT...", nargs=-1, required=True)
@request_options(RunRequest)
@click.option("--seeds", type=click.IntRange(1), default=1, help="Runs with as many seeds, from --seed on.")
@click.option("--system-metrics", is_flag=True, help="Log processor and memory while it runs.")
@click.option("--no-log", is_flag=True, help="Score only: nothing is written to MLflow.")
@as_json
def command(
    experiments: tuple[str, ...], seeds: int, as_json: bool, no_log: bool, system_metrics: bool, **given: Any
) -> None:
    """Run an experiment: features, folds, scores, an MLflow run.

    EXPERIMENT is a name that `ser list` shows, or the .toml file of one. Of several, what stops one does not stop the
    others; with --seeds the spread of the seeds stands beside the interval over speakers or sessions.
    """
    if system_metrics:
        os.environ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"] = "true"
    request = take(RunRequest, given, experiment=experiments[0])
    wanted = [
        replace(request, experiment=name, seed=request.seed + more)
        for name in dict.fromkeys(experiments)
        for more in range(seeds)
    ]
    project = here(writes=True)
    if len(wanted) > 1:
        _run_several(wanted, project, no_log=no_log, as_json=as_json)
        return
    started = time.perf_counter()
    result = _run(request, no_log=no_log)
    if as_json:
        say(json.dumps(result.as_dict()))
        return
    show(result, time.perf_counter() - started)


def _run(request: RunRequest, *, no_log: bool) -> Result:
    with Showing() as shown:
        from ser_experiments.experiment import run_experiment

        return run_experiment(request, log_run=not no_log, on_fold=shown.fold, progress=shown.measured)


def _run_several(wanted: Sequence[RunRequest], project: Project, *, no_log: bool, as_json: bool) -> None:
    """Run one after another; what is wrong with a definition is said before anything runs, what goes wrong, last."""
    from ser_experiments.cli._several import Outcomes, check

    check(wanted, project)
    outcomes = Outcomes(wanted)
    for request in wanted:
        started = time.perf_counter()
        with outcomes.of(request):
            result = outcomes.add(request, _run(request, no_log=no_log))
            if not as_json:
                show(result, time.perf_counter() - started)
    outcomes.show(as_json=as_json)
    if outcomes.failed:
        sys.exit(1)


def show(result: Result, seconds: float) -> None:
    """Print the short table of a result and how to look at it."""
    from rich.markup import escape

    from ser_experiments.evaluation.scoring import scores_of

    prepared, metrics = result.prepared, result.metrics
    setting = prepared.setting
    on = console(110)
    on.print(f"\n[bold]{escape(said(prepared.experiment.name))}[/] on {escape(said(setting.name))}")
    on.print(f"{len(result.predictions)} utterances, {said(prepared.folds.words)}", markup=False)
    task = prepared.task
    primary, *rest = scores_of(task)
    others = [one for one in rest if primary.needs_values or not one.needs_values]
    headings = [primary.title, "95 % interval", *(score.title for score in others)]
    interval = f"{result.interval.low:.3f} - {result.interval.high:.3f}"
    cells = [_number(metrics, primary), interval, *(_number(metrics, score) for score in others)]
    print_table(on, headings, [cells], left=range(len(headings)), bold=[0], gap=3)
    on.print(f"[dim]interval over {result.interval.n_groups} {prepared.folds.unit}s (jackknife, t)[/]\n")
    for heading, values in _parts(result, primary):
        shown = "   ".join(f"{name} {value:.2f}" for name, value in values.items())
        on.print(said(f"{heading:<10} {shown}"), soft_wrap=True, markup=False)
    for warning in result.warnings:
        on.print(said(f"note: {warning}"), soft_wrap=True, style="yellow", markup=False)
    for utterance, reason in prepared.skipped.items():
        on.print(said(f"left out: {utterance}: {reason}"), soft_wrap=True, style="yellow", markup=False)
    for line in [*_new_speakers(result), *_raters(result), *_chosen(result), *_members(result)]:
        on.print(said(line), soft_wrap=True, markup=False)
    reused = _reused(result)
    if reused:
        on.print(f"reused {reused} of the fits that earlier runs made on the same rows with the same parameters")
    on.print(f"[dim]{seconds:.0f} s[/]")
    if result.pending:
        on.print(f"[yellow]run {result.run_id} is kept on disk: the tracking store went away; log it: ser sync[/]")
    elif result.run_id:
        on.print(said(f"logged as run {result.run_id} in MLflow experiment {setting.name}"), markup=False)
        look = result.link or "ser ui (or: make ui), which prints the link to the runs of this setting"
        on.print(f"look at it: {look}", soft_wrap=True, markup=False)


def _number(metrics: Mapping[str, float], score: Score) -> str:
    """Return a score; a dash of one that is not defined, such as Pearson's of answers that are all alike."""
    return f"{metrics[score.name]:.3f}" if score.name in metrics else "-"


def _parts(result: Result, primary: Score) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield what the primary score consists of: its value for each target, corpus and fold."""
    if primary.each is not None:
        prefix = primary.each.prefix
        names = {target: f"{prefix}_{target}" for target in result.prepared.task.targets}
        yield prefix, {target: result.metrics[name] for target, name in names.items() if name in result.metrics}
    at = f"{primary.name}_at_"
    percents = [name.removeprefix(at) for name in result.metrics if name.startswith(at)]
    sure = {f"{one} %": result.metrics[f"{at}{one}"] for one in sorted(percents, reverse=True) if one.isdecimal()}
    if sure:
        yield "surest", sure
    corpora = {name: result.metrics.get(f"{primary.name}_in_{name}") for name in result.prepared.selection.pooled}
    if corpora:
        yield "in", {name: value for name, value in corpora.items() if value is not None}
    if f"fold_{primary.name}" in result.folds:
        yield f"fold {primary.title}", result.folds[f"fold_{primary.name}"].to_dict()


def _raters(result: Result) -> list[str]:
    """Say what one rater scores against the others, where it is known what raters said."""
    from ser_experiments.evaluation.scoring import scores_of

    titles = {score.name: score.title for score in scores_of(result.prepared.task)}
    told = {title: result.metrics.get(f"rater_{name}") for name, title in titles.items()}
    said = "   ".join(f"{title} {value:.3f}" for title, value in told.items() if value is not None)
    return [f"one rater against the others: {said}"] if said else []


def _new_speakers(result: Result) -> list[str]:
    """Say what answers to a speaker nobody has heard are worth, where this many have been heard."""
    known = result.metrics
    if "set_coverage_90" not in known:
        return []
    held, answered = (f"{100 * known[name]:.0f} %" for name in ("set_coverage_90", "answered_risk_10"))
    wrong = f", {100 * known['wrong_risk_10']:.0f} % of them wrongly" if "wrong_risk_10" in known else ""
    return [
        f"new speakers: the truth is among {known['set_size_90']:.1f} candidates for {held} (aim 90 %); "
        f"with one error in ten allowed, {answered} are answered{wrong}"
    ]


def _reused(result: Result) -> int:
    """Count the fits of outer folds, or of their members, that were taken from earlier runs."""
    return sum(report.n_reused for report in result.reports.values())


def _members(result: Result) -> list[str]:
    """Say what the members of an ensemble score alone, and what weight they have in the mean over the folds."""
    said = []
    for name, metrics in result.members.items():
        weights = [report.weights[name] for report in result.reports.values() if report.weights]
        weight = f" (weight {sum(weights) / len(weights):.2f})" if weights else ""
        value = metrics[result.prepared.task.primary]
        said.append(f"{name} {value:.3f}{weight}")
    return [f"members alone: {'   '.join(said)}"] if said else []


def _chosen(result: Result) -> list[str]:
    """Say what a search chose in the folds, from the least to the greatest, or how often."""
    found = [report.search.best_params for report in result.reports.values() if report.search]
    if not found:
        return []
    lines = []
    for name in found[0]:
        values = [chosen[name] for chosen in found]
        if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
            lines.append(f"{name} {min(values):.3g} - {max(values):.3g}")
        else:
            lines.append(f"{name} " + ", ".join(f"{v} x{n}" for v, n in Counter(map(str, values)).items()))
    return [f"chosen inside the {len(found)} training sides: " + "; ".join(lines)]
