"""``ser verify``: score anybody's predictions against a protocol card, or check the folds that somebody published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ser_experiments.cli._say import say

if TYPE_CHECKING:
    from ser_experiments.evaluation.published_folds import Checked
    from ser_experiments.evaluation.verify import Verdict

_FILE = click.Path(dir_okay=False)


@click.command("verify")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@click.option("--card", "card_file", type=_FILE, help="Score predictions; from `ser protocol --export`.")
@click.option("--corpus", metavar="NAME|NAME=ROOT", help="Check folds; the corpus whose files the lists name.")
@click.option("--train", multiple=True, type=_FILE, help="What a fold trains on; one a FILE, in their order.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    files: tuple[str, ...], card_file: str | None, corpus: str | None, train: tuple[str, ...], as_json: bool
) -> None:
    """Score predictions against a card, or check published folds.

    With --card, FILE holds predictions: utterance_id, or the names of files, and predicted (or p_<class> columns). The
    score comes with its interval and the leak checks; with a column fold, the folds are checked.

    Without it, FILE is a list with a column fold or split, or a list of what each fold tests, in CSV, JSON or JSON
    lines: how many of the tested clips have a speaker or a text that is trained on? No audio is needed where the names
    of a corpus's files say who speaks.
    """
    if card_file is None:
        _show_folds(files, corpus, train, as_json)
        return
    if len(files) > 1 or corpus is not None or train:
        raise click.UsageError("--card scores one FILE of predictions; leave it out to check folds")
    from ser_experiments.evaluation.card import read_card
    from ser_experiments.evaluation.verify import verify

    verdict = verify(files[0], read_card(card_file))
    if as_json:
        say(json.dumps(verdict.as_dict()))
        return
    _show(verdict)


def _show(verdict: Verdict) -> None:
    from ser_experiments.evaluation.folds import get_protocol
    from ser_experiments.evaluation.scoring import scores_of

    card, metrics, found = verdict.card, verdict.metrics, verdict.interval
    interval = "no interval" if found.n_groups < 2 else f"95 % interval {found.low:.3f} to {found.high:.3f}"
    setting, task = card.setting, verdict.predictions.task
    first, *others = scores_of(task, values=verdict.predictions.has_values)
    say(f"card {card.digest}: {setting['corpus']}, labels {setting['labels']}, {setting['protocol']}")
    say(f"{first.title} {metrics[first.name]:.3f} ({interval}, {found.n_groups} {setting['unit']}s)")
    say("   ".join(f"{one.name} {metrics[one.name]:.3f}" for one in others if one.name in metrics))
    if first.each is not None:
        parts = {target: metrics.get(f"{first.each.prefix}_{target}") for target in task.targets}
        shown = (f"{target} {value:.2f}" for target, value in parts.items() if value is not None)
        say(f"{first.each.prefix:<10} " + "   ".join(shown))
    by_fold = verdict.folds[f"fold_{first.name}"]
    say(f"{'fold ' + first.title:<10} " + "   ".join(f"{name} {value:.2f}" for name, value in by_fold.items()))
    if get_protocol(setting["protocol"]).leaky:
        say(f"note: protocol {setting['protocol']}: tested speakers were seen in training; this score shows the leak")
    for note in verdict.notes:
        say(f"note: {note}")


def _show_folds(files: tuple[str, ...], corpus: str | None, train: tuple[str, ...], as_json: bool) -> None:
    from ser_experiments.corpora import place_of
    from ser_experiments.evaluation.published_folds import check_folds

    checked = check_folds(files, None if corpus is None else place_of(corpus), train)
    if as_json:
        say(json.dumps(checked.as_dict()))
        return
    _show_checked(checked)


def _show_checked(checked: Checked) -> None:
    from ser_experiments.cli._boards import console, print_table
    from ser_experiments.shown import several

    tested = sum(len(fold.test) for fold in checked.folds)
    say(f"{several(len(checked.folds), 'fold')}, {tested} clips tested, {len(checked.rows)} in all")
    rows = [
        [one.what, f"{one.share:.1%}", f"{one.values_known} of {one.values_tested} {one.noun}"] for one in checked.found
    ]
    print_table(console(80, whole=True), ["training knows", "of tested clips", "namely"], rows, left=[0, 2])
    say(checked.verdict)
    for note in checked.notes:
        say(f"note: {note}")
