"""Read a table of predictions from a CSV file, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.csvfile import headings, read_csv
from ser_experiments.errors import InputError
from ser_experiments.frames import PREDICTED, UTTERANCE_ID, Predictions, check_index
from ser_experiments.task import Classes
from ser_experiments.words import MOST_OF_ID, check_words

#: What a table of predictions has, so that one without ids is told from another file.
_KNOWN = (PREDICTED, Classes.prefix, "label", "speaker", "id", "file", "path")


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
    table = read_csv(path)
    if UTTERANCE_ID not in table:
        shown = headings(table.columns, _KNOWN)
        raise InputError(f"{path}: no column {UTTERANCE_ID!r}; {shown}; add the ids of the utterances")
    check_words(table[UTTERANCE_ID], f"{path}: utterance", most=MOST_OF_ID)
    for column in table.columns.difference([UTTERANCE_ID]):
        check_words(table[column].unique(), f"{path}: {column}")
    if table[UTTERANCE_ID].duplicated().any():
        twice = table[UTTERANCE_ID][table[UTTERANCE_ID].duplicated()].iloc[0]
        raise InputError(f"{path}: utterance {twice!r} is predicted twice; keep one row an utterance")
    table = table.set_index(UTTERANCE_ID)
    check_index(table, str(path))
    given = Classes(Classes.named(table.columns))
    for column in given.columns:
        table[column] = _numbers(path, table[column])
    if given.targets:
        _check_sums(path, table[given.columns])
    if PREDICTED not in table:
        if not given.targets:
            raise InputError(f"{path}: neither {PREDICTED!r} nor probabilities 'p_<class>'; add one of them")
        table[PREDICTED] = given.decided(given.values(table))
    return table


def with_truth(table: pd.DataFrame) -> Predictions:
    """Return predictions that stand beside their truth, as a run keeps them.

    The classes are those that occur as labels and those that have a probability.

    Raises
    ------
    InputError
        There is no truth.
    """
    labels = table.get("label", ())
    return Predictions.of_classes(table, [*Classes.named(table.columns), *labels])


def _numbers(path: Path, texts: pd.Series) -> pd.Series:
    values = pd.to_numeric(texts, errors="coerce").astype(float)
    wrong = texts[~((values >= 0) & (values <= 1)).to_numpy()]
    if len(wrong):
        raise InputError(f"{path}: {texts.name} of {wrong.index[0]!r} is {wrong.iloc[0]!r}; must be within 0 and 1")
    return values


def _check_sums(path: Path, probabilities: pd.DataFrame) -> None:
    sums = probabilities.sum(axis=1)
    # Files with three decimals and a dozen classes are off by less than this.
    wrong = sums[(sums - 1).abs() > 0.01]
    if len(wrong):
        raise InputError(f"{path}: the probabilities of {wrong.index[0]!r} sum to {wrong.iloc[0]:.4g}; must be 1")
