"""The recordings that a command line names: files, folders, lists."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ser_experiments.words import check_word

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import Source

_log = logging.getLogger(__name__)

#: Endings of lists; everything else is a recording.
LISTS = frozenset({".csv", ".tsv", ".txt"})
#: What lists have besides paths, perhaps by other names.
_KNOWN = ("file", "speaker", "start", "end", "label", "name", "utterance")


@dataclass(frozen=True)
class Recording:
    """A recording, or a piece of one.

    Parameters
    ----------
    path : Path
        The file.
    speaker : str
        The list's `speaker`, otherwise the name of the folder that the file lies in.
    start_s, end_s : float or None
        The list's `start` and `end`.
    language : str
        The list's `language`.
    """

    path: Path
    speaker: str
    start_s: float | None = None
    end_s: float | None = None
    language: str = ""

    def source(self) -> Source:
        """Return what a model takes: the path, or the samples of a piece of it."""
        if self.start_s is None and self.end_s is None:
            return self.path
        from ser_experiments.audio import read_audio

        return read_audio(self.path, start_s=self.start_s, end_s=self.end_s)

    def __str__(self) -> str:
        if self.start_s is None and self.end_s is None:
            return str(self.path)
        end = "" if self.end_s is None else f"{self.end_s:g}"
        return f"{self.path} [{self.start_s or 0:g}-{end} s]"


def recordings(sources: Iterable[Path]) -> Iterator[Recording]:
    """Yield the recordings of files, folders and lists, one after the other.

    Raises
    ------
    InputError
        A folder without audio, or a list that cannot be read or has no column `path`.
    """
    for source in sources:
        if os.path.isdir(source):
            yield from _in_folder(source)
        elif source.suffix.lower() in LISTS and os.path.exists(source):
            yield from _listed(source)
        else:
            yield Recording(source, _folder(source))


def _in_folder(folder: Path) -> Iterator[Recording]:
    """Yield what is meant as a recording, be it one that can be read or not: nothing is passed over without a word."""
    from ser_experiments.audio.container import READABLE, is_recording
    from ser_experiments.errors import InputError

    empty = True
    for path in _files(folder):
        if is_recording(path) or os.path.isdir(path):
            empty = False
            yield Recording(path, _folder(path))
    if empty:
        raise InputError(f"{folder}: no audio files in this folder; looked for {', '.join(sorted(READABLE))}")


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that are not hidden, in the order of their paths.

    So are links to nowhere and folders that cannot be looked into: reading them says what is wrong.
    """
    found: list[Path] = []
    known: set[str] = set()
    closed: list[OSError] = []
    # What lies behind a link to a folder belongs to it; one that leads back up brings nothing new.
    for below, folders, names in os.walk(folder, onerror=closed.append, followlinks=True):
        real = os.path.realpath(below)
        if real in known:
            folders.clear()
            continue
        known.add(real)
        found += [Path(below, name) for name in names if not name.startswith(".")]
    there = [path for path in found if path.is_file() or path.is_symlink()]
    yield from sorted([*there, *(Path(one.filename) for one in closed)])


def _listed(source: Path) -> Iterator[Recording]:
    from ser_experiments.csvfile import cuts_segments, headings, is_gap, listed_path, read_csv, seconds
    from ser_experiments.errors import InputError

    rows = read_csv(source, lower_names=True, may_be_empty=True)  # a program's list may hold nothing
    if "path" not in rows:
        raise InputError(f"{source}: no column 'path'; {headings(rows.columns, _KNOWN)}")
    for name in rows.columns:
        if name not in ("start", "end") and cuts_segments(name):
            _log.warning("%s: column %r is not used: pieces are 'start' and 'end', in seconds", source, name)
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        if is_gap(row["path"]):
            raise InputError(f"{source}, line {line}: 'path' is empty; name a recording")
        path = listed_path(source.parent, row["path"])
        start, end = (_given(seconds(row.get(key), f"{source}, line {line}: {key!r}")) for key in ("start", "end"))
        speaker = _folder(path) if is_gap(row.get("speaker")) else row["speaker"]
        language = (
            "" if is_gap(row.get("language")) else check_word(row["language"], f"{source}, line {line}: language")
        )
        yield Recording(path, check_word(speaker, f"{source}, line {line}: speaker"), start, end, language)


def _folder(path: Path) -> str:
    """Return the name of the folder that a file lies in: who speaks, where nothing else says it."""
    return Path(os.path.abspath(path)).parent.name


def _given(time_s: float) -> float | None:
    return None if math.isnan(time_s) else time_s
