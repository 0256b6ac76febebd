"""Folds that somebody brings along: a list that says which utterance is tested in which."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.csvfile import headings
from ser_experiments.errors import InputError
from ser_experiments.evaluation.lists import CALLED, read_list, sides
from ser_experiments.files import path_of
from ser_experiments.frames import FOLD, UTTERANCE_ID
from ser_experiments.words import check_words


def read_folds(path: str | Path) -> pd.Series:
    """Read a list with ``utterance_id`` and ``fold``; see :func:`ser_experiments.evaluation.lists.read_list`.

    Returns
    -------
    Series of str
        The fold of each utterance, by id as the list writes it: it may be the path of its file.

    Raises
    ------
    InputError
        The file cannot be read, lacks a column, names an utterance twice, or leaves a fold empty.
    """
    path = path_of(path)
    table = read_list(path)
    if FOLD not in table:
        known = [name for names in CALLED.values() for name in names]
        raise InputError(f"{path}: no column {FOLD!r}; {headings(table.columns, known)}")
    twice = table[UTTERANCE_ID].duplicated()
    if twice.any():
        raise InputError(f"{path}: utterance {table[UTTERANCE_ID][twice].iloc[0]!r} stands there twice; keep one row")
    empty = table[FOLD] == ""
    if empty.any():
        raise InputError(f"{path}: line {table.index[empty][0]}: no fold; every utterance is tested in one")
    check_words(table[FOLD].unique(), f"{path}: fold")
    return sides(table.set_index(UTTERANCE_ID)[FOLD])
