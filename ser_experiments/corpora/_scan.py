"""List recordings whose paths say what they are: by a pattern that is given, or by one that can be guessed."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._copy import must_be_folder, walk
from ser_experiments.corpora._spelling import composed
from ser_experiments.errors import InputError, nearest

#: What a pattern may name, and the column of a manifest that it becomes; ``{any}`` is passed over.
FIELDS = {
    "label": "label",
    "speaker": "speaker",
    "text": "text_id",
    "session": "session",
    "gender": "gender",
    "any": "",
}
_EXAMPLE = "{label}/{speaker}_{text}.wav"
_FIELD = re.compile(r"\{(\w*)\}")
#: So many of the recordings must have one shape, and so many of a part's values be words for emotions.
_MOST = 0.9


class Scan(NamedTuple):
    """What was found.

    Attributes
    ----------
    pattern : str
        By which it was read.
    table : DataFrame
        One row a recording: ``path``, ``label``, ``speaker`` and what else the pattern names, as a manifest has it.
    others : list of str
        Recordings that the pattern does not fit, or whose names are no text in the system's encoding.
    """

    pattern: str
    table: pd.DataFrame
    others: list[str]


def scan(folder: Path, pattern: str | None = None, *, endings: Collection[str] = (".wav", ".flac", ".mp3")) -> Scan:
    """Read labels and speakers from the paths of recordings.

    Parameters
    ----------
    folder : Path
        Where the recordings lie.
    pattern : str, optional
        The path of a recording in the folder, e.g. ``"{label}/{speaker}_{text}.wav"``; guessed where it is not given.
    endings : collection of str
        Of recordings, in lower case.

    Raises
    ------
    InputError
        No recording, a pattern without label or speaker, one that fits nothing, or none that can be guessed.
    """
    must_be_folder(folder)
    paths = [one for one in walk(folder) if os.path.splitext(one)[1].lower() in endings]
    if not paths:
        raise InputError(f"no recording under {folder}")
    pattern = pattern or _guessed(folder, paths)
    rule = _rule(pattern)
    rows, others = [], []
    for path in paths:
        match = rule.fullmatch(path)
        if match is None or not _is_text(path):
            others.append(path)
        else:
            rows.append({"path": path} | {FIELDS[name]: text for name, text in match.groupdict().items()})
    if not rows:
        raise InputError(f"--pattern {pattern!r} fits none of {len(paths)} recordings, e.g. {paths[0]!r}")
    return Scan(pattern, pd.DataFrame(rows), others)


def _is_text(path: str) -> bool:
    """Whether a name can stand in a list: one in another encoding than the system's cannot."""
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def _rule(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern."""
    names = _FIELD.findall(pattern)
    if unknown := [name for name in names if name not in FIELDS]:
        raise InputError(f"--pattern {pattern!r}: unknown {{{unknown[0]}}}{nearest(unknown[0], FIELDS)}")
    for name in ("label", "speaker"):
        if names.count(name) != 1:
            raise InputError(
                f"--pattern {pattern!r}: {{{name}}} must be in it once, as in {{label}}/{{speaker}}_{{text}}.wav"
            )
    if twice := [name for name in set(names) - {"any"} if names.count(name) > 1]:
        raise InputError(
            f"--pattern {pattern!r}: {{{twice[0]}}} is in it twice; a part that does not matter is {{any}}"
        )
    parts = []
    for place, part in enumerate(_FIELD.split(pattern)):
        if place % 2 == 0:
            parts.append(re.escape(part))
        else:
            # A part may hold what follows it, but for a folder.
            parts.append("[^/]+?" if part == "any" else f"(?P<{part}>[^/]+?)")
    return re.compile("".join(parts), re.IGNORECASE)


def _parts(path: str) -> tuple[str, list[str]]:
    """Return the shape of a path, ``#`` for each of its parts, and the parts."""
    stem, ending = os.path.splitext(path)
    return re.sub(r"[^/_\-]+", "#", stem) + ending, re.findall(r"[^/_\-]+", stem)


def _guessed(folder: Path, paths: Sequence[str]) -> str:
    """Return the pattern of most paths: a part with words for emotions, and the one part that can be who speaks."""
    wanted = f"say which part is what with --pattern, e.g. {_EXAMPLE!r}"
    split = [_parts(path) for path in paths]
    shape, n = Counter(one for one, _ in split).most_common(1)[0]
    if n < _MOST * len(paths):
        raise InputError(
            f"{folder}: recordings are named in several ways, e.g. {paths[0]!r} and {paths[-1]!r}; {wanted}"
        )
    columns = list(zip(*(parts for one, parts in split if one == shape), strict=True))
    labels = [place for place, cells in enumerate(columns) if _are_labels(cells)]
    if len(labels) != 1:
        raise InputError(f"{folder}: {len(labels) or 'no'} parts of {paths[0]!r} are words for emotions; {wanted}")
    words = columns[labels[0]]
    speakers = [place for place, cells in enumerate(columns) if place not in labels and _are_speakers(cells, words)]
    if len(speakers) != 1:
        raise InputError(f"{folder}: {len(speakers) or 'no'} parts of {paths[0]!r} may be the speaker; {wanted}")
    names = {labels[0]: "{label}", speakers[0]: "{speaker}"}
    fields = iter(names.get(place, "{any}") for place in range(len(columns)))
    return re.sub("#", lambda _: next(fields), shape)


def _are_labels(cells: Sequence[str]) -> bool:
    known = sum(composed(cell) in ALIASES for cell in cells)
    return known >= _MOST * len(cells) and len(set(cells)) > 1


def _are_speakers(cells: Sequence[str], words: Sequence[str]) -> bool:
    """Whether each value stands beside several emotions, and is called as people are, not by a bare number."""
    of_each: dict[str, set[str]] = {}
    for cell, word in zip(cells, words, strict=True):
        of_each.setdefault(cell, set()).add(word)
    several = sum(len(found) > 1 for found in of_each.values()) >= _MOST * len(of_each)
    return several and len(of_each) > 1 and not all(cell.isdecimal() for cell in of_each)
