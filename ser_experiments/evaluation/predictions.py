"""Read a table of predictions from a file, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.lists import read_list
from ser_experiments.frames import UTTERANCE_ID, Predictions, check_index
from ser_experiments.tasks import task_of_columns
from ser_experiments.tasks.classes import PREDICTED
from ser_experiments.words import check_words


def read_predictions(path: str | Path) -> pd.DataFrame:
    """Read predictions.

    Identifiers and classes stay strings (a speaker ``03`` and a class ``none`` included).

    Parameters
    ----------
    path : path
        A list with ``utterance_id`` and ``predicted`` or probabilities ``p_<class>``, or what others call these; see
        :func:`ser_experiments.evaluation.lists.read_list`.

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
    table = read_list(path)
    for column in table.columns.difference([UTTERANCE_ID]):
        check_words(table[column].unique(), f"{path}: {column}")
    if table[UTTERANCE_ID].duplicated().any():
        twice = table[UTTERANCE_ID][table[UTTERANCE_ID].duplicated()].iloc[0]
        raise InputError(f"{path}: utterance {twice!r} is predicted twice; keep one row an utterance")
    table = table.set_index(UTTERANCE_ID)
    check_index(table, str(path))
    given = task_of_columns(table.columns)
    if given is None:
        raise InputError(f"{path}: neither {PREDICTED!r} nor probabilities 'p_<class>'; add one of them")
    return given.read_numbers(str(path), table)


def with_truth(table: pd.DataFrame) -> Predictions:
    """Return predictions that stand beside their truth, as a run keeps them.

    Raises
    ------
    InputError
        There is no truth, or there are no predictions.
    """
    task = task_of_columns(table.columns)
    if task is None:
        raise InputError(f"predictions: nothing is predicted; got {', '.join(map(str, table.columns))}")
    return Predictions(table, task.with_truth(table))
