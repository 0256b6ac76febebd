"""Names of speakers and sessions that are one name, spelled twice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

import pandas as pd

from ser_experiments.errors import InputError


def folded(name: str) -> str:
    """Return what is left of a name when it is spelled in whatever way.

    Unicode forms and width, case, white space, punctuation but for that between two numbers, zeros before a number
    and a number's ``.0`` do not count.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # What no one sees: marks of direction, joiners, the byte order mark.
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()
    text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    text = re.sub(r"^(\d+)\.0+$", r"\1", text)
    signs = re.sub(r"[\W_]+", " ", text).strip()
    if not signs:
        return text
    apart = re.sub(r"(?<=\d) (?=\d)", "-", signs).replace(" ", "")
    return re.sub(r"\d+", lambda number: number[0].lstrip("0") or "0", apart)


def check_spelling(utterances: pd.DataFrame, where: str, places: Mapping[str, str]) -> None:
    """Refuse speakers, and sessions, whose names differ in nothing but their spelling.

    Parameters
    ----------
    utterances : DataFrame
        With ``speaker`` and ``session``.
    where : str
        Begins the message.
    places : mapping of str to str
        Where an utterance is written, e.g. ``"line 12"``; what is not there is called by its id.

    Raises
    ------
    InputError
        Two names are one; both are given with the first place of each.
    """
    for column in ("speaker", "session"):
        first: dict[str, str] = {}
        for name in utterances[column].dropna().unique():
            known = first.setdefault(folded(name), name)
            if known != name:
                one, other = (_place(utterances, column, spelled, places) for spelled in (known, name))
                raise InputError(
                    f"{where}: {column} {known!r} ({one}) and {name!r} ({other}) are one name in two spellings; write "
                    f"it one way, or say --as-spelled where they are two {column}s"
                )


def _place(utterances: pd.DataFrame, column: str, name: str, places: Mapping[str, str]) -> str:
    utterance = str(utterances.index[(utterances[column] == name).to_numpy()][0])
    return f"{places[utterance]}, {utterance!r}" if utterance in places else repr(utterance)
