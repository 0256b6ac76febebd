"""``ser verify``: score anybody's predictions against a protocol card."""

from __future__ import annotations

import json

import click


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
    from ser_experiments.evaluation.verify import verify

    verdict = verify(predictions, read_card(card_file))
    if as_json:
        click.echo(json.dumps(verdict.as_dict()))
        return
    card, metrics = verdict.card, verdict.metrics
    low, high = metrics.get("uar_ci_low"), metrics.get("uar_ci_high")
    interval = "no interval" if low is None else f"95 % interval {low:.3f} to {high:.3f}"
    setting = card.setting
    click.echo(f"card {card.digest}: {setting['corpus']}, labels {setting['labels']}, {setting['protocol']}")
    click.echo(f"UAR {metrics['uar']:.3f} ({interval}, {verdict.interval.n_groups} {setting['unit']}s)")
    rest = ("wa", "macro_f1", "log_loss", "brier", "ece")
    click.echo("   ".join(f"{key} {metrics[key]:.3f}" for key in rest if key in metrics))
    click.echo("recall     " + "   ".join(f"{c} {metrics[f'recall_{c}']:.2f}" for c in card.classes))
    click.echo("fold UAR   " + "   ".join(f"{name} {value:.2f}" for name, value in verdict.folds["fold_uar"].items()))
    if setting["protocol"] == "random":
        click.echo("note: protocol random: tested speakers were seen in training; this score shows the leak")
    for note in verdict.notes:
        click.echo(f"note: {note}")
