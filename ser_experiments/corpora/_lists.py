"""Lists of labels that lie beside the recordings of a corpus: which is there, and whether it is one of this corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._copy import Copy
from ser_experiments.errors import InputError


def list_of_labels(corpus: str, copy: Copy, names: Sequence[str], *, called: str = "") -> Path:
    """Return the list without which a corpus has no labels.

    Parameters
    ----------
    corpus : str
        The corpus.
    copy : Copy
        Where it lies.
    names : sequence of str
        What the list may be called, see :meth:`~ser_experiments.corpora._copy.Copy.beside`.
    called : str
        What messages call it; by default its first name.

    Raises
    ------
    InputError
        It is not there.
    """
    path = copy.beside(*names)
    if path is None:
        raise InputError(f"corpus {corpus!r}: no {called or names[0]} under {copy.root}; it holds the labels")
    return path


def check_columns(path: Path, rows: pd.DataFrame, needed: Iterable[str], what: str) -> pd.DataFrame:
    """Return a list that has the columns that are needed.

    Raises
    ------
    InputError
        It lacks one; `what` is what was expected, e.g. ``"the list of MELD"``.
    """
    missing = [name for name in needed if name not in rows]
    if missing:
        raise InputError(f"{path}: no column {missing[0]!r}; expected {what}")
    return rows


def without_recording(what: str, listed: Iterable[str], table: pd.DataFrame) -> list[str]:
    """Say how many of the ids in a list have no recording; nothing where all have one.

    Parameters
    ----------
    what : str
        What they are, in the plural, e.g. ``"labelled turns"``.
    listed : iterable of str
        The ids.
    table : DataFrame
        Of the recordings, by id.
    """
    absent = sorted(set(listed) - set(table.index))
    return [f"{len(absent)} {what} have no recording, e.g. {absent[0]}"] if absent else []
