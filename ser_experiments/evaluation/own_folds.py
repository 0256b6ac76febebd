"""Folds that somebody brings along: a CSV that says which utterance is tested in which."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.csvfile import headings, read_csv
from ser_experiments.errors import InputError
from ser_experiments.files import path_of
from ser_experiments.frames import FOLD, UTTERANCE_ID
from ser_experiments.words import MOST_OF_ID, check_words


def read_folds(path: str | Path) -> pd.Series:
    """Read a CSV with ``utterance_id`` and ``fold``.

    Returns
    -------
    Series of str
        The fold of each utterance, by id.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, names an utterance twice, or leaves a fold empty.
    """
    path = path_of(path)
    table = read_csv(path)
    for column in (UTTERANCE_ID, FOLD):
        if column not in table:
            raise InputError(f"{path}: no column {column!r}; {headings(table.columns, (UTTERANCE_ID, FOLD, 'id'))}")
    twice = table[UTTERANCE_ID].duplicated()
    if twice.any():
        raise InputError(f"{path}: utterance {table[UTTERANCE_ID][twice].iloc[0]!r} stands there twice; keep one row")
    empty = table[FOLD] == ""
    if empty.any():
        raise InputError(f"{path}: line {table.index[empty][0]}: no fold; every utterance is tested in one")
    check_words(table[FOLD].unique(), f"{path}: fold")
    check_words(table[UTTERANCE_ID], f"{path}: utterance", most=MOST_OF_ID)
    return table.set_index(UTTERANCE_ID)[FOLD].rename(FOLD)
