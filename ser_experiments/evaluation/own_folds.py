"""Folds that somebody brings along: a CSV that says which utterance is tested in which."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ser_experiments.csvfile import headings, read_csv
from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, joined
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


def cut_as_told(protocol: Protocol, utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Cut as :func:`read_folds` says.

    Raises
    ------
    InputError
        There is no such file, it lacks an utterance, or a speaker is in two folds where the protocol keeps them apart.
    """
    if options.assigned is None:
        raise InputError(f"protocol {protocol.name!r}: say which utterance is in which fold with --folds-file CSV")
    missing = utterances.index.difference(options.assigned.index)
    if len(missing):
        raise InputError(
            f"--folds-file: {len(missing)} of {len(utterances)} utterances have no fold, e.g. {missing[0]!r}; add "
            "them, or leave them out of the corpus"
        )
    tested_in = options.assigned.loc[utterances.index].astype(str)
    together = utterances["speaker"].astype(str)
    if not protocol.leaky:
        _keep_apart(tested_in, together)
        together = joined(utterances, "session") if options.shares_room else together
    unused = len(options.assigned) - len(utterances)
    words = f"{tested_in.nunique()} folds of a file" + (
        f" ({unused} of its ids are not among these utterances)" if unused else ""
    )
    folds = protocol.folds(utterances.assign(group=together), tested_in, words)
    # Where a room is shared, who speaks with a tested speaker is not trained on; there may be nobody left.
    alone = next((fold.name for fold in folds.folds if not len(fold.train)), None)
    if alone is not None:
        raise InputError(f"--folds-file: fold {alone!r} leaves nobody to train on")
    return folds


def _keep_apart(tested_in: pd.Series, speaker: pd.Series) -> None:
    in_folds = tested_in.groupby(speaker.to_numpy()).unique()
    split = in_folds[in_folds.map(len) > 1]
    if len(split):
        name, folds = split.index[0], ", ".join(sorted(split.iloc[0]))
        raise InputError(
            f"--folds-file: speaker {name!r} is in the folds {folds} ({len(split)} speakers in several): a tested "
            "speaker would be known from training; --allow-leak shows that score, marked as leaky"
        )
