"""A list of recordings, wherever its rows are written: in a CSV file, or in a table that somebody made in Python."""

from __future__ import annotations

import os
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ser_experiments.csvfile import is_gap, read_csv
from ser_experiments.errors import InputError
from ser_experiments.files import path_of
from ser_experiments.words import cut

#: The columns of our own tables of utterances, by what a list calls them.
_OURS = {"start_s": "start", "end_s": "end"}
_ID = "utterance_id"


@dataclass(frozen=True)
class Listed:
    """Rows of text.

    Parameters
    ----------
    table : DataFrame of str
        By the line or the row where each is written; names of columns are in lower case.
    folder : Path
        What paths are relative to.
    said : str
        What messages call the list.
    row : str
        What they call a row of it.
    of_paths : str
        What they say that paths are relative to.
    """

    table: pd.DataFrame
    folder: Path
    said: str
    row: str = "line"
    of_paths: str = "the CSV"

    def __str__(self) -> str:
        return self.said

    def place(self, row: Hashable) -> str:
        """Return where a row is written, e.g. ``"line 12"``."""
        return f"{self.row} {cut(repr(row)) if isinstance(row, str) else row}"

    def at(self, row: Hashable) -> str:
        """Return what begins a message about a row, e.g. ``"list.csv: line 12"``."""
        return f"{self.said}: {self.place(row)}"


def listed_in(path: Path) -> Listed:
    """Read a CSV file; an InputError says where it is none."""
    return Listed(read_csv(path, lower_names=True), path.resolve().parent, str(path))


def listed_by(table: pd.DataFrame, root: str | os.PathLike[str] | None) -> Listed:
    """Take a table that was made in Python.

    Parameters
    ----------
    table : DataFrame
        As a CSV file has it. Numbers become text, whatever is missing an empty cell; an index that is called
        ``utterance_id`` is a column, and ``start_s`` and ``end_s`` are ``start`` and ``end``.
    root : path, optional
        The folder that its paths are relative to; by default the current one.

    Raises
    ------
    InputError
        No rows, a column twice, or no such folder.
    """
    folder = Path.cwd() if root is None else path_of(root).absolute()
    if not folder.is_dir():
        raise InputError(f"no folder {root}; of a table, root is the folder that its paths are relative to")
    if table.empty:
        raise InputError("the table has no rows; expected one a recording, with path, label and speaker")
    if table.index.name == _ID and _ID not in table:
        table = table.assign(**{_ID: table.index})
    names = [str(name).strip().lower() for name in table.columns]
    names = [name if _OURS.get(name, name) in names else _OURS.get(name, name) for name in names]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise InputError(f"the table has the column {cut(twice[0])!r} twice; keep one")
    index = table.index if table.index.is_unique else pd.RangeIndex(len(table))
    cells = {name: [_text(cell) for cell in table.iloc[:, place]] for place, name in enumerate(names)}
    return Listed(pd.DataFrame(cells, index=index), folder, "the table", "row", str(folder))


def _text(cell: object) -> str:
    """Return a cell as a file would have it: a whole number that missing ones beside it made a float is whole again."""
    if isinstance(cell, str):
        return cell.strip()
    if is_gap(cell):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
