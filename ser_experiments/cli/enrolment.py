"""``ser enrolment``: what clips of a new speaker are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, give, picture_option, print_table, save_picture
from ser_experiments.cli._options import CorpusCommand, as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.experiment.request import RunRequest
from ser_experiments.report.plain import finite, number, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ser_experiments.experiment.enrolment import Step

#: What the steps say themselves, and what is of a run that is logged.
_NOT_HERE = frozenset({"normalize", "allow_leak", "no_pictures"})
_WORDS = {"none": "none", "any": "any emotion", "neutral": "neutral", "speaker": "mean and deviation"}


@click.command("enrolment", cls=CorpusCommand)
@click.argument("experiment")
@request_options(RunRequest, without=_NOT_HERE)
@click.option(
    "--clips",
    multiple=True,
    type=click.IntRange(1, 9999),
    metavar="N",
    default=(1, 3, 5, 10),
    show_default="1, 3, 5, 10",
    help="So many clips of each speaker, besides none and all. May be repeated.",
)
@click.option(
    "--draws",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="How often it is drawn which clips are given.",
)
@picture_option
@as_json
def command(
    experiment: str, clips: tuple[int, ...], draws: int, picture: str | None, as_json: bool, **given: Any
) -> None:
    """Score an experiment by how many clips a speaker gives.

    None, then 1, 3, 5, 10 and all, whatever their emotion or neutral ones alone. All are scored on the same recordings,
    each normalised by others of its speaker. Nothing is logged. EXPERIMENT is a name that `ser list` shows.
    """
    request = take(RunRequest, given, experiment=experiment)
    with Showing() as shown:
        from ser_experiments.experiment.enrolment import enrolment_curve

        found = list(
            enrolment_curve(
                request,
                here(writes=True),
                clips=clips,
                draws=draws,
                tell=lambda line: shown.say(f"{line} ..."),
                progress=shown.measured,
            )
        )
    give(
        lambda: [_told(step) for step in found],
        lambda: _show(found, experiment),
        lambda path: _draw(path, found, experiment),
        as_json=as_json,
        picture=picture,
    )


def _told(step: Step) -> dict[str, Any]:
    difference = None if step.difference is None else finite(step.difference._asdict())
    return {**finite({**step._asdict(), "clips": step.many, "difference": None}), "difference": difference}


def _show(found: Sequence[Step], experiment: str) -> None:
    from rich.markup import escape

    from ser_experiments.evaluation.scoring import get_score

    held = [step for step in found if not step.why_not]
    title, unit = get_score(held[0].score).title, held[0].unit
    n_groups = next(step.difference.n_groups for step in held if step.difference is not None)
    on = console(100, whole=True)
    on.print(f"\n[bold]{escape(said(experiment))}[/] on {escape(said(held[0].setting))}, by what a speaker gives")
    rows = [
        [
            _WORDS[step.kind],
            step.many,
            f"{step.value:.3f}",
            span(step.low, step.high),
            number(step.spread),
            *_gained(step),
        ]
        for step in held
    ]
    headings = ["given", "clips", title, "95 % interval", "by draw", "gain", "its 95 % interval"]
    print_table(on, headings, rows, left=[0])
    say(f"chance: {held[0].chance:.3f}; intervals and gains, paired, over {n_groups} {unit}s")
    for step in held:
        if step.fewer:
            say(
                f"{step.many} {step.kind}: {len(step.fewer)} speakers have fewer for some recording, at least "
                f"{min(step.fewer.values())}, and give those; {step.given:.1f} in the mean"
            )
    for step in found:
        if step.why_not:
            say(f"not held: {step.many} {step.kind}: {step.why_not}")


def _gained(step: Step) -> tuple[str, str]:
    if step.gain is None:
        return "", ""
    value, low, high = step.gain
    return f"{value:+.3f}", span(low, high, "{:+.3f}")


def _draw(path: str, found: Sequence[Step], experiment: str) -> None:
    from ser_experiments.evaluation.plots import plot_enrolment
    from ser_experiments.evaluation.scoring import get_score

    held = [step for step in found if not step.why_not]
    order = sorted(held, key=lambda step: (step.clips is None, step.clips or 0))
    clips = list(dict.fromkeys(step.many for step in order))
    scores, gains = {}, {}
    for kind, words in _WORDS.items():
        of = [step for step in held if step.kind == kind]
        if of:
            scores[words] = [(one.many, one.value, one.low, one.high) for one in of]
            gains[words] = [(one.many, *one.gain) for one in of if one.gain is not None]
    title = f"{experiment} on {held[0].setting}"
    save_picture(plot_enrolment(scores, gains, clips, held[0].chance, title, get_score(held[0].score).title), path)
