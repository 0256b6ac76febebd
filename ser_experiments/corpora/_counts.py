"""The counts that a complete copy of a released corpus has, in the form that ``ser corpora describe`` compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

COLUMNS = ["by", "value", "what", "how", "column", "expected"]


def whole(
    classes: Mapping[str, int],
    *,
    speakers: Mapping[str, int] | int = 0,
    texts: int = 0,
    n_utterances: int = 0,
    by: tuple[str, str] = ("corpus", "whole"),
    **columns: Mapping[str, int],
) -> Callable[[], pd.DataFrame]:
    """Return the counts over a whole corpus, or over a part of it, and by speaker.

    Parameters
    ----------
    classes : mapping of str to int
        Utterances by the corpus's word.
    speakers : mapping of str to int, or int
        Utterances by speaker, or how many speakers there are.
    texts : int
        How many texts are spoken.
    n_utterances : int
        By default as many as have one of the words.
    by : (str, str)
        The column and its value that name the part.
    **columns
        Utterances by the values of other columns, e.g. ``text_id={"a01": 49}``.
    """
    many = speakers if isinstance(speakers, int) else len(speakers)
    rows = [(*by, "utterances", "rows", "", n_utterances or sum(classes.values()))]
    rows += [(*by, "speakers", "values", "speaker", many)] if many else []
    rows += [(*by, "texts", "values", "text_id", texts)] if texts else []
    for column, counts in {"emotion": classes, **columns}.items():
        rows += [(*by, word, "equal", column, count) for word, count in counts.items()]
    if not isinstance(speakers, int):
        rows += [("speaker", one, "utterances", "rows", "", count) for one, count in speakers.items()]
    return lambda: pd.DataFrame(rows, columns=COLUMNS)


def counts(text: str) -> dict[str, int]:
    """Return what is counted as what, of names and numbers in turn: ``"03 49 08 58"``."""
    cells = text.split()
    return {name: int(n) for name, n in zip(cells[::2], cells[1::2], strict=True)}


def together(*parts: Callable[[], pd.DataFrame]) -> Callable[[], pd.DataFrame]:
    """Return the counts of several parts of one corpus."""
    return lambda: pd.concat([part() for part in parts], ignore_index=True)
