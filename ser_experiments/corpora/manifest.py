"""Your own recordings, listed in a CSV file.

Needed columns: ``path``, ``label`` (or ``emotion``) and ``speaker``. Optional: ``utterance_id``, ``session``,
``gender``, ``start``, ``end`` (seconds), ``text_id``, ``scenario``. Paths are relative to the file.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._corpus import CorpusSpec, Reading
from ser_experiments.corpora._labels import ALIASES, SCHEMES, LabelScheme
from ser_experiments.corpora._options import Option
from ser_experiments.csvfile import read_csv
from ser_experiments.errors import InputError

_NEEDED = ("path", "label", "speaker")
_KNOWN = ("utterance_id", *_NEEDED, "emotion", "session", "gender", "start", "end", "text_id", "scenario")
_NAMES = ("metadata.csv", "manifest.csv")


def read(root: Path, *, name: str | None = None, allow_outside: bool = False) -> Reading:
    """Read a manifest.

    Parameters
    ----------
    root : Path
        The CSV file, or a folder that holds ``metadata.csv`` or ``manifest.csv``.
    name : str, optional
        The corpus's name in the setting; by default the file's folder.
    allow_outside : bool
        Whether paths may lead out of the file's folder.

    Raises
    ------
    InputError
        A needed column, a file, a label or a speaker is missing, an id occurs twice, a segment makes no sense, or a
        path leads out of the folder.
    """
    path = _find(root)
    table = read_csv(path, lower_names=True)
    if "label" not in table:
        table = table.rename(columns={"emotion": "label"})
    for column in _NEEDED:
        if column not in table:
            also = " (or 'emotion')" if column == "label" else ""
            raise InputError(f"{path}: no column {column!r}{also}; got {', '.join(table.columns)}; add it")
    for column in _NEEDED:
        empty = table.index[table[column] == ""]
        if len(empty):
            raise InputError(f"{path}: line {empty[0]}: empty {column!r}; every row needs one")
    files = _resolve(path, table["path"], allow_outside)
    start, end = _seconds(path, table, "start"), _seconds(path, table, "end")
    wrong = table.index[(start < 0) | (end <= start.fillna(0))]
    if len(wrong):
        raise InputError(
            f"{path}: line {wrong[0]}: segment {start[wrong[0]]}-{end[wrong[0]]} s; end must be after start"
        )
    ids = _ids(path, table, start, end)
    emotion = table["label"].str.strip().str.lower()
    blank = pd.Series("", index=table.index)
    utterances = pd.DataFrame(
        {
            "path": files,
            "start_s": start,
            "end_s": end,
            "speaker": table["speaker"],
            "session": table.get("session", blank).replace("", None),
            "gender": table.get("gender", blank).str.lower().replace("", None),
            "emotion": emotion,
            "code": emotion.map(ALIASES),
            "scenario": table.get("scenario", blank).replace("", None),
            "text_id": table.get("text_id", blank).replace("", None),
        }
    )
    _check_sessions(path, utterances)
    extra = [column for column in table.columns if column not in _KNOWN]
    utterances = utterances.join(table[extra]) if extra else utterances
    utterances.index = pd.Index(ids, name="utterance_id")
    return Reading(name or path.resolve().parent.name, path, utterances)


def _find(root: Path) -> Path:
    if root.is_dir():
        for candidate in _NAMES:
            if (root / candidate).is_file():
                return root / candidate
        raise InputError(f"corpus 'manifest': no {' or '.join(_NAMES)} in {root}; point --root at the CSV file")
    if not root.is_file():
        raise InputError(f"corpus 'manifest': no file {root}; --root must be a CSV with path, label and speaker")
    return root


def _resolve(manifest: Path, paths: pd.Series, allow_outside: bool) -> list[str]:
    folder = manifest.resolve().parent
    files, missing = [], []
    for line, written in paths.items():
        if "\0" in written:
            raise InputError(f"{manifest}: line {line}: a path with a NUL character")
        file = Path(os.path.normpath(folder / written))
        if not allow_outside and not file.is_relative_to(folder):
            raise InputError(
                f"{manifest}: line {line}: {written!r} leads out of {folder}; say --allow-outside to allow it"
            )
        if not file.is_file():
            missing.append((line, written))
        files.append(str(file))
    if missing:
        listed = ", ".join(f"{written!r} (line {line})" for line, written in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise InputError(f"{manifest}: {len(missing)} missing files: {listed}{more}; paths are relative to the CSV")
    return files


def _seconds(path: Path, table: pd.DataFrame, column: str) -> pd.Series:
    if column not in table:
        return pd.Series(float("nan"), index=table.index)
    numbers = pd.to_numeric(table[column].replace("", None), errors="coerce").astype(float)
    wrong = table.index[numbers.isna() & (table[column] != "")]
    if len(wrong):
        got = table.loc[wrong[0], column]
        raise InputError(f"{path}: line {wrong[0]}: {column} is {got!r}; expected seconds, e.g. 12.5")
    return numbers


def _ids(path: Path, table: pd.DataFrame, start: pd.Series, end: pd.Series) -> list[str]:
    if "utterance_id" in table:
        ids = table["utterance_id"].tolist()
        if "" in ids:
            raise InputError(
                f"{path}: line {table.index[ids.index('')]}: empty 'utterance_id'; fill it or drop the column"
            )
    else:
        pieces = zip(table["path"], start, end, strict=True)
        ids = [p if pd.isna(s) and pd.isna(e) else f"{p}[{s:g}-{e:g}]" for p, s, e in pieces]
    seen: dict[str, int] = {}
    for line, name in zip(table.index, ids, strict=True):
        if name in seen:
            raise InputError(
                f"{path}: line {line}: {name!r} again, first in line {seen[name]}; utterances must be unique"
            )
        seen[name] = line
    return ids


def _check_sessions(path: Path, utterances: pd.DataFrame) -> None:
    sessions = utterances["session"]
    if sessions.notna().any() and sessions.isna().any():
        line = sessions.index[sessions.isna()][0]
        raise InputError(f"{path}: line {line}: empty 'session' while others have one; fill all or drop the column")


SPEC = CorpusSpec(
    name="manifest",
    title="Your own recordings, listed in a CSV with path, label and speaker",
    licence="yours",
    citation="yours",
    read=read,
    schemes={"as-is": LabelScheme("as-is", {}, "the words of the file, in lower case"), **SCHEMES},
    subsets=("all", "improvised", "scripted"),
    options=(
        Option("name", str, "Name of a manifest in results; by default its folder."),
        Option("allow-outside", bool, "Let a manifest's paths lead out of its folder."),
    ),
)
