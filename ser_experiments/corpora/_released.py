"""Read a corpus as it was released: a rule says which files are its recordings and what their names tell."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

import pandas as pd

from ser_experiments.corpora import manifest
from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._copy import Copy, is_empty, is_pointer, must_be_folder, plain_path, walk
from ser_experiments.corpora._corpus import Reading
from ser_experiments.corpora._names import without_ending
from ser_experiments.errors import InputError
from ser_experiments.frames import PUBLISHED, UTTERANCE_COLUMNS

#: What stands in a name, by the groups of the rule.
Named = Mapping[str, str]
#: Endings in the order in which they are preferred where one recording lies there in several.
WAV, MP3, VIDEO = (".wav", ".flac"), (".wav", ".flac", ".mp3"), (".wav", ".flac", ".mp4", ".mp3")
#: So many files are looked at to tell whether a folder is of a corpus.
_LOOKED_AT = 20_000


def _nothing(named: Named) -> Mapping[str, object]:
    return {}


def _as_it_is(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    return table, []


@dataclass(frozen=True)
class Release:
    r"""How a released corpus lies on a disk.

    Parameters
    ----------
    name : str
        The corpus.
    rule : str
        A regular expression for the end of a recording's path without its suffix, in whatever case, with ``/`` between
        folders; it begins at the beginning of a name. Its named groups are columns: ``speaker``, ``emotion`` (a code of
        `words`), ``text_id``, ``gender`` and whatever else the names tell.
    id : str
        The utterance's id, of the groups: ``"{speaker}_{emotion}"``. Two recordings of one id are copies.
    layout : str
        What is expected under a root, for messages, e.g. ``"wav/03a01Fa.wav"``.
    words : mapping of str to str
        The code of an emotion, as the corpus writes it, to the corpus's word in English.
    row : callable
        ``row(named) -> dict``: columns that follow from the groups.
    case : mapping of str to callable
        How a group is written whatever the copy does, e.g. ``{"speaker": str.upper}``; codes are always as in `words`.
    labels : callable
        ``labels(copy, table) -> (table, notes)`` for what stands in other files. Rows that it gives no emotion to are
        left out and counted.
    endings : sequence of str
        Of recordings, the preferred one first.
    apart : mapping of str to str
        Regular expression, found in a path, to what such files are: they are no recordings of this corpus.
    bad : mapping of str to str
        Utterance id, or the file's name with its ending, to why it is left out.
    odd : mapping of str to str
        Utterance id to what should be known of it; it is kept.
    published : mapping of str to mapping of str to sequence of str
        Folds that others have published, by name: fold to the speakers that it tests. ``emobox`` becomes the column
        ``published_emobox``.
    """

    name: str
    rule: str
    id: str
    layout: str
    words: Mapping[str, str] = field(default_factory=dict)
    row: Callable[[Named], Mapping[str, object]] = _nothing
    case: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    labels: Callable[[Copy, pd.DataFrame], tuple[pd.DataFrame, list[str]]] = _as_it_is
    endings: Sequence[str] = WAV
    apart: Mapping[str, str] = field(default_factory=dict)
    bad: Mapping[str, str] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)
    published: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    def read(self, root: Path) -> Reading:
        """Read a copy: nested, doubled, flat or in folders, as it was found.

        Raises
        ------
        InputError
            No folder, no recording of this corpus, or nothing but what Git LFS left in their places.
        """
        must_be_folder(root, f"corpus {self.name!r}: ")
        copy = Copy(root.resolve())
        found, notes = self._recordings(copy)
        if found.empty:
            said = f"; {notes[0]}" if notes else ""
            raise InputError(f"corpus {self.name!r}: no recording under {root}; expected {self.layout}{said}")
        found, more = self._usable(copy, found)
        table, told = self._labelled(copy, found)
        return Reading(self.name, copy.root, table, (*notes, *more, *told))

    def recognises(self, root: Path) -> bool:
        """Tell whether a folder holds recordings of this corpus, and no list of recordings that says what they are."""
        if not root.is_dir() or manifest.recognises(root):
            return False
        root = root.resolve()
        return any(self._match(root, one) for one in islice(walk(root), _LOOKED_AT))

    def told_by(self, written: str) -> Mapping[str, object] | None:
        """Return what a recording's path tells, wherever it lies: of lists, without the recordings.

        Parameters
        ----------
        written : str
            A path or a name, with or without an ending, whichever system wrote it.

        Returns
        -------
        dict or None
            ``utterance_id`` and the columns that the rule gives; None where it is no recording of this corpus.
        """
        named = self._match(Path(), without_ending(written) + self.endings[0])
        if named is None:
            return None
        cells = {**named, **self.row(named)}
        words = {"emotion": self.words.get(named["emotion"], named["emotion"])} if "emotion" in named else {}
        return {**cells, **words, "utterance_id": self.id.format(**cells)}

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?:^|.*/){self.rule}$", re.IGNORECASE)

    @cached_property
    def _codes(self) -> dict[str, str]:
        """Codes as they are written here, by code in lower case."""
        return {code.casefold(): code for code in self.words}

    def _kind(self, below: str) -> str | None:
        """Return what a file is that is no recording of the corpus though its name looks so."""
        return next((what for rule, what in self.apart.items() if re.search(rule, below, re.IGNORECASE)), None)

    def _match(self, root: Path, below: str) -> dict[str, str] | None:
        """Return what a file's name tells, None where it is no recording of this corpus."""
        if os.path.splitext(below)[1].lower() not in self.endings:
            return None
        match = self._pattern.match(plain_path(root, below))
        if match is None or self._kind(below):
            return None
        named = {name: text for name, text in match.groupdict().items() if text is not None}
        for group, how in self.case.items():
            if group in named:
                named[group] = how(named[group])
        if self.words and "emotion" in named:
            named["emotion"] = self._codes.get(named["emotion"].casefold(), named["emotion"])
        return named

    def _recordings(self, copy: Copy) -> tuple[pd.DataFrame, list[str]]:
        """Return one row a recording, and say what else lies there."""
        rows, others, kinds = [], list[str](), dict[str, list[str]]()
        for below in copy.files:
            named = self._match(copy.root, below)
            if named is not None:
                cells = {**named, **self.row(named)}
                rows.append({**cells, "utterance_id": self.id.format(**cells), "path": copy.root / below})
            elif os.path.splitext(below)[1].lower() not in self.endings:
                continue
            elif kind := self._kind(below):
                kinds.setdefault(kind, []).append(below)
            else:
                others.append(below)
        notes = [f"{len(paths)} files are left out: {kind}" for kind, paths in kinds.items()]
        if others:
            notes.append(f"{len(others)} recordings are not named as those of {self.name} and are left out, e.g. "
                         f"{copy.shown(copy.root / others[0])}")  # fmt: skip
        table = pd.DataFrame(rows)
        if table.empty:
            return table, notes
        order = table["path"].map(lambda one: (self.endings.index(one.suffix.lower()), len(one.parts), str(one)))
        table = table.loc[order.sort_values().index]
        again = table[table["utterance_id"].duplicated()]
        kept = table.drop_duplicates("utterance_id").sort_values("utterance_id").set_index("utterance_id")
        return kept, notes + _said_twice(copy, kept, again)

    def _usable(self, copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Leave out what is known to be bad and what holds no audio, and name it."""
        notes = []
        names = table["path"].map(lambda one: one.name)
        for key, why in self.bad.items():
            bad = (table.index == key) | (names.str.lower() == key.lower()).to_numpy()
            if bad.any():
                notes.append(f"{copy.shown(table.loc[bad, 'path'].iloc[0])} is left out: {why}")
                table, names = table[~bad], names[~bad]
        pointers, empty = (table["path"].map(test).to_numpy(dtype=bool) for test in (is_pointer, is_empty))
        if pointers.any():
            said = (f"{pointers.sum()} of {len(table)} recordings are pointers of Git LFS, not audio (e.g. "
                    f"{copy.shown(table.loc[pointers, 'path'].iloc[0])})")  # fmt: skip
            if pointers.all():
                raise InputError(f"corpus {self.name!r}: {said}; run `git lfs pull` in the clone under {copy.root}")
            notes.append(f"{said} and are left out; `git lfs pull` in the clone brings them")
        if empty.any():
            first = copy.shown(table.loc[empty, "path"].iloc[0])
            notes.append(f"{empty.sum()} recordings are empty files and are left out, e.g. {first}")
        table = table[~(pointers | empty)]
        if table.empty:
            raise InputError(f"corpus {self.name!r}: no recording under {copy.root} holds audio; {notes[-1]}")
        notes += [f"{one}: {what}" for one, what in self.odd.items() if one in table.index]
        return table, notes

    def _labelled(self, copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Give the columns that every table of utterances has."""
        if self.words:
            table["emotion"] = table["emotion"].map(dict(self.words))
        # Names of folders need be no text in this system's encoding, and then no column of text either.
        paths = pd.Series([str(path) for path in table["path"]], index=table.index, dtype=object)
        table = table.assign(path=paths, start_s=float("nan"), end_s=float("nan"))
        table, notes = self.labels(copy, table)
        without = table["emotion"].isna() | table["speaker"].isna()
        if without.any():
            notes.append(f"{without.sum()} recordings have no label and are left out, e.g. {table.index[without][0]}")
            table = table[~without]
        if table.empty:
            raise InputError(
                f"corpus {self.name!r}: no recording under {copy.root} has a label; expected {self.layout}"
            )
        for column in ("session", "gender", "text_id"):
            if column not in table:
                table = table.assign(**{column: None})
        # What others hold to be a code, or else the word itself, so that a scheme may name either.
        table = table.assign(code=table["emotion"].map(lambda word: ALIASES.get(word, word)))
        for name, folds in self.published.items():
            tested = {speaker: fold for fold, speakers in folds.items() for speaker in speakers}
            table = table.assign(**{PUBLISHED + name: table["speaker"].map(tested)})
        first = [*UTTERANCE_COLUMNS, "emotion", "code", "text_id"]
        return table[[*first, *(name for name in table.columns if name not in first)]], notes


def _said_twice(copy: Copy, kept: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    """Say that recordings lie there more than once, and which of them are read."""
    notes = []
    of_one = kept.loc[again["utterance_id"], "path"]
    other = [mine.suffix.lower() != its.suffix.lower() for mine, its in zip(again["path"], of_one, strict=True)]
    for encoded, said in ((False, "lie here more than once"), (True, "lie here in another encoding too")):
        of_kind = again[[one == encoded for one in other]]
        if len(of_kind):
            first = of_kind.iloc[0]
            mine = copy.shown(kept.loc[first["utterance_id"], "path"])
            differ = "" if encoded else _differing(kept, of_kind)
            notes.append(
                f"{len(of_kind)} recordings {said}: {mine} is read, {copy.shown(first['path'])} is not{differ}"
            )
    return notes


def _differing(kept: pd.DataFrame, again: pd.DataFrame) -> str:
    """Say how many of the copies are not as long as what is read, by their bytes."""
    pairs: Iterable[tuple[Path, Path]] = zip(again["path"], kept.loc[again["utterance_id"], "path"], strict=True)
    differ = [one for one, other in pairs if one.stat().st_size != other.stat().st_size]
    return f"; {len(differ)} of them differ in size" if differ else ""
