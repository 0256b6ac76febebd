"""Any database in audformat, as ``audb.load`` leaves it: ``db.yaml`` with tables in CSV or Parquet, and audio files.

Tables in pickle are never read: to read one may run whatever its author wrote into it.

References
----------
https://audeering.github.io/audformat/data-format.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ser_experiments.corpora._aliases import ALIASES
from ser_experiments.corpora._copy import Copy, must_be_folder
from ser_experiments.corpora._corpus import CorpusSpec, Reading
from ser_experiments.corpora._labels import LabelScheme
from ser_experiments.corpora._options import Option
from ser_experiments.corpora._schemes import schemes
from ser_experiments.corpora._spelling import composed
from ser_experiments.corpora._votes import NO_AGREEMENT
from ser_experiments.csvfile import is_gap, read_csv
from ser_experiments.errors import InputError, nearest
from ser_experiments.files import MIB, read_text

_HEADER = "db.yaml"
_EMOTION, _SPEAKER = "emotion", "speaker"
#: Where a database has labels of several sources, in the order in which they are preferred.
_SOURCES = ("gold_standard", "desired", "")
_PARTS = ("train", "dev", "test")
_GENDERS = {"male": "m", "female": "f", "other": "other", "child": "child"}
#: What stands for an utterance that listeners did not agree on.
_CODES = {**ALIASES, "no_agreement": NO_AGREEMENT}

Header = Mapping[str, Any]


def read(root: Path, *, source: str | None = None) -> Reading:
    """Read the labels, speakers and partitions of a database.

    Parameters
    ----------
    root : Path
        The folder that holds ``db.yaml``, or one above it.
    source : str, optional
        ``"gold_standard"`` (what raters agreed on) or ``"desired"`` (what was to be expressed), where tables are called
        so; by default the first that there is.

    Raises
    ------
    InputError
        No header, no table with emotions or speakers, a table that is there as a pickle only, or no recording.
    """
    must_be_folder(root, "corpus 'audformat': ")
    path = Copy(root.resolve()).beside(_HEADER)
    if path is None:
        raise InputError(f"corpus 'audformat': no {_HEADER} under {root}; expected what audb.load leaves")
    header = _yaml(path)
    tables = header.get("tables") or {}
    labelled, chosen = _labelled(path, tables, source)
    table = pd.concat([_with_partition(path, one, tables[one]) for one in labelled])
    notes = [f"labels are those of {', '.join(labelled)}" + (f" ({chosen})" if chosen else "")]
    table = table[~table.index.duplicated()]
    table = table.join(_of_files(path, tables, table), on="file") if _SPEAKER not in table else table
    if _SPEAKER not in table:
        raise InputError(f"{path}: no table tells the speaker of a file; speaker-independent scores need it")
    table, more = _usable(path.parent, table)
    name = str(header.get("name") or path.parent.name)
    return Reading(f"audformat-{name}", path.parent, _utterances(path, header, table), (*notes, *more))


def recognises(root: Path) -> bool:
    """Tell whether a database lies here or in a folder just below."""
    return root.is_dir() and any(True for pattern in (_HEADER, f"*/{_HEADER}") for _ in root.glob(pattern))


def _yaml(path: Path) -> Header:
    import yaml

    try:
        held = yaml.safe_load(read_text(path, most=64 * MIB))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(held, dict) or not isinstance(held.get("tables"), dict):
        raise InputError(f"{path}: no tables in it; expected the header of a database in audformat")
    for kind in ("tables", "misc_tables", "schemes"):
        for name, about in (held.get(kind) or {}).items():
            if not isinstance(about, dict) or not isinstance(about.get("columns") or {}, dict):
                raise InputError(f"{path}: {kind}: {name!r} is described by {about!r}; expected keys and values")
    return held


def _labelled(path: Path, tables: Header, source: str | None) -> tuple[list[str], str]:
    """Return the tables that hold emotions of one source, and which source that is."""
    with_labels = [name for name, one in sorted(tables.items()) if _EMOTION in (one.get("columns") or {})]
    if not with_labels:
        shown = ", ".join(sorted(tables))
        raise InputError(f"{path}: no table has a column {_EMOTION!r}; got the tables {shown}")
    by_source: dict[str, list[str]] = {}
    for name in with_labels:
        end = name.rpartition(".")[2]
        by_source.setdefault(end if end in _SOURCES else "", []).append(name)
    if source is not None and source not in by_source:
        raise InputError(f"{path}: no labels of the source {source!r}{nearest(source, filter(None, by_source))}")
    chosen = source if source is not None else next(one for one in _SOURCES if one in by_source)
    return by_source[chosen], chosen


def _table(path: Path, name: str) -> pd.DataFrame:
    """Read one table; its index is the file, or the file and the segment, of each row."""
    parquet, plain = (path.parent / f"db.{name}.{ending}" for ending in ("parquet", "csv"))
    if parquet.is_file():
        try:
            frame = pd.read_parquet(parquet)
        except (OSError, ValueError) as error:
            raise InputError(f"{parquet}: cannot be read as Parquet: {' '.join(str(error).split())}") from error
        frame = frame if frame.index.names == [None] else frame.reset_index()
    elif plain.is_file():
        frame = read_csv(plain)
    elif (path.parent / f"db.{name}.pkl").is_file():
        raise InputError(
            f"{path.parent / f'db.{name}.pkl'}: a pickle may run code when it is read and is not opened; save the "
            "database as CSV or Parquet, e.g. audformat.Database.load(FOLDER).save(FOLDER, storage_format='csv')"
        )
    else:
        raise InputError(f"{path.parent}: no db.{name}.csv or db.{name}.parquet, which {path.name} names")
    return frame.astype(object).where(~frame.map(is_gap), None)


def _with_partition(path: Path, name: str, about: Header) -> pd.DataFrame:
    """Return a table of labels by utterance id, with its segments in seconds and the partition that its name says."""
    frame = _table(path, name)
    if "file" not in frame:
        raise InputError(
            f"{path.parent}: table {name!r} has no column 'file'; got {', '.join(map(str, frame.columns))}"
        )
    for column, ours in (("start", "start_s"), ("end", "end_s")):
        cells = frame[column] if column in frame else pd.Series(None, index=frame.index, dtype=object)
        try:
            frame[ours] = pd.to_timedelta(cells).dt.total_seconds()
        except ValueError as error:
            raise InputError(f"{path.parent}: table {name!r}: {column}: {error}; expected times") from error
    whole = (frame["start_s"].fillna(0) == 0) & frame["end_s"].isna()
    ids = frame["file"].map(lambda file: os.path.splitext(file)[0])
    spans = "[" + frame["start_s"].fillna(0).map("{:g}".format) + "-" + frame["end_s"].map("{:g}".format) + "]"
    part = next((one for one in (about.get("split_id"), *name.split(".")) if one in _PARTS), None)
    frame = frame.drop(columns=["start", "end"], errors="ignore").assign(partition=part)
    return frame.set_index((ids + spans.where(~whole, "")).rename("utterance_id"))


def _of_files(path: Path, tables: Header, labels: pd.DataFrame) -> pd.DataFrame:
    """Return what other tables of whole files tell, by file: who speaks, and what else there is."""
    found = pd.DataFrame(index=pd.Index([], name="file"))
    for name, about in sorted(tables.items(), key=lambda one: (one[0] != "files", one[0])):
        if about.get("type") == "filewise" and _SPEAKER in (about.get("columns") or {}):
            frame = _table(path, name).drop_duplicates("file").set_index("file")
            fresh = [column for column in frame if column not in labels]
            found = found.combine_first(frame[fresh])
    return found


def _people(path: Path, header: Header) -> dict[str, Mapping[str, Any]]:
    """Return what is told of each speaker: in the scheme itself, or in the table that it names."""
    labels = ((header.get("schemes") or {}).get(_SPEAKER) or {}).get("labels")
    if isinstance(labels, dict):
        return {str(one): about for one, about in labels.items() if isinstance(about, dict)}
    if isinstance(labels, str) and labels in (header.get("misc_tables") or {}):
        frame = _table(path, labels)
        key = next((name for name in (labels, _SPEAKER) if name in frame), frame.columns[0])
        return {str(row[str(key)]): row for row in _records(frame)}
    return {}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict(orient="records")]


def _usable(folder: Path, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows without a label, a speaker or a recording, and count them."""
    notes = []
    paths = table["file"].map(lambda file: Path(os.path.normpath(folder / file)))
    outside = ~paths.map(lambda one: one.is_relative_to(folder)).to_numpy(dtype=bool)
    if outside.any():
        raise InputError(
            f"{folder}: {table['file'][outside].iloc[0]!r} leads out of the folder; nothing outside is read"
        )
    for missing, said in (
        (~paths.map(lambda one: one.is_file()).astype(bool), "have no recording"),
        (table[_EMOTION].isna(), "have no emotion"),
        (table[_SPEAKER].isna(), "have no speaker"),
    ):
        gone = missing.reindex(table.index)
        if gone.any():
            notes.append(f"{gone.sum()} rows {said} and are left out, e.g. {table.index[gone][0]}")
            table, paths = table[~gone], paths[~gone]
    if table.empty:
        raise InputError(f"corpus 'audformat': no usable row under {folder}; {notes[-1]}")
    return table.assign(path=paths.map(str)), notes


def _utterances(path: Path, header: Header, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of utterances."""
    people = _people(path, header)
    speaker = table[_SPEAKER].map(str)
    told = table["gender"] if "gender" in table else speaker.map(lambda one: people.get(one, {}).get("gender"))
    emotion = table[_EMOTION].map(lambda word: composed(str(word)))
    gender = told.map(lambda word: _GENDERS.get(str(word).lower()))
    return pd.DataFrame(
        {
            "path": table["path"],
            "start_s": table["start_s"].where(table["end_s"].notna() | (table["start_s"] > 0)),
            "end_s": table["end_s"],
            "speaker": speaker,
            "session": None,
            "gender": gender.astype(object).where(gender.notna(), None),
            "emotion": emotion,
            "code": emotion.map(lambda word: _CODES.get(word, word)),
            "text_id": table.get("transcription"),
            "partition": table["partition"],
        },
        index=table.index,
    ).sort_index()


SPEC = CorpusSpec(
    name="audformat",
    title="Any database in audformat: db.yaml with tables in CSV or Parquet",
    licence="as its db.yaml says",
    citation="as its db.yaml says",
    read=read,
    recognises=recognises,
    schemes={"as-is": LabelScheme("as-is", {}, "the words of the database"), **schemes()},
    options=(Option("source", str, "Labels of audformat: gold_standard (by raters) or desired (to be expressed)."),),
)
