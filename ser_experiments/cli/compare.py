"""``ser compare``: which run of a setting is best, and whether the difference is real."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, picture_option, print_table, save_picture
from ser_experiments.cli._metric import metric_option
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say
from ser_experiments.report.plain import finite

if TYPE_CHECKING:
    import pandas as pd


@click.command("compare")
@click.argument("names", nargs=-1)
@metric_option("The score that ranks the runs.")
@click.option("--setting", help="Name of the setting, as `ser run` says it; by default that of the latest run.")
@click.option("--corpus", help="Take the latest setting of this corpus; of a manifest its name, e.g. emodb4.")
@click.option("--labels", help="Take the latest setting with this label scheme.")
@click.option("--protocol", help="Take the latest setting under this protocol.")
@click.option("--all", "every", is_flag=True, help="Every finished run instead of the latest of each experiment.")
@click.option("--json", "form", flag_value="json", help="One JSON object on standard output.")
@click.option("--csv", "form", flag_value="csv", help="A CSV table on standard output.")
@click.option("--markdown", "form", flag_value="markdown", help="A Markdown table on standard output.")
@picture_option
def command(
    names: tuple[str, ...],
    metric: str | None,
    setting: str | None,
    corpus: str | None,
    labels: str | None,
    protocol: str | None,
    every: bool,
    form: str | None,
    picture: str | None,
) -> None:
    """Rank the finished runs of one setting.

    NAMES are experiments or ids of runs; without them, every experiment of the setting stands on the board.
    """
    from ser_experiments.csvfile import write_csv
    from ser_experiments.evaluation.compare import compare
    from ser_experiments.evaluation.plots import plot_leaderboard
    from ser_experiments.evaluation.scoring import get_score
    from ser_experiments.report.board import called, chance_of, facts_of, leaderboard
    from ser_experiments.tracking import existing
    from ser_experiments.tracking.leaderboard import choose_runs, choose_setting, load_scored

    if metric is not None:
        get_score(metric)  # a slip of the pen is said before anything is fetched
    client = existing(here())
    chosen, others = choose_setting(client, setting, corpus=corpus, labels=labels, protocol=protocol)
    if others and setting is None:
        say(f"setting {chosen.name}, of the latest run; others: {', '.join(others)} (--setting NAME)", err=True)
    scored = load_scored(client, choose_runs(chosen, names, every=every))
    by_id = {one.run.run_id: one for one in scored}
    comparison = compare({key: one.predictions for key, one in by_id.items()}, scored[0].unit_column, metric=metric)
    table = leaderboard(comparison, by_id)
    if picture:
        chance = chance_of(comparison, scored)
        save_picture(plot_leaderboard(comparison, called(table), chosen.name, scored[0].unit, chance=chance), picture)
    facts = facts_of(comparison, chosen, scored)
    if form == "json":
        say(json.dumps({**facts, "runs": [finite(row) for row in table.to_dict(orient="records")]}))
    elif form == "csv":
        text = io.StringIO()
        write_csv(table, text, index=False)
        say(text.getvalue(), nl=False)
    elif form == "markdown":
        say(_markdown(table, facts, comparison.score.title))
    else:
        _show(table, facts, comparison.score.title)
    if picture:
        say(f"picture: {picture}", err=True)


def _markdown(table: pd.DataFrame, facts: dict[str, Any], title: str) -> str:
    from ser_experiments.report.board import HEADINGS, below, called, cells, cost_table, variants

    headings = [h.format(title) for h in HEADINGS]
    lines = [f"**{facts['setting']}**, {facts['n_utterances']} utterances", ""]
    lines += ["| " + " | ".join(headings) + " |", "|---|---|" + "---:|" * (len(headings) - 2)]
    lines += ["| " + " | ".join(cells) + " |" for cells in cells(table, facts["metric"])]
    costs, spent = cost_table(called(table), table)
    if spent:
        lines += ["", "| " + " | ".join(costs) + " |", "|---|" + "---:|" * (len(costs) - 1)]
        lines += ["| " + " | ".join(cells) + " |" for cells in spent]
    return "\n".join([*lines, "", *(f"- {line}" for line in [*variants(table), *below(table, facts)])])


def _show(table: pd.DataFrame, facts: dict[str, Any], title: str) -> None:
    from rich.markup import escape

    from ser_experiments.report.board import HEADINGS, below, called, cells, cost_table, variants

    on = console(120)
    on.print(f"\n[bold]{escape(said(facts['setting']))}[/], {facts['n_utterances']} utterances", soft_wrap=True)
    print_table(on, [h.format(title) for h in HEADINGS], cells(table, facts["metric"]), left=[1])
    on.print()
    costs, spent = cost_table(called(table), table)
    if spent:
        print_table(on, costs, spent, left=[0])
        on.print()
    for line in variants(table):
        on.print(said(line), style="dim", markup=False, soft_wrap=True)
    for line in below(table, facts):
        on.print(said(line), style="yellow" if line.startswith("note: ") else "dim", markup=False, soft_wrap=True)
