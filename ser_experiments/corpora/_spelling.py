"""What is one word, and what is one name, in whatever spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import pandas as pd

from ser_experiments.csvfile import seen
from ser_experiments.errors import InputError


def composed(text: str) -> str:
    """Return a label as it counts: composed letters, single spaces, lower case, nothing that nobody sees."""
    return " ".join(seen(unicodedata.normalize("NFC", text)).lower().split())


def folded_word(word: str) -> str:
    """Return a label as all its spellings have it: without case, marks on letters and white space."""
    plain = unicodedata.normalize("NFKD", word).casefold()
    return "".join(one for one in plain if not one.isspace() and not unicodedata.combining(one))


def letters(word: str) -> str:
    """Return the letters and digits of a label, folded."""
    return "".join(one for one in folded_word(word) if one.isalnum())


def spelled(word: str, known: Iterable[str]) -> str:
    """Return the known label that is the same but for case, marks and separators; the word itself where none is."""
    names = set(known)
    if word in names:
        return word
    wanted = letters(word)
    same = [one for one in names if letters(one) == wanted]
    return same[0] if len(same) == 1 else word


def folded_name(name: str) -> str:
    """Return what is left of a speaker's or session's name when it is spelled in whatever way.

    Unicode forms and width, case, white space, punctuation but for that between two numbers, zeros before a number
    and a number's ``.0`` or ``,0`` do not count; marks on letters do: José and Jose may be two people.
    """
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    # What no one sees: marks of direction, joiners, the byte order mark.
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf").strip()
    text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    text = re.sub(r"^(\d+)[.,]0+$", r"\1", text)
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
            known = first.setdefault(folded_name(name), name)
            if known != name:
                one, other = (_place(utterances, column, spelling, places) for spelling in (known, name))
                raise InputError(
                    f"{where}: {column} {known!r} ({one}) and {name!r} ({other}) are one name in two spellings; write "
                    f"it one way, or say --as-spelled where they are two {column}s"
                )


def _place(utterances: pd.DataFrame, column: str, name: str, places: Mapping[str, str]) -> str:
    utterance = str(utterances.index[(utterances[column] == name).to_numpy()][0])
    return f"{places[utterance]}, {utterance!r}" if utterance in places else repr(utterance)
