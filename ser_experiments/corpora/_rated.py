"""What raters said of the recordings of a manifest: in a column of it, or in a file of one row a vote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._listed import Listed
from ser_experiments.corpora._lists import check_columns
from ser_experiments.corpora._spelling import composed
from ser_experiments.corpora._votes import VOTES, read_votes
from ser_experiments.csvfile import is_gap, read_csv
from ser_experiments.errors import InputError
from ser_experiments.files import path_of

_ID, _RATER, _LABEL = "utterance_id", "rater", "label"


def voted(
    manifest: Listed, table: pd.DataFrame, ids: Sequence[str], file: str | None
) -> tuple[list[dict[str, float]], list[str]]:
    """Return how many raters said which word of each recording, and what should be known of that.

    Parameters
    ----------
    manifest : Listed
        The list of recordings, for messages.
    table : DataFrame
        What it holds, by line; perhaps with ``votes``.
    ids : sequence of str
        Of the recordings, in their order.
    file : str, optional
        A CSV file of ``utterance_id``, ``rater`` and ``label`` instead of the column.

    Raises
    ------
    InputError
        There are both, a cell is no list of votes where no label is there instead, or a row of the file is not whole.
    """
    if file is None:
        cells = table[VOTES] if VOTES in table else pd.Series("", index=table.index)
        try:
            return [_of_cell(cell, manifest.at(line)) for line, cell in cells.items()], []
        except InputError as error:
            if _LABEL not in table:
                raise
            # Where there are labels, the column may be something else.
            return [{} for _ in ids], [f"column {VOTES!r} is not used: {error}"]
    if VOTES in table:
        raise InputError(f"{manifest}: votes are in its column {VOTES!r} and in --votes {file}; keep one of them")
    rows = _rows(path_of(file))
    known = rows[_ID].isin(ids)
    if not known.any():
        raise InputError(f"{file}: no vote is of an utterance of {manifest}, e.g. {rows[_ID].iloc[0]!r}")
    once = rows[known].drop_duplicates()
    notes = []
    if len(once) < known.sum():
        notes.append(f"{Path(file).name}: {known.sum() - len(once)} votes stand there twice and count once")
    if not known.all():
        first = rows.loc[~known, _ID].iloc[0]
        notes.append(f"{Path(file).name}: {(~known).sum()} votes are of utterances that are not here, e.g. {first!r}")
    said: dict[str, dict[str, float]] = {one: {} for one in ids}
    for one, label in zip(once[_ID], once[_LABEL], strict=True):
        said[one][label] = said[one].get(label, 0) + 1
    return [said[one] for one in ids], notes


def _of_cell(cell: object, where: str) -> dict[str, float]:
    votes: dict[str, float] = {}
    for word, n in read_votes(cell, where).items():
        votes[composed(word)] = votes.get(composed(word), 0) + n
    return {word: int(n) if n.is_integer() else n for word, n in votes.items()}


def _rows(path: Path) -> pd.DataFrame:
    """Return one row a vote: utterance, rater and word, none of them empty."""
    table = read_csv(path, lower_names=True)
    rows = check_columns(path, table, (_ID, _RATER, _LABEL), "a list of votes")[[_ID, _RATER, _LABEL]]
    for column in rows:
        empty = rows.index[rows[column].map(is_gap).to_numpy(dtype=bool)]
        if len(empty):
            raise InputError(f"{path}: line {empty[0]}: empty {column!r}; every vote needs one")
    return rows.assign(**{_LABEL: rows[_LABEL].map(composed)})
