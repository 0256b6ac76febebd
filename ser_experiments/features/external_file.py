"""The file of an external table, CSV or Parquet: its columns as they stand, and which of them names the utterance."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.files import open_regular, why
from ser_experiments.frames import UTTERANCE_ID
from ser_experiments.words import cut, from_cell

#: Columns that may name the utterance, the first there is counts. "" is what pandas calls an index without a name.
ID_COLUMNS = (UTTERANCE_ID, "utterance", "id", "file", "filename", "path", "name", "segment", "wav", "")
#: Columns that say which piece of the file a row is of, or when its frame begins; they are no features.
PIECE_COLUMNS = ("start", "end", "frametime")
#: Characters of a header that is one.
_LONGEST_HEADER = 64 << 20
#: What a reader says that quotes nothing.
_COUNTS = re.compile(r"Expected \d+ fields in line \d+, saw \d+|No columns to parse from file|Out of memory")


def read_columns(path: str, file: Path) -> tuple[pd.DataFrame, str]:
    """Read a CSV or Parquet file, told apart by its ending.

    Parameters
    ----------
    path : str
        What the file is called in messages.
    file : Path
        The file.

    Returns
    -------
    table : DataFrame
        As it stands there; identifiers are text.
    id_column : str
        The column that names the utterance.

    Raises
    ------
    InputError
        It cannot be read, has no rows, no column of ids, or none beside it.
    """
    is_parquet = file.suffix.lower() in (".parquet", ".pq")
    try:
        with open_regular(file) as content:
            table = _read_parquet(content) if is_parquet else _read_csv(path, content)
    except InputError:
        raise
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        raise InputError(f"table {path}: {'no such file' if missing else why(error)}") from error
    except (ValueError, csv.Error, OverflowError, MemoryError) as error:
        kind = "Parquet" if is_parquet else "CSV in UTF-8"
        # What the readers say may quote the file.
        raise InputError(f"table {path}: cannot be read as {kind}: {_of_reader(error)}") from error
    if table.empty:
        raise InputError(f"table {path}: no rows; expected one an utterance")
    id_column = _id_column(list(table.columns))
    if id_column is None:
        raise InputError(
            f"table {path}: no column 'utterance_id' (or file, filename, path, name) among its {len(table.columns)}; "
            "name the one with the ids so"
        )
    if not feature_names(table, id_column):
        raise InputError(f"table {path}: no column of features beside {id_column!r}")
    return table, id_column


def feature_names(table: pd.DataFrame, id_column: str) -> list[str]:
    """Return the columns that are neither the id nor say which piece of a file a row is of."""
    return [n for n in table.columns if n != id_column and n.strip().lower() not in PIECE_COLUMNS]


def _of_reader(error: BaseException) -> str:
    """Return what a reader said without what it may have quoted of the file."""
    if isinstance(error, UnicodeDecodeError):
        return f"{error.reason} at byte {error.start}"
    found = _COUNTS.search(str(error))
    if found is not None:
        return found[0]
    return "it is too large for this machine's memory" if isinstance(error, MemoryError) else "it is damaged or no such"


def _read_csv(path: str, file: BinaryIO) -> pd.DataFrame:
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    header = lines.readline(_LONGEST_HEADER + 1)
    if len(header) > _LONGEST_HEADER:
        raise ValueError("no header")
    lines.detach()
    separator = max(",;\t", key=header.count)
    names = next(csv.reader([header], delimiter=separator), [])
    id_column = _id_column(names)
    if id_column is None:
        return pd.DataFrame([[""] * len(names)], columns=range(len(names))).rename(columns=str)
    names = [from_cell(name) for name in names]
    known: set[str] = set()
    for name in names:
        if name in known:
            raise InputError(f"table {path}: column {cut(name)!r} occurs twice; keep one")
        known.add(name)
    options: dict[str, object] = {"sep": separator, "encoding": "utf-8-sig", "header": 0, "names": names}
    # An identifier is text, whatever it looks like: 03 is not 3, and NA is somebody's name.
    file.seek(0)
    ids = pd.read_csv(file, **options, usecols=[id_column], dtype=str, keep_default_na=False, na_filter=False)  # type: ignore[call-overload]
    file.seek(0)
    table = pd.read_csv(file, **options, dtype={id_column: str}, low_memory=False)  # type: ignore[call-overload]
    table[id_column] = ids[id_column].map(from_cell).str.strip().str.strip("'\"")
    return table


def _read_parquet(file: BinaryIO) -> pd.DataFrame:
    _check_sizes(file)
    table = pd.read_parquet(file)
    if not isinstance(table.index, pd.RangeIndex):
        table = table.rename_axis([name or "" for name in table.index.names]).reset_index()
    table.columns = [str(name) for name in table.columns]
    id_column = _id_column(list(table.columns))
    if id_column is not None:
        table[id_column] = table[id_column].astype(str)
    return table


def _check_sizes(file: BinaryIO) -> None:
    """Refuse a file that becomes more than this machine's memory holds: equal numbers take next to nothing on disk."""
    import psutil
    import pyarrow.parquet as pq

    told = pq.read_metadata(file)
    file.seek(0)
    n_bytes = 8 * told.num_rows * told.num_columns
    if n_bytes > psutil.virtual_memory().total:
        raise MemoryError


def _id_column(names: Sequence[str]) -> str | None:
    lowered = {name.strip().lower(): name for name in reversed(names)}
    # Only the first column may be one without a name.
    if "" in lowered and lowered[""] != names[0]:
        del lowered[""]
    lowered |= {"": names[0]} if names and names[0].startswith("Unnamed: ") else {}
    return next((lowered[name] for name in ID_COLUMNS if name in lowered), None)
