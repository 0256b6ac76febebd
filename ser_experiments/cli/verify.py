"""``ser verify``: score anybody's predictions against a protocol card."""

from __future__ import annotations

import json

import click

from ser_experiments.cli._say import say


@click.command("verify")
@click.argument("predictions", type=click.Path(dir_okay=False))
@click.option(
    "--card", "card_file", required=True, type=click.Path(dir_okay=False), help="From `ser protocol --export`."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(predictions: str, card_file: str, as_json: bool) -> None:
    """Score a CSV of predictions against a protocol card.

    The score comes with its interval and the leak checks. PREDICTIONS needs utterance_id and predicted (or p_<class>
    columns); with a column fold, the folds are checked.
    """
    from ser_experiments.evaluation.card import read_card
    from ser_experiments.evaluation.folds import get_protocol
    from ser_experiments.evaluation.scoring import scores_of
    from ser_experiments.evaluation.verify import verify

    verdict = verify(predictions, read_card(card_file))
    if as_json:
        say(json.dumps(verdict.as_dict()))
        return
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
