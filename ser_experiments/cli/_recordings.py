"""The recordings that a command line names: files, folders, lists."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser_experiments.serving.audio_model import Source

#: Files of a folder that are taken for recordings.
AUDIO = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".opus", ".au", ".w64", ".caf"})


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
    """

    path: Path
    speaker: str
    start_s: float | None = None
    end_s: float | None = None

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
        if source.is_dir():
            yield from _in_folder(source)
        elif source.suffix.lower() == ".csv":
            yield from _listed(source)
        else:
            yield Recording(source, Path(os.path.abspath(source)).parent.name)


def _in_folder(folder: Path) -> Iterator[Recording]:
    from ser_experiments.errors import InputError

    empty = True
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in AUDIO and not path.name.startswith(".") and path.is_file():
            empty = False
            yield Recording(path, Path(os.path.abspath(path)).parent.name)
    if empty:
        raise InputError(f"{folder}: no audio files in this folder; looked for {', '.join(sorted(AUDIO))}")


def _listed(source: Path) -> Iterator[Recording]:
    from ser_experiments.csvfile import read_csv
    from ser_experiments.errors import InputError

    rows = read_csv(source, may_be_empty=True)  # a program's list may hold nothing
    if "path" not in rows:
        raise InputError(f"{source}: no column 'path'; found {', '.join(rows.columns)}")
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        if not row["path"]:
            raise InputError(f"{source}, line {line}: 'path' is empty; name a recording")
        path = source.parent / row["path"]
        start, end = (_seconds(source, line, key, row.get(key)) for key in ("start", "end"))
        yield Recording(path, row.get("speaker") or Path(os.path.abspath(path)).parent.name, start, end)


def _seconds(source: Path, line: int, key: str, text: str | None) -> float | None:
    from ser_experiments.errors import InputError

    if not text or not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{source}, line {line}: {key!r} is {text!r}; expected seconds, e.g. 1.5") from None
