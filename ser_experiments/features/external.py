"""External tables: features that another program measured, as CSV or Parquet by utterance id."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path, PurePath

import numpy as np
import pandas as pd

from ser_experiments.errors import InputError, nearest
from ser_experiments.features.external_file import feature_names, read_columns
from ser_experiments.features.giveaways import giveaways
from ser_experiments.features.storage import fetched, file_name, handed_over
from ser_experiments.frames import GROUP, UTTERANCE_ID
from ser_experiments.secret import hidden
from ser_experiments.words import MOST_OF_ID, check_words, cut

_log = logging.getLogger(__name__)

#: Columns that tell the answer or who speaks. A model that saw them would be worthless.
GIVE_AWAY = (
    "label", "emotion", "class", "target", "speaker", "session", "gender", GROUP, "fold",
    "valence", "activation", "arousal", "dominance", "agreement", "code", "scenario", "text_id",
)  # fmt: skip
_LISTED = 5
#: From an identifier to what is compared; tried in this order.
_MATCHES: tuple[tuple[str, Callable[[str], Hashable]], ...] = (
    ("utterance id", lambda value: value),
    ("path", os.path.normpath),
    ("last 3 parts of the path", lambda value: PurePath(value.replace("\\", "/")).parts[-3:]),
    ("last 2 parts of the path", lambda value: PurePath(value.replace("\\", "/")).parts[-2:]),
    ("file name", lambda value: PurePath(value.replace("\\", "/")).name),
    ("file name without ending", lambda value: PurePath(value.replace("\\", "/")).stem),
)


def read_table(path: str | Path, utterances: pd.DataFrame, *, allow: Sequence[str] = ()) -> pd.DataFrame:
    """Read a table of features that another program made.

    Parameters
    ----------
    path : path or str
        A CSV file (comma, semicolon or tab) or a Parquet file with one row an utterance, or the URL of one on any
        storage that fsspec knows (``"s3://bucket/table.parquet"``). The utterance is named by a
        column ``utterance_id``, ``file``, ``filename``, ``path`` or ``name``: by its id, its path or its file name,
        with or without the ending. openSMILE's ``file, start, end`` is understood, segments included.
    utterances : DataFrame
        Indexed by ``utterance_id``, with ``path`` and perhaps ``start_s`` and ``end_s``; columns of the table are held
        against ``label``, ``speaker`` and ``session`` where these are known.
    allow : sequence of str
        Columns that are taken whatever they tell.

    Returns
    -------
    DataFrame
        In the order of `utterances`: float32 columns. Other rows of the file are left out; missing numbers are NaN.

    Raises
    ------
    InputError
        The file cannot be read or is empty, an utterance is missing or there twice, a column is not numeric, holds
        infinite numbers, or gives the answer away: by its name, or by what it tells
        (:mod:`ser_experiments.features.giveaways`); or a column that is allowed is not there.
    """
    with fetched(path) as file:
        path = hidden(str(path))
        table, id_column = read_columns(path, file)
    names = feature_names(table, id_column)
    check_words(names, f"table {path}: column")
    check_words(table[id_column], f"table {path}: utterance", most=MOST_OF_ID)
    for name in allow:
        if name not in names:
            raise InputError(f"table {path}: no column {name!r} to allow{nearest(name, names)}")
    features = _features(path, table, id_column, allow)
    rows = _rows(path, table, id_column, utterances)
    if len(rows) < len(table):
        _log.info("%s: %d of %d rows are of other utterances", path, len(table) - len(rows), len(table))
    frame = pd.DataFrame(features[rows], index=utterances.index, columns=names, copy=False)
    judged = [place for place, name in enumerate(names) if name not in allow]
    in_order = pd.DataFrame(features[:, judged], columns=[names[place] for place in judged], copy=False)
    for name, said in giveaways(frame.iloc[:, judged], utterances, in_order=in_order):
        called = f"column {name!r}" if name else f"column {names.index(name) + 1} of the features, which has no name,"
        raise InputError(
            f"table {path}: {called} is no feature: it {said}; remove it, or say --allow-column {name or repr(name)} "
            "where you mean it"
        )
    frame.attrs["skipped"] = {}
    return frame


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a feature table so that :func:`read_table` takes it.

    Parameters
    ----------
    table : DataFrame
        Functionals by utterance id; ``group`` is left out, as the corpus knows it.
    path : path or str
        A name or URL that ends in ``.parquet`` or ``.csv``.

    Raises
    ------
    InputError
        Another ending, a column of arrays over time, or a place that cannot be written.
    """
    kind = Path(file_name(path)).suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise InputError(f"table {path}: ends in {kind!r}; expected .parquet or .csv")
    numbers = table.drop(columns=GROUP, errors="ignore").rename_axis(UTTERANCE_ID)
    for name in numbers.columns:
        if not pd.api.types.is_numeric_dtype(numbers[name]):
            raise InputError(f"table {path}: {name!r} holds arrays over time, which a table cannot; leave it out")
    numbers.attrs = {}
    with handed_over(path) as file:
        numbers.to_parquet(file) if kind == ".parquet" else numbers.to_csv(file)


def _features(path: str | Path, table: pd.DataFrame, id_column: str, allow: Sequence[str]) -> np.ndarray:
    """Return the numbers as one array of shape (n_rows, n_columns)."""
    names = feature_names(table, id_column)
    for name in names:
        if name.strip().lower() in GIVE_AWAY and name not in allow:
            raise InputError(f"table {path}: column {name!r} is no feature but what the corpus says; remove it")
        if not pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_complex_dtype(table[name]):
            raise InputError(f"table {path}: column {name!r} is not numeric; remove it")
    values = np.empty((len(table), len(names)), dtype=np.float32)
    for i, name in enumerate(names):
        values[:, i] = table[name].to_numpy(dtype=np.float32, na_value=np.nan)
        if np.isinf(values[:, i]).any():
            row = int(np.flatnonzero(np.isinf(values[:, i]))[0])
            raise InputError(
                f"table {path}: column {name!r} of {table[id_column].iloc[row]!r} is infinite as a 32-bit number"
            )
        if np.isnan(values[:, i]).all():
            raise InputError(f"table {path}: column {name!r} holds no number at all; remove it")
    return values


def _rows(path: str | Path, table: pd.DataFrame, id_column: str, utterances: pd.DataFrame) -> list[int]:
    """Find the row of each utterance."""
    pieces = _pieces(path, table, utterances)
    best: tuple[int, list[str], Mapping[Hashable, list[int]], list[Hashable]] | None = None
    for what, reduced in _MATCHES:
        wanted = _wanted(what, reduced, utterances, pieces is not None)
        if len(set(wanted)) < len(wanted):
            # Two utterances would share a row.
            continue
        there: dict[Hashable, list[int]] = {}
        for row, value in enumerate(table[id_column]):
            there.setdefault((reduced(value), pieces[row] if pieces else None), []).append(row)
        missing = [str(i) for i, key in zip(utterances.index, wanted, strict=True) if key not in there]
        if best is None or len(missing) < best[0]:
            best = len(missing), missing, there, wanted
        if not missing:
            break
    assert best is not None  # ids are unique
    _, missing, rows, wanted = best
    if missing:
        # Where none is found, this may be another file altogether, which is not quoted.
        holds = f"holds {_some(table[id_column].astype(str).tolist(), 2)}"
        if len(missing) == len(utterances):
            holds = "names none of them, by id, path or file name"
        raise InputError(
            f"table {path}: no row for {len(missing)} of {len(utterances)} utterances: {_some(missing)}; its column "
            f"{id_column!r} {holds}"
        )
    for utterance, key in zip(utterances.index, wanted, strict=True):
        if len(rows[key]) > 1:
            raise InputError(
                f"table {path}: {len(rows[key])} rows for utterance {utterance!r}; need one row an utterance "
                "(functionals, not frames)"
            )
    return [rows[key][0] for key in wanted]


def _wanted(what: str, reduced: Callable[[str], Hashable], utterances: pd.DataFrame, segmented: bool) -> list[Hashable]:
    names = utterances.index if what == "utterance id" else utterances["path"]
    if not segmented:
        return [(reduced(str(name)), None) for name in names]
    starts = utterances["start_s"].fillna(0.0).to_numpy(dtype=float)
    ends = utterances["end_s"].to_numpy(dtype=float)
    return [(reduced(str(n)), _piece(start, end)) for n, start, end in zip(names, starts, ends, strict=True)]


def _pieces(path: str | Path, table: pd.DataFrame, utterances: pd.DataFrame) -> list[tuple[int, int]] | None:
    """Return start and end of each row, where utterances are segments and the table has them."""
    columns = {name.strip().lower(): name for name in table.columns}
    if not {"start", "end"} <= set(columns) or "end_s" not in utterances or utterances["end_s"].isna().all():
        return None
    start, end = (_as_seconds(path, table[columns[name]]) for name in ("start", "end"))
    return [_piece(a, b) for a, b in zip(start, end, strict=True)]


def _piece(start_s: float, end_s: float) -> tuple[int, int]:
    """Return a segment in whole milliseconds, so that 0.1 + 0.2 is 0.3."""
    return round(1000 * start_s), -1 if np.isnan(end_s) else round(1000 * end_s)


def _as_seconds(path: str | Path, column: pd.Series) -> list[float]:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float).tolist()
    try:
        return list(pd.to_timedelta(column).dt.total_seconds())
    except ValueError:
        raise InputError(f"table {path}: column {column.name!r} holds neither seconds nor durations") from None


def _some(names: Sequence[str], count: int = _LISTED) -> str:
    shown = ", ".join(repr(cut(name)) for name in names[:count])
    return shown + (f" and {len(names) - count} more" if len(names) > count else "")
