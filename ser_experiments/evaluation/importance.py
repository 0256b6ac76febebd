"""Which descriptors a model relies on: how much worse it scores with their columns shuffled between rows."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.evaluation.score import Score
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.frames import GROUP, PREDICTED, Predictions
from ser_experiments.task import Task


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
    deadline = time.process_time() + budget_s
    rng = np.random.default_rng(seed)
    groups = descriptors(list(table.columns))
    score = get_score(score)
    usual = _scored(model, table, utterances, task, score)
    numbers = table.select_dtypes("number")
    others = table.drop(columns=numbers.columns)
    grown: dict[str, list[float]] = {name: [] for name in groups}
    # Repeat by repeat, so that a short time gives every descriptor one shuffle rather than few of them many.
    for _ in range(repeats):
        for name, columns in groups.items():
            if any(grown.values()) and time.process_time() > deadline:
                return _collect(grown, groups)
            order = rng.permutation(len(table))
            shuffled = pd.concat([_shuffled(numbers, columns, order), _shuffled(others, columns, order)], axis=1)
            grown[name].append(score.better * (usual - _scored(model, shuffled, utterances, task, score)))
    return _collect(grown, groups)


def _shuffled(table: pd.DataFrame, columns: Sequence[str], order: NDArray[np.intp]) -> pd.DataFrame:
    """Put the rows of some columns in another order; as one array, since a frame takes its columns one by one."""
    places = table.columns.get_indexer(pd.Index(columns))
    places = places[places >= 0]
    if not len(places):
        return table
    values = table.to_numpy(copy=True)
    values[:, places] = values[np.ix_(order, places)]
    return pd.DataFrame(values, index=table.index, columns=table.columns)


def _scored(model: Any, table: pd.DataFrame, utterances: pd.DataFrame, task: Task, score: Score) -> float:
    values = task.response(model, table)
    frame = utterances[list(task.truth_columns)].assign(**{PREDICTED: task.decided(values)})
    frame[task.columns] = values
    return score.on(Predictions(frame, task)).whole()


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
