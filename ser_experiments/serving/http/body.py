"""The rows of a request: what MLflow's scoring servers take, JSON in four shapes and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

from ser_experiments.serving.bounds import MAX_BODY, MAX_ROWS, MAX_VALUES

JSON, CSV = "application/json", "text/csv"
#: The one column of a model that takes audio.
COLUMN = "audio"
_SHAPES = ("dataframe_split", "dataframe_records", "instances", "inputs")
#: What begins another value, in JSON and in CSV; none of it occurs in base64.
_BETWEEN = {JSON: b"[{,:", CSV: b","}


class Refused(Exception):
    """A request that cannot be answered row by row.

    Parameters
    ----------
    status : int
        Of HTTP.
    message : str
        One line.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def rows_of(body: bytes, kind: str) -> list[Any]:
    """Return the values of a request, one a row, whatever they are.

    Parameters
    ----------
    body : bytes
        What was sent.
    kind : {"application/json", "text/csv"}
        What it is.

    Raises
    ------
    Refused
        It is nothing of the kind, or has too many values or rows.
    """
    # Counted first: three characters of "[],[],..." become sixty-four bytes each.
    if sum(body.count(one) for one in _BETWEEN[kind]) > MAX_VALUES:
        raise Refused(413, f"more than {MAX_VALUES} values in a request")
    rows = _of_csv(body) if kind == CSV else _of_json(body)
    if len(rows) > MAX_ROWS:
        raise Refused(413, f"{len(rows)} rows; a request has at most {MAX_ROWS}")
    return rows


def _of_csv(body: bytes) -> list[Any]:
    csv.field_size_limit(MAX_BODY)
    try:
        lines = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
        place = next(lines, []).index(COLUMN)
        rows = []
        for line in lines:
            # A blank line is no row.
            if line:
                rows.append(line[place] if place < len(line) else None)
            if len(rows) > MAX_ROWS:
                break
    except (ValueError, csv.Error) as error:
        raise Refused(400, f"not CSV in UTF-8 with a column {COLUMN!r}") from error
    return rows


def _of_json(body: bytes) -> list[Any]:
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        said = "too deep" if isinstance(error, RecursionError) else str(error)
        raise Refused(400, f"not JSON in UTF-8 ({said[:200]})") from error
    named = [one for one in _SHAPES if one in asked] if isinstance(asked, dict) else []
    if len(named) != 1:
        raise Refused(400, f"must be a JSON object with one of {', '.join(_SHAPES)}")
    given = asked[named[0]]
    rows = _of_split(given) if named[0] == "dataframe_split" else _of_values(given)
    if rows is None:
        raise Refused(400, f"{named[0]}: no rows with a column {COLUMN!r}")
    return rows


def _of_split(given: object) -> list[Any] | None:
    """Take the column out of a table of columns, index and data."""
    if not isinstance(given, dict) or not isinstance(given.get("data"), list):
        return None
    columns = given.get("columns", [COLUMN])
    if not isinstance(columns, list) or COLUMN not in columns:
        return None
    place = columns.index(COLUMN)
    return [row[place] if isinstance(row, list) and place < len(row) else None for row in given["data"]]


def _of_values(given: object) -> list[Any] | None:
    """Take the column out of a list of rows, a list of its values, or a list by column."""
    if isinstance(given, dict):
        given = given.get(COLUMN)
        given = [given] if isinstance(given, str) else given
    if not isinstance(given, list):
        return None
    return [row.get(COLUMN) if isinstance(row, Mapping) else row for row in given]
