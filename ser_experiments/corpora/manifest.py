"""Your own recordings, listed in a CSV file.

Needed columns: ``path``, ``speaker`` and what is to be predicted: ``label`` (or ``emotion``), raters' ``votes`` (such
as ``angry=2;sad=1``, or a file of their own), or the means of their numbers in ``valence``, ``arousal`` (or
``activation``) and ``dominance``. Where nobody says a label, it is what most raters voted for. Optional:
``utterance_id``, ``session``, ``gender``, ``start``, ``end`` (seconds), ``text_id``, ``scenario``. Paths are relative
to the file. Cells such as ``NA``, ``nan``, ``-`` or ``?`` are empty. Other columns are carried along and mean nothing;
of those that could be taken for one that does, the reading says that they are not used.
"""

from __future__ import annotations

import os
from collections.abc import Hashable
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._corpus import CorpusSpec, Reading
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._listed import Listed, listed_by, listed_in
from ser_experiments.corpora._options import Option
from ser_experiments.corpora._rated import voted
from ser_experiments.corpora._rules.ratings import COLUMNS as RATINGS
from ser_experiments.corpora._schemes import SCHEMES
from ser_experiments.corpora._spelling import composed
from ser_experiments.corpora._votes import NO_AGREEMENT, VOTES, counted, most
from ser_experiments.csvfile import (
    cuts_folds,
    cuts_segments,
    headings,
    is_gap,
    listed_path,
    seconds,
    without_gaps,
)
from ser_experiments.errors import InputError
from ser_experiments.frames import FOLD, GROUP, UTTERANCE_COLUMNS
from ser_experiments.tasks.classes import PREDICTED
from ser_experiments.tasks.votes import SHARE
from ser_experiments.words import cut

_NEEDED = ("path", "label", "speaker")
_KNOWN = ("utterance_id", *_NEEDED, "emotion", VOTES, "session", "gender", "start", "end", "text_id", "scenario")
#: Columns of numbers that may be the truth instead of a label.
_RATED = tuple(column for columns in RATINGS.values() for column in columns)
_NAMES = ("metadata.csv", "manifest.csv")
#: Names that mean something in the tables that layers hand each other; a column of the file has them with a prefix.
_OURS = frozenset({*UTTERANCE_COLUMNS, "emotion", "code", "label", "dialog", VOTES, GROUP, FOLD, PREDICTED})
_FOREIGN = "manifest."
_OPTIONAL = ("session", "gender", "text_id", "scenario", "utterance_id")
#: Other words for the optional columns.
_LIKE = {"sex": "gender", "dialog": "session", "dialogue": "session", "conversation": "session", "recording_session":
         "session", "sentence_id": "text_id", "utt_id": "utterance_id", "id": "utterance_id"}  # fmt: skip


def read(root: Path, *, name: str | None = None, allow_outside: bool = False, votes: str | None = None) -> Reading:
    """Read a manifest.

    Parameters
    ----------
    root : Path
        The CSV file, or a folder that holds ``metadata.csv`` or ``manifest.csv``.
    name : str, optional
        The corpus's name in the setting; by default the file's folder.
    allow_outside : bool
        Whether paths may lead out of the file's folder.
    votes : path, optional
        A CSV file of ``utterance_id``, ``rater`` and ``label``, one row a vote, instead of a column ``votes``.

    Raises
    ------
    InputError
        A needed column, a file, a label or a speaker is missing, an id occurs twice, a segment makes no sense, or a
        path leads out of the folder.
    """
    path = _find(root)
    return _reading(listed_in(path), path, name, votes, allow_outside=allow_outside)


def read_table(
    table: pd.DataFrame,
    root: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    votes: str | None = None,
    allow_outside: bool = True,
) -> Reading:
    """Read a table as if it stood in a file; see :func:`read`.

    Parameters
    ----------
    table : DataFrame
        The columns of a manifest.
    root : path, optional
        The folder that paths are relative to; by default the current one.
    name, votes, allow_outside
        As of :func:`read`; the name is by default that of the folder.
    """
    listed = listed_by(table, root)
    return _reading(listed, listed.folder, name, votes, allow_outside=allow_outside)


def _reading(listed: Listed, root: Path, name: str | None, votes: str | None, *, allow_outside: bool) -> Reading:
    table = _labelled(listed, voted=votes is not None)
    files = _resolve(listed, table["path"], allow_outside)
    start, end = _segments(listed, table)
    ids = _ids(listed, table, start, end)
    said, notes = voted(listed, table, ids, votes)
    if "label" in table:
        emotion = table["label"].map(composed)
    else:
        emotion = pd.Series([most(one) or NO_AGREEMENT for one in said], index=table.index, dtype=object)
    optional = {name: without_gaps(table[name]) if name in table else None for name in _OPTIONAL}
    utterances = pd.DataFrame(
        {
            "path": files,
            "start_s": start,
            "end_s": end,
            "speaker": table["speaker"],
            "session": optional["session"],
            "gender": None if optional["gender"] is None else optional["gender"].str.lower(),
            "emotion": emotion,
            "code": emotion.map(ALIASES),
            "scenario": optional["scenario"],
            "text_id": optional["text_id"],
        },
        index=table.index,
    )
    if any(said):
        utterances = utterances.join(pd.DataFrame([counted(one) for one in said], index=table.index))
    _check_sessions(listed, utterances)
    unread = {"emotion", *([] if any(said) else [VOTES])}
    extra = [column for column in table.columns if column not in _KNOWN or column in unread]
    # A column of the file's own must not pass for one that is made here.
    own = {column: _FOREIGN + column for column in extra if column in {*_OURS, *utterances} or column.startswith(SHARE)}
    utterances = utterances.join(table[extra].rename(columns=own))
    utterances.index = pd.Index(ids, name="utterance_id")
    places = {one: listed.place(row) for one, row in zip(ids, table.index, strict=True)}
    return Reading(name or listed.folder.name, root, utterances, (*notes, *_unused(listed, table, extra)), places)


def recognises(root: Path) -> bool:
    """Tell whether a root is a list of recordings, or a folder that holds one by its usual name."""
    return os.path.isfile(root) or any(os.path.isfile(root / name) for name in _NAMES)


def _labelled(listed: Listed, *, voted: bool) -> pd.DataFrame:
    """Return the rows; an InputError says which needed column or cell they lack."""
    table = listed.table
    if "label" not in table:
        table = table.rename(columns={"emotion": "label"})
    without_label = voted or any(column in table for column in (VOTES, *_RATED))
    needed = [column for column in _NEEDED if column in table or not (column == "label" and without_label)]
    for column in needed:
        if column not in table:
            also, else_ = (" (or 'emotion')", ", or raters' 'votes'") if column == "label" else ("", "")
            raise InputError(f"{listed}: no column {column!r}{also}; {headings(table.columns, _KNOWN)}; add it{else_}")
    for column in needed:
        empty = table.index[table[column].map(is_gap)]
        if len(empty):
            got = table.loc[empty[0], column]
            said = f"empty {column!r}" + (f" ({got!r} says that there is none)" if got else "")
            more = "" if len(empty) == 1 else f" ({len(empty)} rows have none)"
            raise InputError(f"{listed.at(empty[0])}: {said}; every row needs one{more}")
    return table


def _unused(listed: Listed, table: pd.DataFrame, extra: list[str]) -> list[str]:
    """Say of columns that could be taken for ours that they are not used."""
    missing = [name for name in _OPTIONAL if name not in table]
    used = {column: _instead_of(column, missing) for column in extra}
    return [f"{Path(listed.said).name}: column {column!r} is not used: {use}" for column, use in used.items() if use]


def _instead_of(column: str, missing: list[str]) -> str:
    """Say what is used instead of a column, or how it is used; nothing of one that nobody takes for ours."""
    if cuts_folds(column):
        return "folds are cut by --protocol"
    if cuts_segments(column):
        return "segments are read from the columns 'start' and 'end', in seconds"
    close = [_LIKE[column]] if column in _LIKE else get_close_matches(column, missing, n=1, cutoff=0.75)
    if close and close[0] in missing:
        return f"if it is the {close[0]}, name it {close[0]!r}"
    return "labels are read from 'label'" if column == "emotion" else ""


def _find(root: Path) -> Path:
    if os.path.isdir(root):
        for candidate in _NAMES:
            if os.path.exists(root / candidate):
                return root / candidate
        raise InputError(f"corpus 'manifest': no {' or '.join(_NAMES)} in {root}; point --root at the CSV file")
    if not os.path.exists(root):
        raise InputError(f"corpus 'manifest': no file {root}; --root must be a CSV with path, label and speaker")
    return root


def _resolve(listed: Listed, paths: pd.Series, allow_outside: bool) -> list[str]:
    folder = listed.folder
    files, missing = [], []
    for line, written in paths.items():
        if "\0" in written:
            raise InputError(f"{listed.at(line)}: a path with a NUL character")
        file = listed_path(folder, written)
        if not allow_outside and not file.is_relative_to(folder):
            raise InputError(f"{listed.at(line)}: {written!r} leads out of {folder}; say --allow-outside to allow it")
        if not os.path.isfile(file):
            missing.append((line, written))
        files.append(str(file))
    if missing:
        named = ", ".join(f"{cut(written, 200)!r} ({listed.place(line)})" for line, written in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InputError(
            f"{listed}: {len(missing)} missing files: {named}{more}; paths are relative to {listed.of_paths}"
        )
    return files


def _segments(listed: Listed, table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return start and end of each row in seconds, NaN where none is given; an InputError says what makes no sense."""
    start, end = (_seconds(listed, table, column) for column in ("start", "end"))
    wrong = table.index[(start < 0) | (end <= start.fillna(0))]
    if len(wrong):
        raise InputError(f"{listed.at(wrong[0])}: segment {start[wrong[0]]}-{end[wrong[0]]} s; end must be after start")
    return start, end


def _seconds(listed: Listed, table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table:
        return pd.Series(float("nan"), index=table.index)
    found = [seconds(cell, f"{listed.at(line)}: {column}") for line, cell in table[column].items()]
    return pd.Series(found, index=table.index, dtype=float)


def _ids(listed: Listed, table: pd.DataFrame, start: pd.Series, end: pd.Series) -> list[str]:
    if "utterance_id" in table:
        ids = table["utterance_id"].tolist()
        empty = table.index[table["utterance_id"].map(is_gap)]
        if len(empty):
            raise InputError(f"{listed.at(empty[0])}: empty 'utterance_id'; fill it or drop the column")
    else:
        pieces = zip(table["path"], start, end, strict=True)
        ids = [p if pd.isna(s) and pd.isna(e) else f"{p}[{s:g}-{e:g}]" for p, s, e in pieces]
    seen: dict[str, Hashable] = {}
    for line, name in zip(table.index, ids, strict=True):
        if name in seen:
            raise InputError(
                f"{listed.at(line)}: {name!r} again, first in {listed.place(seen[name])}; utterances must be unique"
                + _segments_meant(table)
            )
        seen[name] = line
    return ids


def _segments_meant(table: pd.DataFrame) -> str:
    """Say which column may hold segments under another name."""
    times = sorted(name for name in table.columns if name not in _KNOWN and cuts_segments(name))
    return f"; {times[0]!r} is not used: segments are 'start' and 'end', in seconds" if times else ""


def _check_sessions(listed: Listed, utterances: pd.DataFrame) -> None:
    sessions = utterances["session"]
    if sessions.notna().any() and sessions.isna().any():
        line = sessions.index[sessions.isna()][0]
        raise InputError(f"{listed.at(line)}: empty 'session' while others have one; fill all or drop the column")


SPEC = CorpusSpec(
    name="manifest",
    title="Your own recordings, listed in a CSV with path, label (or raters' votes or numbers) and speaker",
    licence="yours",
    citation="yours",
    read=read,
    read_table=read_table,
    recognises=recognises,
    schemes={"as-is": LabelScheme("as-is", {}, "the words of the file, in lower case"), **SCHEMES},
    subsets=("all", "improvised", "scripted"),
    options=(
        Option("name", str, "Name of a manifest in results; by default its folder."),
        Option("allow-outside", bool, "Let a manifest's paths lead out of its folder."),
        Option("votes", str, "CSV of utterance_id, rater, label: what each rater of a manifest said."),
    ),
)
