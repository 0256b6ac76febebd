"""The tables that layers hand each other, each checked once where it is made; the names of their columns stand here.

A wrapper holds a DataFrame and never changes it. What a column is called, which may be empty and what must be unique
is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.csvfile import is_gap
from ser_experiments.errors import InputError
from ser_experiments.task import Task
from ser_experiments.tasks.classes import Classes
from ser_experiments.words import MOST_OF_ID, check_words, cut

#: The name of the index of every table of utterances, features and predictions.
UTTERANCE_ID = "utterance_id"
#: The reserved column of a feature table, and of predictions: what folds keep apart.
GROUP = "group"
#: Begins a group, in a feature table alone, of the rows that choices are tried on: a development side. No word that
#: comes from outside may hold it.
TRIED_ON = "\x1f"
#: Columns that every table of utterances has before its truth.
UTTERANCE_COLUMNS = ("path", "start_s", "end_s", "speaker", "session", "gender")
#: Columns that tell how somebody else cut a corpus: the official split; the side of each corpus where one is trained on
#: and another tested; and, before a name, folds that others have published.
PARTITION, SIDE, PUBLISHED = "partition", "side", "published_"
#: What stands in them where there are sides instead of folds.
TRAIN, DEV, TEST = "train", "dev", "test"
#: The column of what is said, where that is known.
TEXT = "text_id"
#: The column of a table of predictions that says which fold tested a row.
FOLD = "fold"


def check_index(frame: pd.DataFrame, where: str) -> None:
    """Refuse a table whose index is not one of utterance ids.

    Raises
    ------
    InputError
        The index has another name, holds something else than text, an empty id or one id twice.
    """
    if frame.index.name != UTTERANCE_ID:
        raise InputError(f"{where}: the index is named {frame.index.name!r}; it must be {UTTERANCE_ID!r}")
    if not all(isinstance(one, str) for one in frame.index):
        odd = next(one for one in frame.index if not isinstance(one, str))
        raise InputError(f"{where}: utterance id {odd!r} is a {type(odd).__name__}; ids must be text")
    if (frame.index == "").any():
        raise InputError(f"{where}: an utterance has an empty id; every utterance needs one")
    check_words(frame.index, f"{where}: utterance id", most=MOST_OF_ID)
    if frame.index.has_duplicates:
        twice = frame.index[frame.index.duplicated()][0]
        raise InputError(f"{where}: utterance id {cut(twice, 200)!r} occurs twice; ids must be unique")


def check_utterances(frame: pd.DataFrame, where: str, *, also: Sequence[str] = ()) -> pd.DataFrame:
    """Check a table of utterances where it is made.

    Parameters
    ----------
    frame : DataFrame
        What a corpus's reader gives, or the rows that a label scheme left.
    where : str
        Begins each message, e.g. ``"corpus 'iemocap'"``.
    also : sequence of str
        Columns it must have besides :data:`UTTERANCE_COLUMNS`; none of them may be empty.

    Returns
    -------
    DataFrame
        The same.

    Raises
    ------
    InputError
        A column is missing, an id is empty or occurs twice, a path, speaker or needed value is missing, a name is no
        text, a segment has no length.
    """
    check_index(frame, where)
    if frame.columns.has_duplicates:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise InputError(f"{where}: two columns are called {twice!r}; names must be unique")
    for column in (*UTTERANCE_COLUMNS, *also):
        if column not in frame:
            shown = ", ".join(map(str, frame.columns))
            raise InputError(f"{where}: no column {column!r}; got {shown}; its reader must give it")
    for column in ("path", "speaker", *also):
        cells = frame[column]
        # A reader that means "no emotion" by a class may call it so; a speaker is never called that.
        fine = frozenset({"none"} if column in also else ())
        empty = cells.map(lambda cell, fine=fine: cell not in fine and is_gap(cell)).to_numpy(dtype=bool)
        if empty.any():
            got = cells[empty].iloc[0]
            said = f" but {got!r}" if isinstance(got, str) and got.strip() else ""
            raise InputError(f"{where}: utterance {frame.index[empty][0]!r} has no {column}{said}; every one needs it")
        odd = [one for one in cells if not isinstance(one, str)]
        if odd:
            raise InputError(f"{where}: {column} {odd[0]!r} is a {type(odd[0]).__name__}; it must be text")
    _check_words(frame, where, ("speaker", "session", "gender", *also))
    for column in ("start_s", "end_s"):
        if not pd.api.types.is_numeric_dtype(frame[column]):
            raise InputError(f"{where}: {column} holds {frame[column].dtype} values; it must hold seconds or NaN")
    start, end = frame["start_s"].fillna(0.0), frame["end_s"]
    wrong = ((start < 0) | (end <= start)).to_numpy()
    if wrong.any():
        first = frame.index[wrong][0]
        raise InputError(
            f"{where}: utterance {first!r} is the segment {frame['start_s'][first]}-{frame['end_s'][first]} s; it must "
            "begin at 0 or later and end after its beginning"
        )
    return frame


def _check_words(frame: pd.DataFrame, where: str, columns: Sequence[str]) -> None:
    """Refuse names of columns, and cells of those columns, that are no words; session and gender may be empty."""
    for column in ("session", "gender"):
        odd = [one for one in frame[column] if not isinstance(one, str) and not pd.isna(one)]
        if odd:
            raise InputError(f"{where}: {column} {odd[0]!r} is a {type(odd[0]).__name__}; it must be text or empty")
        gap = [one for one in frame[column] if isinstance(one, str) and is_gap(one)]
        if gap:
            raise InputError(f"{where}: {column} {gap[0]!r} says that there is none; its reader must give None for it")
    check_words(frame.columns, f"{where}: column")
    for column in columns:
        check_words(frame[column].unique(), f"{where}: {column}")


def unit_column(unit: str) -> str:
    """Return the column that holds what intervals are taken over.

    Under a protocol by session or file those are the groups (joined where they share a speaker); else the speakers,
    also where the partners of a session were kept apart.
    """
    return "speaker" if unit == "speaker" else GROUP


@dataclass(frozen=True)
class Predictions:
    """A table of predictions of one task, one row an utterance.

    Parameters
    ----------
    frame : DataFrame
        Indexed by ``utterance_id``: the truth, what the task decides, and perhaps the task's columns of numbers (of a
        task that decides nothing besides, they are what it decides), ``fold``, ``speaker``, ``session`` and ``group``.
    task : Task
        What is predicted.

    Raises
    ------
    InputError
        A column is missing, an id is not unique, or there is no row.
    """

    frame: pd.DataFrame
    task: Task

    def __post_init__(self) -> None:
        check_index(self.frame, "predictions")
        for column in (*self.task.truth_columns, *(self.task.decided_columns or self.task.columns)):
            if column not in self.frame:
                raise InputError(f"predictions: no column {column!r}; got {', '.join(map(str, self.frame.columns))}")
        if self.frame.empty:
            raise InputError("predictions: no rows")

    @classmethod
    def make(
        cls, utterances: pd.DataFrame, values: NDArray[np.float64], task: Task, *, fold: pd.Series, group: pd.Series
    ) -> Predictions:
        """Put out-of-fold answers beside the truth.

        Parameters
        ----------
        utterances : DataFrame of n_rows rows
            With ``speaker``, ``session`` and the truth.
        values : ndarray of shape (n_rows, n_targets)
            In the order of `utterances`.
        task : Task
            What was predicted.
        fold, group : Series of str
            Which fold tests each utterance, and which group it belongs to.
        """
        frame = utterances[["speaker", "session", *task.truth_columns]].copy()
        frame.insert(0, FOLD, fold)
        frame[GROUP] = group
        for column, decided in task.decisions(values).items():
            frame[column] = decided
        for place, column in enumerate(task.columns):
            frame[column] = values[:, place]
        return cls(frame, task)

    @classmethod
    def of_classes(cls, frame: pd.DataFrame, classes: Sequence[str] | None = None) -> Predictions:
        """Return predictions of classes, by default those that occur as labels."""
        return cls(frame, Classes.of(frame["label"] if classes is None else classes))

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def has_values(self) -> bool:
        """Whether there is a number for every target, not only what was decided."""
        return all(column in self.frame for column in self.task.columns)

    @property
    def truth(self) -> NDArray[Any]:
        """Return the truth as numbers: places of classes, shape (n_rows,), or values of shape (n_rows, n_targets)."""
        return self.task.codes(self.frame)

    @property
    def decided(self) -> NDArray[Any]:
        """Return what was decided as numbers."""
        return self.task.decided_codes(self.frame)

    @property
    def values(self) -> NDArray[np.float64]:
        """Return the numbers of every target, shape (n_rows, n_targets)."""
        return self.task.values(self.frame)

    def units(self, unit: str) -> NDArray[np.str_]:
        """Return the column `unit` (``"speaker"``, ``"group"``, ``"fold"``) as strings."""
        if unit not in self.frame:
            raise InputError(f"predictions: no column {unit!r}; got {', '.join(map(str, self.frame.columns))}")
        return self.frame[unit].to_numpy(dtype=str)

    def rows(self, chosen: Any) -> Predictions:
        """Return some rows, by position or mask."""
        return Predictions(self.frame.iloc[chosen], self.task)
