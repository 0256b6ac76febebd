"""Which descriptors a model relies on: its probabilities with their columns shuffled between rows."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.task import Classes


def descriptor(column: str) -> str:
    """Return what a column describes, without its functional and its number: ``mfcc_03__std`` is of ``mfcc``."""
    return re.sub(r"(_\d+)+$", "", column.split("__", maxsplit=1)[0]) or column


def descriptors(columns: Sequence[str]) -> dict[str, list[str]]:
    """Group columns by what they describe, in the order of appearance; ``group`` is no feature."""
    found: dict[str, list[str]] = {}
    for column in columns:
        if column != "group":
            found.setdefault(descriptor(str(column)), []).append(column)
    return found


def permutation_importance(
    model: Any,
    table: pd.DataFrame,
    labels: NDArray[np.str_],
    classes: Sequence[str],
    *,
    repeats: int = 5,
    budget_s: float = 1.5,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how much the log loss grows when all columns of a descriptor are shuffled between rows.

    Columns of one descriptor are shuffled together, since a model makes up for one of them from the others.

    Parameters
    ----------
    model : fitted estimator
        With ``predict_proba`` and ``classes_``.
    table : DataFrame of shape (n_rows, n_columns)
        Rows to score, best rows that the model was not fitted on.
    labels : ndarray of shape (n_rows,)
        Their classes.
    classes : sequence of str
        All classes.
    repeats : int, default=5
        Shuffles of each descriptor, as far as the time goes; at least one descriptor is shuffled once.
    budget_s : float, default=1.5
        Wall seconds after which no further shuffle is begun.
    seed : int
        Of the shuffles.

    Returns
    -------
    DataFrame
        Indexed by descriptor, most important first: ``log_loss`` (increase, mean over repeats), ``std`` over
        repeats, ``n_columns`` and ``n_repeats``. Descriptors that the time did not suffice for are left out.

    References
    ----------
    Breiman (2001), Random forests, Machine Learning 45: permutation importance.
    """
    deadline = time.perf_counter() + budget_s
    rng = np.random.default_rng(seed)
    groups = descriptors(list(table.columns))
    usual = _log_loss(model, table, labels, classes)
    grown: dict[str, list[float]] = {name: [] for name in groups}
    # Repeat by repeat, so that a short time gives every descriptor one shuffle rather than few of them many.
    for _ in range(repeats):
        for name, columns in groups.items():
            if any(grown.values()) and time.perf_counter() > deadline:
                return _collect(grown, groups)
            shuffled = table.copy()
            shuffled[columns] = table[columns].iloc[rng.permutation(len(table))].set_axis(table.index)
            grown[name].append(_log_loss(model, shuffled, labels, classes) - usual)
    return _collect(grown, groups)


def _log_loss(model: Any, table: pd.DataFrame, labels: NDArray[np.str_], classes: Sequence[str]) -> float:
    chances = Classes(tuple(classes)).response(model, table)
    order = {c: i for i, c in enumerate(classes)}
    of_truth = chances[np.arange(len(labels)), [order[label] for label in labels]]
    return float(-np.log(np.clip(of_truth, 1e-15, 1)).mean())


def _collect(grown: dict[str, list[float]], groups: dict[str, list[str]]) -> pd.DataFrame:
    rows = {
        name: {
            "log_loss": float(np.mean(values)),
            "std": float(np.std(values)),
            "n_columns": len(groups[name]),
            "n_repeats": len(values),
        }
        for name, values in grown.items()
        if values
    }
    frame = pd.DataFrame.from_dict(rows, orient="index").rename_axis("descriptor")
    return frame.astype({"n_columns": int, "n_repeats": int}).sort_values("log_loss", ascending=False, kind="stable")
