"""Read a table of predictions from a CSV file, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.metrics import PROBABILITY

_PREFIX = PROBABILITY.format("")


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read predictions.

    Identifiers and classes stay strings (a speaker ``03`` and a class ``none`` included).

    Parameters
    ----------
    path : path
        A CSV file with ``utterance_id`` and ``predicted`` or probabilities ``p_<class>``.

    Returns
    -------
    DataFrame
        Indexed by utterance id, in the order of the file; ``predicted`` is the most probable class where the file
        does not say it.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, names an utterance twice, or holds a probability that is none.
    """
    path = Path(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; give a CSV of predictions") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as CSV: {str(error).splitlines()[0]}") from error
    if "utterance_id" not in table:
        shown = ", ".join(map(str, table.columns[:8]))
        raise InputError(f"{path}: no column 'utterance_id'; got {shown}; add the ids of the utterances")
    if table["utterance_id"].duplicated().any():
        twice = table["utterance_id"][table["utterance_id"].duplicated()].iloc[0]
        raise InputError(f"{path}: utterance {twice!r} is predicted twice; keep one row an utterance")
    table = table.set_index("utterance_id")
    chances = [str(column) for column in table.columns if str(column).startswith(_PREFIX)]
    for column in chances:
        table[column] = _numbers(path, table[column])
    if chances:
        _check_sums(path, table[chances])
    if "predicted" not in table:
        if not chances:
            raise InputError(f"{path}: neither 'predicted' nor probabilities 'p_<class>'; add one of them")
        names = np.array([column.removeprefix(_PREFIX) for column in chances])
        table["predicted"] = names[table[chances].to_numpy(dtype=float).argmax(axis=1)]
    return table


def _numbers(path: Path, texts: pd.Series) -> pd.Series:
    values = pd.to_numeric(texts, errors="coerce").astype(float)
    wrong = texts[~((values >= 0) & (values <= 1)).to_numpy()]
    if len(wrong):
        raise InputError(f"{path}: {texts.name} of {wrong.index[0]!r} is {wrong.iloc[0]!r}; must be within 0 and 1")
    return values


def _check_sums(path: Path, chances: pd.DataFrame) -> None:
    sums = chances.sum(axis=1)
    # Files with three decimals and a dozen classes are off by less than this.
    wrong = sums[(sums - 1).abs() > 0.01]
    if len(wrong):
        raise InputError(f"{path}: the probabilities of {wrong.index[0]!r} sum to {wrong.iloc[0]:.4g}; must be 1")
