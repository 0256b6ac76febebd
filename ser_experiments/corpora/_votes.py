"""What several listeners said of one utterance."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.csvfile import is_gap
from ser_experiments.errors import InputError

#: The code of an utterance that most listeners did not agree on.
NO_AGREEMENT = "xxx"
#: The column of what they said.
VOTES = "votes"
#: A word, and how many said it.
_VOTE = re.compile(r"(?P<word>[^=;]+?)\s*=\s*(?P<n>\d+(?:\.\d+)?(?:e-?\d+)?)")


def counted(votes: Mapping[str, float]) -> dict[str, object]:
    """Return what listeners said in the columns that IEMOCAP has, too.

    Parameters
    ----------
    votes : mapping of str to int
        How many said which word.

    Returns
    -------
    dict
        ``votes`` (``"anger=3;fear=1"``), ``n_raters`` and ``agreement``, the share of the most frequent word.
    """
    said = sorted(((word, n) for word, n in votes.items() if n), key=lambda one: (-one[1], one[0]))
    total = sum(n for _, n in said)
    return {
        VOTES: ";".join(f"{word}={n}" for word, n in said),
        "n_raters": total,
        "agreement": said[0][1] / total if said else float("nan"),
    }


def most(votes: Mapping[str, float]) -> str | None:
    """Return the word that more listeners said than any other, ``"xxx"`` of a tie; None where nobody was asked."""
    top = max(votes.values(), default=0)
    words = [word for word, n in votes.items() if n == top]
    if not top:
        return None
    return words[0] if len(words) == 1 else NO_AGREEMENT


def read_votes(cell: object, where: str) -> dict[str, float]:
    """Return how many said which word, as a cell such as ``"anger=2;sadness=1"`` has it; nothing of a gap.

    Parameters
    ----------
    cell : str or missing
        Words with their counts, which need be no whole numbers where a copy tells shares alone.
    where : str
        Begins the message.

    Raises
    ------
    InputError
        It is written in another way.
    """
    if is_gap(cell):
        return {}
    votes: dict[str, float] = {}
    for part in str(cell).split(";"):
        vote = _VOTE.fullmatch(part.strip())
        if vote is None and part.strip():
            raise InputError(f"{where}: votes {cell!r}; expected words with counts, e.g. angry=2;sad=1")
        if vote is not None:
            votes[vote["word"]] = votes.get(vote["word"], 0.0) + float(vote["n"])
    return {word: n for word, n in votes.items() if n}


def has_votes(utterances: pd.DataFrame) -> bool:
    """Whether raters' votes are known of an utterance at least."""
    return VOTES in utterances and not utterances[VOTES].map(is_gap).all()


def by_class(
    utterances: pd.DataFrame, labelled: Callable[[pd.DataFrame], pd.DataFrame], only: Sequence[str] = ()
) -> pd.DataFrame:
    """Return how often each class was said of each utterance.

    Parameters
    ----------
    utterances : DataFrame
        With ``votes``.
    labelled : callable
        From what :func:`long` returns to the rows of it that are of a class, with the class in ``label``.
    only : sequence of str
        The classes that count; empty means all.

    Returns
    -------
    DataFrame of float
        One row an utterance and one column a class that was said, in alphabetical order.
    """
    named = labelled(long(utterances))
    if only:
        named = named[named["label"].isin(only)]
    names = sorted(named["label"].unique())
    cells = np.zeros((len(utterances), len(names)))
    np.add.at(cells, (named["utterance"].to_numpy(), pd.Index(names).get_indexer(named["label"])), named["n"])
    return pd.DataFrame(cells, index=utterances.index, columns=names)


def long(utterances: pd.DataFrame) -> pd.DataFrame:
    """Return what was said by utterance and word.

    Parameters
    ----------
    utterances : DataFrame
        With ``votes``.

    Returns
    -------
    DataFrame
        One row an utterance and word: ``utterance`` (the place of the row), ``emotion`` (the word), ``code`` (what it
        stands for in label schemes, or the word) and ``n`` (how many said it).
    """
    # Most cells say what another says, too.
    cells, place = np.unique(utterances[VOTES].astype(object).fillna("").astype(str), return_inverse=True)
    first = pd.Series(utterances.index.to_numpy(), index=place).groupby(level=0).first()
    read = [read_votes(cell, f"utterance {first[one]!r}") for one, cell in enumerate(cells)]
    rows = [(one, word, n) for one, votes in enumerate(read) for word, n in votes.items()]
    said = pd.DataFrame(rows, columns=["cell", "emotion", "n"])
    table = pd.DataFrame({"utterance": np.arange(len(place)), "cell": place}).merge(said, on="cell")
    codes = table["emotion"].map(lambda word: ALIASES.get(word.lower(), word))
    return table.assign(code=codes, n=table["n"].astype(float))[["utterance", "emotion", "code", "n"]]
