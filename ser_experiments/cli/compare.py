"""``ser compare``: which run of a setting is best, and whether the difference is real."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._boards import console, finite, picture_option, print_table, save_picture
from ser_experiments.cli._costs import cost_fields, cost_table
from ser_experiments.cli._metric import metric_option
from ser_experiments.cli._project import here
from ser_experiments.cli._say import said, say

if TYPE_CHECKING:
    import pandas as pd

    from ser_experiments.evaluation.compare import Comparison
    from ser_experiments.tracking.leaderboard import ScoredRun, StoredSetting


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
        save_picture(plot_leaderboard(comparison, _called(table), chosen.name, scored[0].unit), picture)
    facts = _facts(comparison, chosen, scored)
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


def leaderboard(comparison: Comparison, scored: dict[str, ScoredRun]) -> pd.DataFrame:
    """Return the board as a table, best first: one row a run."""
    import pandas as pd

    rows = []
    for rank, row in enumerate(comparison.rows, start=1):
        run, difference = scored[row.key].run, row.difference
        rows.append(
            {
                "rank": rank,
                "experiment": run.name,
                "run_id": run.run_id,
                "started": pd.Timestamp(run.started_ms, unit="ms").strftime("%Y-%m-%dT%H:%M:%SZ"),
                "seed": run.tags.get("ser.seed", ""),
                "changes": run.tags.get("ser.changes", ""),
                "contaminated": run.contaminated,
                comparison.metric: row.score,
                "low": row.interval.low,
                "high": row.interval.high,
                "difference": difference.value,
                "difference_low": difference.low,
                "difference_high": difference.high,
                "detectable": difference.detectable if rank > 1 else float("nan"),
                **cost_fields(run),
            }
        )
    return pd.DataFrame(rows)


def _facts(comparison: Comparison, setting: StoredSetting, scored: list[ScoredRun]) -> dict[str, Any]:
    """Return what is said of the whole board."""
    tags, first = scored[0].run.tags, scored[0]
    warnings = []
    if tags.get("ser.leaky") == "true":
        name = tags.get("ser.protocol", "random")
        warnings.append(f"protocol {name}: tested speakers were seen in training; these scores show the leak")
    if tags.get("ser.synthetic") == "true":
        warnings.append("synthetic speech: these scores say that the program works, nothing about people")
    knowing = sorted({one.run.name for one in scored if one.run.contaminated})
    if knowing:
        warnings.append(
            f"{', '.join(knowing)}: what measures the features has learned from the labels of this corpus; such a "
            "score says nothing of unheard speech"
        )
    if comparison.n_groups < 2:
        warnings.append(f"one {first.unit} only: there are no intervals")
    facts = {
        "setting": setting.name,
        **{key: tags.get(f"ser.{key}", "") for key in ("corpus", "labels", "subset", "protocol", "normalize", "rows")},
        "metric": comparison.metric,
        "n_utterances": len(first.predictions),
        "interval_unit": first.unit,
        "n_groups": comparison.n_groups,
        "n_candidates": len(comparison.rows),
        "n_finished_runs": len(setting.runs),
        "best": scored_name(comparison, scored),
        "best_score": comparison.best.score,
        "best_corrected": comparison.corrected,
        "warnings": warnings,
    }
    return finite(facts)


def scored_name(comparison: Comparison, scored: list[ScoredRun]) -> str:
    """Return the experiment of the best run."""
    return next(one.run.name for one in scored if one.run.run_id == comparison.best.key)


def _called(table: pd.DataFrame) -> list[str]:
    """Name runs by their experiment, with the id where one experiment has several or was changed for the run."""
    twice = table["experiment"].duplicated(keep=False) | (table["changes"] != "")
    pairs = zip(table["experiment"], table["run_id"], twice, strict=True)
    return [f"{name} {run_id[:8]}" if several else str(name) for name, run_id, several in pairs]


def _cells(table: pd.DataFrame, metric: str) -> list[list[str]]:
    """Return the cells of the board as people read it."""
    cells = []
    for name, row in zip(_called(table), table.to_dict(orient="records"), strict=True):
        first = row["rank"] == 1
        cells.append(
            [
                str(row["rank"]),
                name,
                f"{row[metric]:.3f}",
                _range(row["low"], row["high"], "{:.3f}"),
                "" if first else f"{row['difference']:+.3f}",
                "" if first else _range(row["difference_low"], row["difference_high"], "{:+.3f}"),
                "" if first or math.isnan(row["detectable"]) else f"{row['detectable']:.3f}",
            ]
        )
    return cells


def _range(low: float, high: float, form: str) -> str:
    return "-" if math.isnan(low) else f"{form.format(low)} to {form.format(high)}"


_HEADINGS = ("", "experiment", "{}", "95 % interval", "to the best", "its 95 % interval", "detectable")


def _below(table: pd.DataFrame, facts: dict[str, Any]) -> list[str]:
    """Return what stands below the board."""
    n, groups = facts["n_candidates"], f"{facts['n_groups']} {facts['interval_unit']}s"
    lines = [f"{n} candidates of {facts['n_finished_runs']} finished runs; intervals over {groups} (jackknife, t)"]
    if n > 1 and facts["best_corrected"] is not None:
        lines.append(
            f"{_called(table)[0]} was chosen as the best of {n}: {facts['best_score']:.3f}; corrected for the choice "
            f"{facts['best_corrected']:.3f}"
        )
    if n > 1 and facts["n_groups"] > 1:
        lines.append("detectable: the smallest true difference that would be found in four of five such corpora")
    return lines + [f"note: {warning}" for warning in facts["warnings"]]


def _markdown(table: pd.DataFrame, facts: dict[str, Any], title: str) -> str:
    headings = [h.format(title) for h in _HEADINGS]
    lines = [f"**{facts['setting']}**, {facts['n_utterances']} utterances", ""]
    lines += ["| " + " | ".join(headings) + " |", "|---|---|" + "---:|" * (len(headings) - 2)]
    lines += ["| " + " | ".join(cells) + " |" for cells in _cells(table, facts["metric"])]
    costs, spent = cost_table(_called(table), table)
    if spent:
        lines += ["", "| " + " | ".join(costs) + " |", "|---|" + "---:|" * (len(costs) - 1)]
        lines += ["| " + " | ".join(cells) + " |" for cells in spent]
    return "\n".join([*lines, "", *(f"- {line}" for line in [*_variants(table), *_below(table, facts)])])


def _variants(table: pd.DataFrame) -> list[str]:
    """Say what was changed in runs that are not an experiment as it is written, and their seeds where they differ."""
    lines = []
    several_seeds = table.groupby("experiment")["seed"].transform("nunique") > 1
    for name, changes, seed, several in zip(
        _called(table), table["changes"], table["seed"], several_seeds, strict=True
    ):
        said = [*([f"seed {seed}"] if several else []), *([changes] if changes else [])]
        if said:
            lines.append(f"{name}: {', '.join(said)}")
    return lines


def _show(table: pd.DataFrame, facts: dict[str, Any], title: str) -> None:
    from rich.markup import escape

    on = console(120)
    on.print(f"\n[bold]{escape(said(facts['setting']))}[/], {facts['n_utterances']} utterances", soft_wrap=True)
    print_table(on, [h.format(title) for h in _HEADINGS], _cells(table, facts["metric"]), left=[1])
    on.print()
    costs, spent = cost_table(_called(table), table)
    if spent:
        print_table(on, costs, spent, left=[0])
        on.print()
    for line in _variants(table):
        on.print(said(line), style="dim", markup=False, soft_wrap=True)
    for line in _below(table, facts):
        on.print(said(line), style="yellow" if line.startswith("note: ") else "dim", markup=False, soft_wrap=True)
