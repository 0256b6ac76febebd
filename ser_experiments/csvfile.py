"""Read a small CSV file that people and their programs wrote: cells are text, the separator is guessed from the header.

Identifiers stay as they are written (a speaker ``03``, a class ``none``). Tables of features are too large for this
reader and have one of their own, :mod:`ser_experiments.features.external`.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd

from ser_experiments.errors import InputError


def read_csv(path: Path, *, lower_names: bool = False, may_be_empty: bool = False) -> pd.DataFrame:
    """Read a file in UTF-8 whose columns are separated by commas, semicolons or tabs.

    Parameters
    ----------
    path : Path
        The file.
    lower_names : bool
        Whether the names of columns are the same in capitals.
    may_be_empty : bool
        Whether a header line is enough.

    Returns
    -------
    DataFrame of str
        Without white space around cells, without empty lines; the index is the line of the file on which a row begins.

    Raises
    ------
    InputError
        No file, no text, no rows, a column twice, or a line with more or fewer cells than the header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        numbered = _rows(text)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text ({error.reason}); save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV: {error}") from error
    if len(numbered) < (1 if may_be_empty else 2):
        raise InputError(f"{path}: no rows; expected a header line and at least one line below it")
    names = [name.lower() if lower_names else name for name in numbered[0][1]]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: column {twice[0]!r} occurs twice; keep one")
    for line, row in numbered[1:]:
        if len(row) != len(names):
            raise InputError(f"{path}: line {line}: {len(row)} fields, expected {len(names)} as in the header")
    return pd.DataFrame([row for _, row in numbered[1:]], columns=names, index=[line for line, _ in numbered[1:]])


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each row that is not empty, with the line on which it begins."""
    header = text.split("\n", 1)[0]
    # Python's own notion of lines stays out of it: a cell may hold a line break, or a character that is one elsewhere.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    found, line = [], 1
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells):
            found.append((line, cells))
        line = reader.line_num + 1
    return found
