"""Words that may mean one class, where every word is a class of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._left_out import map_option
from ser_experiments.corpora._spelling import folded_word, letters
from ser_experiments.errors import InputError

#: Classes that are looked through for slips of the pen.
_MOST = 200


def check_alike(counts: Mapping[str, int], decided: Mapping[str, str], where: str) -> None:
    """Ask about words that are classes of their own only because nobody said that they mean one thing.

    Parameters
    ----------
    counts : mapping of str to int
        Utterances by class.
    decided : mapping of str to str
        ``--map``: a word that counts as itself was decided on.
    where : str
        Begins the message.

    Raises
    ------
    InputError
        Two classes are one elsewhere, such as ``happy`` and ``happiness``, or one word in two spellings; how to join
        them and how to keep both is said.
    """
    for same in _groups(sorted(counts), _meaning):
        if sum(decided.get(word) != word for word in same) < 2:
            continue
        most = max(same, key=lambda word: (word in decided.values(), counts[word]))
        rest = [word for word in same if word != most]
        counted = " and ".join(f"{word!r} ({counts[word]})" for word in same)
        raise InputError(
            f"{where}: {counted} would be classes of their own; say "
            f"{' '.join(map_option(word, most) for word in rest)} to join them, or "
            f"{' '.join(map_option(word, word) for word in rest)} to keep them apart"
        )


def slips(classes: Iterable[str], decided: Collection[str]) -> list[tuple[str, str]]:
    """Return pairs of classes of which one may be a slip of the pen.

    Parameters
    ----------
    classes : iterable of str
        The classes that were found.
    decided : collection of str
        Those that somebody named on purpose.
    """
    names = sorted(set(classes) - set(decided))
    pairs = [pair for same in _groups(names, letters) for pair in combinations(same, 2)]
    # Nobody has hundreds of classes, and to compare each with each takes time by the square.
    plain = [one for one in names if one.isalpha() and len(one) >= 4] if len(names) <= _MOST else []
    for place, one in enumerate(plain):
        near = get_close_matches(one, [other for other in plain[place + 1 :] if other[0] == one[0]], n=3, cutoff=0.85)
        swapped = [other for other in plain[place + 1 :] if other[0] == one[0] and sorted(other) == sorted(one)]
        pairs += [(one, other) for other in dict.fromkeys([*near, *swapped])]
    return pairs


def _meaning(word: str) -> str:
    """Return the code of a word, or the word in its one spelling."""
    plain = folded_word(word)
    # A number that went through a spreadsheet or a table with gaps: 1, 01, 1.0.
    number = re.fullmatch(r"0*(\d+)(?:[.,]0+)?", plain)
    return number[1] if number else ALIASES.get(word, ALIASES.get(plain, plain))


def _groups(words: Iterable[str], key: Callable[[str], str]) -> Iterable[Sequence[str]]:
    """Return the words by what they have in common, in the order of the first of each."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(key(word), []).append(word)
    return [group for common, group in groups.items() if common]
