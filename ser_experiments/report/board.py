"""The board of a setting: its runs with what they score and cost, as a table and in words."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from ser_experiments.evaluation.compare import Comparison
from ser_experiments.report.plain import finite, span
from ser_experiments.tracking.backend import StoredRun, StoredSetting
from ser_experiments.tracking.leaderboard import ScoredRun

#: Above the columns of :func:`cells`.
HEADINGS = ("", "experiment", "{}", "95 % interval", "to the best", "its 95 % interval", "detectable")
#: Headings by metric of :mod:`ser_experiments.experiment.costs`, and how a number is shown.
_SHOWN = {
    "measuring_ms_per_s": ("measuring, ms a second", "{:.1f}"),
    "fit_s": ("a fold's fit, s", "{:.1f}"),
    "model_mb": ("model, MB", "{:.1f}"),
    "weights_mb": ("weights, MB", "{:.0f}"),
}


def leaderboard(comparison: Comparison, scored: dict[str, ScoredRun]) -> pd.DataFrame:
    """Return the board as a table, best first: one row a run."""
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


def facts_of(comparison: Comparison, setting: StoredSetting, scored: list[ScoredRun]) -> dict[str, Any]:
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


def chance_of(comparison: Comparison, scored: Iterable[ScoredRun]) -> float | None:
    """Return what knowing nothing scores; None where runs are ranked by another score than the task's own."""
    task = next(iter(scored)).predictions.task
    return task.chance if comparison.score.name == task.primary else None


def called(table: pd.DataFrame) -> list[str]:
    """Name runs by their experiment, with the id where one experiment has several or was changed for the run."""
    twice = table["experiment"].duplicated(keep=False) | (table["changes"] != "")
    pairs = zip(table["experiment"], table["run_id"], twice, strict=True)
    return [f"{name} {run_id[:8]}" if several else str(name) for name, run_id, several in pairs]


def cells(table: pd.DataFrame, metric: str) -> list[list[str]]:
    """Return the cells of the board as people read it."""
    cells = []
    for name, row in zip(called(table), table.to_dict(orient="records"), strict=True):
        first = row["rank"] == 1
        cells.append(
            [
                str(row["rank"]),
                name,
                f"{row[metric]:.3f}",
                span(row["low"], row["high"]),
                "" if first else f"{row['difference']:+.3f}",
                "" if first else span(row["difference_low"], row["difference_high"], "{:+.3f}"),
                "" if first or math.isnan(row["detectable"]) else f"{row['detectable']:.3f}",
            ]
        )
    return cells


def variants(table: pd.DataFrame) -> list[str]:
    """Say what was changed in runs that are not an experiment as it is written, and their seeds where they differ."""
    lines = []
    several_seeds = table.groupby("experiment")["seed"].transform("nunique") > 1
    for name, changes, seed, several in zip(called(table), table["changes"], table["seed"], several_seeds, strict=True):
        said = [*([f"seed {seed}"] if several else []), *([changes] if changes else [])]
        if said:
            lines.append(f"{name}: {', '.join(said)}")
    return lines


def below(table: pd.DataFrame, facts: dict[str, Any]) -> list[str]:
    """Return what stands below the board."""
    n, groups = facts["n_candidates"], f"{facts['n_groups']} {facts['interval_unit']}s"
    lines = [f"{n} candidates of {facts['n_finished_runs']} finished runs; intervals over {groups} (jackknife, t)"]
    if n > 1 and facts["best_corrected"] is not None:
        lines.append(
            f"{called(table)[0]} was chosen as the best of {n}: {facts['best_score']:.3f}; corrected for the choice "
            f"{facts['best_corrected']:.3f}"
        )
    if n > 1 and facts["n_groups"] > 1:
        lines.append("detectable: the smallest true difference that would be found in four of five such corpora")
    return lines + [f"note: {warning}" for warning in facts["warnings"]]


def cost_fields(run: StoredRun) -> dict[str, float]:
    """Return the costs of a run by metric; NaN of what was not noted."""
    return {name: run.metrics.get(name, float("nan")) for name in _SHOWN}


def cost_table(names: list[str], board: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells, one row a run of the board; nothing where no run has noted a cost."""
    kept = [name for name in _SHOWN if board[name].notna().any()]
    if not kept:
        return [], []
    cells = [
        [name, *(_SHOWN[one][1].format(row[one]) if row[one] == row[one] else "" for one in kept)]
        for name, row in zip(names, board.to_dict(orient="records"), strict=True)
    ]
    return ["cost of", *(_SHOWN[one][0] for one in kept)], cells
