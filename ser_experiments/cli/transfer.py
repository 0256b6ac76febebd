"""``ser transfer``: what models of some corpora are worth on others."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, give, picture_option, print_table, save_picture
from ser_experiments.cli._options import as_json, request_options, take
from ser_experiments.cli._progress import Showing
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.experiment.request import RunRequest
from ser_experiments.report.plain import finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ser_experiments.experiment.transfers import Transfer

#: What a pair of corpora says itself, or what is of one corpus alone.
_NOT_HERE = frozenset({
    "corpus", "root", "test_corpus", "test_root", "protocol", "n_splits", "subset", "table", "allow_columns",
    "folds_file", "allow_leak",
})  # fmt: skip


@click.command("transfer")
@click.argument("experiment")
@click.argument("corpora", nargs=-1, required=True, metavar="CORPUS...")
@request_options(RunRequest, without=_NOT_HERE)
@click.option("--again", is_flag=True, help="Run every pair, also those that were run.")
@picture_option
@as_json
def command(
    experiment: str, corpora: tuple[str, ...], again: bool, picture: str | None, as_json: bool, **given: Any
) -> None:
    """Train on each corpus, test on each other: a run for each pair.

    EXPERIMENT is a name that `ser list` shows, CORPUS a name that `ser corpora list` shows, NAME=ROOT, or the root.
    What was run before on the same rows is not run again, so that a matrix that was interrupted goes on.
    """
    from ser_experiments import tracking
    from ser_experiments.corpora import place_of

    found_in = here(writes=True)
    request = take(RunRequest, given, experiment=experiment)
    places = [place_of(one) for one in corpora]
    found = []
    with Showing() as shown:
        from ser_experiments.experiment.transfers import transfers

        store = tracking.open_store(found_in)
        for one in transfers(
            request, places, found_in, store=store, again=again, tell=shown.say, progress=shown.measured
        ):
            found.append(one)
            if not as_json:
                shown.say(f"  {one.value:.3f}{_ends(one)}{', of an earlier run' if one.earlier else ''}")
    title = ", ".join([experiment, *([f"normalised: {request.normalize}"] if request.normalize != "none" else [])])
    give(
        lambda: [finite(one._asdict()) for one in found],
        lambda: _show(found, title),
        lambda path: _draw(path, found, title),
        as_json=as_json,
        picture=picture,
    )


def _names(found: Sequence[Transfer]) -> list[str]:
    return list(dict.fromkeys(name for one in found for name in (one.trained, one.tested)))


def _ends(one: Transfer) -> str:
    return "" if math.isnan(one.low) else f" ({one.low:.2f}-{one.high:.2f})"


def _show(found: Sequence[Transfer], title: str) -> None:
    from rich.markup import escape

    from ser_experiments.evaluation.scoring import get_score

    names = _names(found)
    cells = {(one.trained, one.tested): f"{one.value:.3f}{_ends(one)}" for one in found}
    rows = [[trained, *(cells.get((trained, tested), "-") for tested in names)] for trained in names]
    on = console(max(80, 24 + 20 * len(names)), whole=True)
    on.print(f"\n[bold]{escape(said(title))}[/]: {get_score(found[0].score).title}, 95 % interval over tested groups")
    print_table(on, ["trained on \\ tested on", *names], rows, left=[0], gap=3)
    chances = [f"{one:.3f}" for one in sorted(one.chance for one in found)]
    say(f"chance: {' to '.join(dict.fromkeys((chances[0], chances[-1])))}")


def _draw(path: str, found: Sequence[Transfer], title: str) -> None:
    from ser_experiments.evaluation.plots import plot_transfer
    from ser_experiments.evaluation.scoring import get_score

    score = get_score(found[0].score)
    scores = {(one.trained, one.tested): (one.value, one.low, one.high) for one in found}
    limits = min(one.chance for one in found), score.limits[1]
    save_picture(plot_transfer(_names(found), scores, limits, title, score.title), path)
