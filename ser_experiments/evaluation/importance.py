"""Which descriptors a model relies on: how much worse it scores with their columns shuffled between rows."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.frames import GROUP, Predictions
from ser_experiments.task import Task

#: Cells of the shuffled tables that a model is asked for at once.
_CELLS = 1 << 22


def descriptor(column: str) -> str:
    """Return what a column describes, without its functional and its number: ``mfcc_03__std`` is of ``mfcc``."""
    return re.sub(r"(_\d+)+$", "", column.split("__", maxsplit=1)[0]) or column


def descriptors(columns: Sequence[str]) -> dict[str, list[str]]:
    """Group columns by what they describe, in the order of appearance; ``group`` is no feature."""
    found: dict[str, list[str]] = {}
    for column in columns:
        if column != GROUP:
            found.setdefault(descriptor(str(column)), []).append(column)
    return found


def permutation_importance(
    model: Any,
    table: pd.DataFrame,
    utterances: pd.DataFrame,
    task: Task,
    *,
    score: str | Score = "log_loss",
    repeats: int = 2,
    budget_s: float = 1.5,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how much worse a score gets when all columns of a descriptor are shuffled between rows.

    Columns of one descriptor are shuffled together, since a model makes up for one of them from the others.

    Parameters
    ----------
    model : fitted estimator
        Of the task.
    table : DataFrame of shape (n_rows, n_columns)
        Rows to score, best rows that the model was not fitted on.
    utterances : DataFrame of n_rows rows
        With their truth.
    task : Task
        What is predicted.
    score : str or Score, default="log_loss"
        What gets worse.
    repeats : int, default=2
        Shuffles of each descriptor, as far as the time goes; at least one descriptor is shuffled once.
    budget_s : float, default=1.5
        Processor seconds after which no further shuffle is begun: other work on the machine changes no picture.
        Shuffles that the rest will suffice for, by what one has taken so far, are asked for at once.
    seed : int
        Of the shuffles.

    Returns
    -------
    DataFrame
        Indexed by descriptor, most important first: ``worse`` (by how much the score gets worse, mean over repeats),
        ``std`` over repeats, ``n_columns`` and ``n_repeats``. Descriptors that the time did not suffice for are left
        out.

    References
    ----------
    Breiman (2001), Random forests, Machine Learning 45: permutation importance.
    """
    began = time.process_time()
    rng = np.random.default_rng(seed)
    groups = descriptors(list(table.columns))
    score = get_score(score)
    (usual,) = _scored(model, table, utterances, task, score)
    each_s = time.process_time() - began
    grown: dict[str, list[float]] = {name: [] for name in groups}
    # Repeat by repeat, so that a short time gives every descriptor one shuffle rather than few of them many.
    wanted = list(groups) * repeats
    while wanted:
        left_s = budget_s - (time.process_time() - began)
        if left_s <= 0 and any(grown.values()):
            break
        n_now = max(1, min(len(wanted), _CELLS // table.size, int(left_s / max(each_s, 1e-6))))
        now, wanted = wanted[:n_now], wanted[n_now:]
        before = time.process_time()
        shuffled = _shuffled(table, [groups[name] for name in now], rng)
        for name, value in zip(now, _scored(model, shuffled, utterances, task, score), strict=True):
            grown[name].append(score.better * (usual - value))
        each_s = (time.process_time() - before) / n_now
    return _collect(grown, groups)


def _shuffled(table: pd.DataFrame, shuffles: Sequence[Sequence[str]], rng: np.random.Generator) -> pd.DataFrame:
    """Return one table below the other, each with the rows of other columns in another order.

    As two arrays, of the numbers and of all else, since a frame takes its columns one by one.
    """
    orders = [rng.permutation(len(table)) for _ in shuffles]
    numbers = table.select_dtypes("number")
    parts = []
    for part in (numbers, table.drop(columns=numbers.columns)):
        values = part.to_numpy()
        blocks = np.tile(values, (len(shuffles), 1, 1))
        for block, columns, order in zip(blocks, shuffles, orders, strict=True):
            places = part.columns.get_indexer(pd.Index(columns))
            places = places[places >= 0]
            block[:, places] = values[np.ix_(order, places)]
        parts.append(
            pd.DataFrame(blocks.reshape(len(shuffles) * len(table), part.shape[1]), columns=part.columns, copy=False)
        )
    return pd.concat(parts, axis=1)


def _scored(model: Any, table: pd.DataFrame, utterances: pd.DataFrame, task: Task, score: Score) -> Iterator[float]:
    """Yield the score of each table that stands below the other, all asked at once."""
    values = task.response(model, table)
    truth = {name: utterances[name] for name in task.truth_columns}
    for own in np.split(values, len(table) // len(utterances)):
        told = {**task.decisions(own), **dict(zip(task.columns, own.T, strict=True))}
        yield score.on(Predictions(pd.DataFrame({**truth, **told}), task)).whole()


def _collect(grown: dict[str, list[float]], groups: dict[str, list[str]]) -> pd.DataFrame:
    rows = {
        name: {
            "worse": float(np.mean(values)),
            "std": float(np.std(values)),
            "n_columns": len(groups[name]),
            "n_repeats": len(values),
        }
        for name, values in grown.items()
        if values
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("descriptor")
    return frame.astype({"n_columns": int, "n_repeats": int}).sort_values("worse", ascending=False, kind="stable")
