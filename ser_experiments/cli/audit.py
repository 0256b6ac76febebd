"""``ser audit``: what is left of a score in noise, on telephones and in codecs, and for whom it is worse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, print_table
from ser_experiments.cli._complete import completes
from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.experiment.request import RunRequest
from ser_experiments.report.plain import finite

if TYPE_CHECKING:
    from ser_experiments.experiment.audit import Audit

#: Nothing is audited on features that were made elsewhere, or on voices that were trained on.
_NOT_HERE = frozenset({"table", "allow_columns", "allow_leak"})


@click.command("audit", cls=CorpusCommand)
@click.argument("experiment")
@request_options(RunRequest, without=_NOT_HERE)
@click.option(
    "--condition", "wanted", multiple=True, metavar="NAME", shell_complete=completes("conditions"),
    help="A condition, or a kind of them such as `noise` or `telephone`; several may be given, by default all.",
)  # fmt: skip
@as_json
def command(experiment: str, wanted: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Audit an experiment: noise, telephones, groups.

    What is left of its score in noise, music, rooms, on telephones and in codecs, and for which speakers it is worse.
    Each fold's model answers for voices it has not heard, as they were recorded and under each condition; nothing is
    trained on what is changed. EXPERIMENT is a name that `ser list` shows, with the options it was run with.
    """
    from ser_experiments.experiment.audit import audit

    request = take(RunRequest, given, experiment=experiment)
    with Showing() as shown:
        found = audit(
            request,
            here(writes=True),
            wanted=wanted,
            tell=lambda line: shown.say(f"{line} ..."),
            progress=shown.measured,
        )
    if as_json:
        say(json.dumps(_told(found, experiment)))
        return
    _show(found, experiment)


def _told(found: Audit, experiment: str) -> dict[str, Any]:
    primary = found.scored.task.primary
    robust = [
        finite({
            "condition": one.condition.name, primary: one.score, "unchanged": one.unchanged, "n_failed": one.n_failed,
            "fall": one.fall.value, "fall_low": one.fall.low, "fall_high": one.fall.high, "verdict": one.verdict,
        })
        for one in found.robustness
    ]  # fmt: skip
    fair = [
        finite({
            "by": one.by, "scores": dict(one.scores), "n_speakers": dict(one.n_speakers),
            "difference": one.difference, "threshold": one.threshold, "verdict": one.verdict,
        })
        for one in found.fairness
    ]  # fmt: skip
    return {
        "experiment": experiment,
        "setting": found.prepared.setting.name,
        primary: found.score,
        "robustness": robust,
        "fairness": fair,
        "speakers": found.speakers[primary].to_dict(),
        "failed": found.failed,
    }


def _show(found: Audit, experiment: str) -> None:
    from rich.markup import escape

    from ser_experiments.evaluation.scoring import get_score

    title = get_score(found.scored.task.primary).title
    on = console(110, whole=True)
    on.print(f"\n[bold]{escape(said(experiment))}[/] on {escape(said(found.prepared.setting.name))}")
    on.print(f"{title} {found.score:.3f} as recorded", markup=False)
    rows = [
        [
            one.condition.name,
            f"{one.score:.3f}",
            f"{one.fall.value:+.3f}",
            f"{one.fall.low:+.3f} to {one.fall.high:+.3f}",
            "" if one.unchanged != one.unchanged else f"{100 * one.unchanged:.0f} %",
            one.verdict,
        ]
        for one in found.robustness
    ]
    print_table(on, ["condition", title, "falls by", "95 % interval", "same answer", ""], rows, left=[0, 5])
    for one in found.robustness:
        if one.n_failed:
            say(f"{one.condition.name}: nothing could be measured of {one.n_failed} recordings")
    rows = [
        [
            one.by,
            ", ".join(f"{name} {value:.3f} ({one.n_speakers[name]})" for name, value in one.scores.items()),
            f"{one.difference:.3f}",
            "" if one.threshold != one.threshold else f"{one.threshold:.3f}",
            one.verdict,
        ]
        for one in found.fairness
    ]
    if rows:
        on.print()
        headings = ["speakers by", f"{title} (speakers)", "differ by", "chance would", ""]
        print_table(on, headings, rows, left=[0, 1, 4])
    worst = found.speakers.iloc[:3, 0]
    say(f"worst speakers: {', '.join(f'{name} {value:.3f}' for name, value in worst.items())}")
