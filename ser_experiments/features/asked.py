"""Utterances as somebody hands them over in Python: a table, a corpus, or paths of recordings."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from ser_experiments.errors import InputError

if TYPE_CHECKING:
    from ser_experiments.corpora import Corpus

Named = str | os.PathLike[str]
_MEANT = "utterances are a table with a column 'path', a corpus, or paths of recordings"


def utterances_of(said: pd.DataFrame | Corpus | Named | Iterable[Named]) -> pd.DataFrame:
    """Return a table of the utterances that are meant, with a column ``path``.

    Parameters
    ----------
    said : DataFrame, Corpus, path or iterable of path
        A table stays as it is. A path is one recording; paths are their own utterance ids, but those of a Series have
        its index.

    Raises
    ------
    InputError
        It is something else, or something among it is no path.
    """
    if isinstance(said, pd.DataFrame):
        return said
    held = getattr(said, "utterances", None)
    if isinstance(held, pd.DataFrame):
        return held
    if isinstance(said, str | os.PathLike):
        return utterances_of([said])
    if isinstance(said, bytes | Mapping) or not isinstance(said, Iterable):
        raise InputError(f"{_MEANT}; got {type(said).__name__}")
    paths = list(said)
    for one in paths:
        if not isinstance(one, str | os.PathLike):
            raise InputError(f"{_MEANT}; got a list with {type(one).__name__} in it")
    texts = [os.path.expanduser(one) for one in paths]
    index = said.index if isinstance(said, pd.Series) else pd.Index([str(one) for one in paths], name="utterance_id")
    return pd.DataFrame({"path": texts}, index=index, dtype=object)


def names_of(said: str | Iterable[str]) -> list[str]:
    """Return the feature sets that are meant; a text is one.

    Raises
    ------
    InputError
        Something is no name.
    """
    names = [said] if isinstance(said, str) else list(said) if isinstance(said, Iterable) else [said]
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"feature sets are named, e.g. ['lld']; got {type(name).__name__}")
    return names
