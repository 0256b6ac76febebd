"""Words of other people: classes, speakers, sessions, ids, names of columns, corpora and experiments.

They are checked where they are read (:func:`check_word`), so that what goes on is a word: printable, of a length that
every store takes. Whatever script they are written in is theirs. Where they leave they are written so that nothing
obeys them: a terminal (:func:`in_one_line`), a spreadsheet (:func:`as_cell`), the name of a file
(:func:`as_file_name`). What stores take is said in :mod:`ser_experiments.tracking.names`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ser_experiments.errors import InputError

#: Characters of a word; bytes of an id or a path, which may have a folder, a file and a segment in it.
MOST, MOST_OF_ID = 200, 4352
#: Bytes of a file's name that are ours to choose, with room for an ending.
_MOST_OF_FILE = 180
#: What no word holds: control characters (escape, bell, line breaks), separators of lines, halves of characters, and
#: marks that turn the direction of what follows.
_NO_WORD = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: Joiners are a part of some scripts, and of pictures that are put together.
_JOINERS = "\u200c\u200d"
#: Beyond the letters of most scripts Python does not know every picture yet; what nobody sees is told.
_UNKNOWN, _UNSEEN = "\ud7ff", "\ufeff\ufff9\ufffa\ufffb"
#: What a spreadsheet takes for the beginning of a formula, wide forms too, with the marks that keep it from that.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_KEPT_FROM_IT = re.compile("'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def check_word(word: str, what: str, *, most: int = MOST, do: str = "call it something shorter") -> str:
    """Return a word, refusing what is none.

    Parameters
    ----------
    word : str
        As it was read.
    what : str
        Begins the message, e.g. ``"list.csv, line 2: speaker"``.
    most : int
        Characters it may have.
    do : str
        What to do about one that is too long.

    Raises
    ------
    InputError
        It is too long, or holds something else than printable characters.
    """
    if len(word) > most:
        raise InputError(f"{what} {cut(word)!r} has {len(word)} characters; at most {most} are taken: {do}")
    found = _NO_WORD.search(word)
    if found is not None:
        raise InputError(f"{what} {cut(word)!r} holds {found[0]!a}, which is not printable; write it without")
    return word


def check_words(words: Iterable[object], what: str, *, most: int = MOST) -> None:
    """Refuse the first of some words that is none, as :func:`check_word`; what is no text is passed over."""
    for word in words:
        if isinstance(word, str) and (len(word) > most or _NO_WORD.search(word)):
            check_word(word, what, most=most)


def cut(text: str, most: int = 60) -> str:
    """Return the beginning of a text that is too long for a message."""
    return text if len(text) <= most else f"{text[:most]}..."


def in_one_line(text: str) -> str:
    """Return a text as a terminal may show it: whatever it would obey, such as escapes and line breaks, written out."""
    return _shown(text)


def in_lines(text: str) -> str:
    """Return a text of several lines, tabs in them, as a terminal may show it; see :func:`in_one_line`."""
    return _shown(text, "\n\t")


def _shown(text: str, kept: str = "") -> str:
    if text.isprintable():
        return text
    return "".join(one if one in kept or _is_shown(one) else repr(one)[1:-1] for one in text)


def _is_shown(one: str) -> bool:
    return one.isprintable() or one in _JOINERS or (one > _UNKNOWN and one not in _UNSEEN)


def as_cell(text: str) -> str:
    """Return a text as it stands in a CSV file, where a spreadsheet would take it for a formula otherwise.

    A quote before it keeps it from that; :func:`from_cell` takes it away. Numbers stay as they are.
    """
    return f"'{text}" if _FORMULA.match(text) and not _is_number(text) else text


def from_cell(text: str) -> str:
    """Return what :func:`as_cell` was given; any other text comes back as it is."""
    return text[1:] if text.startswith("'") and _KEPT_FROM_IT.match(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def as_file_name(text: str, ending: str = "") -> str:
    """Return a text as the name of a file in a folder: it leads nowhere else, and every system takes it."""
    plain = re.sub(r'[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069/\\:*?"<>|]+', "_", text).strip(" ")
    plain = "_" + plain if plain.startswith(".") or not plain else plain
    short = plain.encode("utf-8", "surrogateescape")[:_MOST_OF_FILE].decode("utf-8", "ignore")
    return short + ending


def as_people_write(word: str) -> str:
    """Return the name of a class as people write it: ``angry`` is Angry, ``pleasant_surprise`` Pleasant surprise."""
    plain = " ".join(word.replace("_", " ").split())
    return plain[:1].upper() + plain[1:]
