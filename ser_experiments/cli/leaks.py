"""``ser leaks``: what a score is worth where ever more of what is tested is new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, give, picture_option, print_table, save_picture
from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.experiment.request import RunRequest
from ser_experiments.report.plain import finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ser_experiments.experiment.leaks import Rung

#: What the ladder says itself.
_NOT_HERE = frozenset({"protocol", "folds_file", "allow_leak"})


@click.command("leaks", cls=CorpusCommand)
@click.argument("experiment")
@request_options(RunRequest, without=_NOT_HERE)
@click.option("--no-log", is_flag=True, help="Score only: nothing is written to MLflow.")
@picture_option
@as_json
def command(experiment: str, no_log: bool, picture: str | None, as_json: bool, **given: Any) -> None:
    """Run an experiment under protocols from which ever more is new.

    Random folds, as many papers have them, then speakers, sessions and texts that training does not know, and with
    --test-corpus another corpus. EXPERIMENT is a name that `ser list` shows.
    """
    request = take(RunRequest, given, experiment=experiment)
    found = []
    with Showing() as shown:
        from ser_experiments.experiment.leaks import leaks

        for rung in leaks(
            request,
            here(writes=True),
            tell=lambda line: shown.say(f"{line} ..."),
            progress=shown.measured,
            log_run=not no_log,
        ):
            found.append(rung)
    give(
        lambda: [_told(rung) for rung in found],
        lambda: _show(found, experiment),
        lambda path: _draw(path, found, experiment),
        as_json=as_json,
        picture=picture,
    )


def _told(rung: Rung) -> dict[str, Any]:
    fall = None if rung.fall is None else finite(rung.fall._asdict())
    return {**finite({**rung._asdict(), "fall": None}), "fall": fall}


def _show(found: Sequence[Rung], experiment: str) -> None:
    from rich.markup import escape

    from ser_experiments.evaluation.scoring import get_score

    run = [rung for rung in found if not rung.why_not]
    on = console(130, whole=True)
    if run:
        title = get_score(run[0].score).title
        on.print(f"\n[bold]{escape(said(experiment))}[/] on {escape(said(run[0].corpus))}, what leaks most first")
        rows = [
            [rung.protocol, f"{rung.value:.3f}", f"{rung.low:.3f} to {rung.high:.3f}", *_fall(rung), rung.known]
            for rung in run
        ]
        headings = ["protocol", title, "95 % interval", "below the first", "its 95 % interval", "of what is tested"]
        print_table(on, headings, rows, left=[0, 5])
        say(f"chance: {run[0].chance:.3f}; what is below the first is paired over {_groups(run)} speakers")
    for rung in found:
        if rung.why_not:
            say(f"not held: {rung.why_not}")


def _fall(rung: Rung) -> tuple[str, str]:
    if rung.fall is None:
        return "", ""
    return f"{rung.fall.value:.3f}", f"{rung.fall.low:.3f} to {rung.fall.high:.3f}"


def _groups(run: Sequence[Rung]) -> int:
    return next((rung.fall.n_groups for rung in run if rung.fall is not None), 0)


def _draw(path: str, found: Sequence[Rung], experiment: str) -> None:
    from ser_experiments.errors import InputError
    from ser_experiments.evaluation.plots import plot_ladder
    from ser_experiments.evaluation.scoring import get_score

    run = [rung for rung in found if not rung.why_not]
    if not run:
        raise InputError("--picture: there is nothing to draw; no protocol could be held")
    score = get_score(run[0].score)
    rungs = [(rung.protocol, rung.value, rung.low, rung.high) for rung in run]
    title = f"{experiment} on {run[0].corpus}"
    save_picture(plot_ladder(rungs, run[0].chance, score.limits[1], title, score.title), path)
