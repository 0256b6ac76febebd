"""Read a small CSV file that people and their programs wrote: cells are text, the separator is guessed from the header.

Identifiers stay as they are written (a speaker ``03``). What such a file holds besides text is read here as well: cells
that say that there is nothing (:func:`is_gap`), seconds, and paths of files. Tables of features are too large for this
reader and have one of their own, :mod:`ser_experiments.features.external`.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.files import read_bytes
from ser_experiments.words import as_cell, cut, from_cell

#: What programs and people write into a cell that has no value, in lower case.
_GAP_WORDS = (
    "nan -nan +nan 1.#qnan -1.#qnan 1.#ind -1.#ind na n/a n.a. #n/a #na <na> nat none null nil <none> <null> (null) "
    "(none) #value! #ref! #name? #div/0! #num! #null! undefined (blank) blank <blank> (empty) empty missing unknown "
    "<unknown> (unknown) unk <unk> unspecified n.d. n/d nd #missing <missing> not_available k.a. tbd \\n"
)
_GAPS = frozenset(_GAP_WORDS.split()) | {"", "#n/a n/a", "not available", "not applicable", "no data", "not known"}
#: Marks alone, such as ``-``, ``--``, ``?``, ``???``, an em dash or dots: what people write for the same.
_MARKS = re.compile(r"[\s\-_.?¿–—−‐‑―…/*\\'\"()\[\]{}<>]*")
#: What nobody sees: byte order marks, marks of direction, soft hyphens. Joiners are a part of some scripts.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
#: What is a name and nothing else.
_PLAIN = re.compile(r"[\w .-]{1,24}")
#: Columns that a message names.
_SHOWN = 12
#: Names of columns that look as if they cut folds, and as if they cut segments.
_SPLIT = re.compile(
    r"(.*(split|partition|k?fold)(s|id|nr|no|num|number|name|idx|index)?)|((is|in|use|for)?(train|test|dev|val|valid)"
    r"(ing|idation|elopment|set|test|dev|val)*)|(.*(sub|data|train|test)sets?)|set|usage|phase|part|(train|test)?cv\d*"
)
#: Letters of such a name: longer ones, of repeated parts, would be tried in more ways than there is time for.
_LONGEST = 40
#: Which corpus a row comes from is another matter.
_SPLIT_NOT = re.compile(r"(scaf|mani|two|three|un|blind)fold|datasets?")
_TIME = re.compile(
    r"(seg|segment|clip|chunk|utt|utterance|turn|audio|speech|word|t|time|frame|sample)?"
    r"(start|begin|beginning|onset|offset|end|ending|stop|duration|dur|length|len|from|to|tmin|tmax|xmin|xmax)"
    r"(time|times|at|s|sec|secs|second|seconds|ms|msec|millis|milliseconds|frame|sample|samples|pos|position|offset)*"
    r"|num(frames|samples)|t[01]|in|out|(in|out)point"
)
#: Byte order marks, the longer ones first.
_MARKED = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
#: What a spreadsheet writes before the header to say which separator follows.
_SEPARATOR_LINE = re.compile(r"\A\"?sep=(.)\"?\r?\n?", re.IGNORECASE)


def is_gap(cell: Any) -> bool:
    """Whether a cell says that there is no value, e.g. ``nan``, ``NA``, ``None``, ``#N/A``, ``-`` or ``?``.

    Whatever is no text is a gap where pandas takes it for missing.
    """
    if not isinstance(cell, str):
        return bool(pd.isna(cell)) if pd.api.types.is_scalar(cell) else False
    text = seen(unicodedata.normalize("NFKC", cell)).strip()
    return text.lower() in _GAPS or _MARKS.fullmatch(text) is not None


def seen(text: str) -> str:
    """Return what a reader sees of a text: without byte order marks, marks of direction and the like."""
    return _UNSEEN.sub("", text)


def cuts_folds(column: str) -> bool:
    """Whether a column's name looks as if it said which rows are trained on, e.g. ``split`` or ``cv_fold``."""
    plain = re.sub(r"[\W_]+", "", column.lower())
    if len(plain) > _LONGEST:
        return False
    return _SPLIT.fullmatch(plain) is not None and _SPLIT_NOT.fullmatch(plain) is None


def cuts_segments(column: str) -> bool:
    """Whether a column's name looks as if it said where a segment begins or ends, e.g. ``start_ms`` or ``offset``."""
    plain = re.sub(r"[\W_]+", "", column.lower())
    return len(plain) <= _LONGEST and _TIME.fullmatch(plain) is not None


def without_gaps(column: pd.Series) -> pd.Series:
    """Return a column of text with None in its gaps."""
    return column.astype(object).where(~column.map(is_gap).to_numpy(dtype=bool), None)


def seconds(cell: str | None, where: str) -> float:
    """Return the seconds that a cell says, NaN of a gap or no cell; a comma may stand for the decimal point.

    Parameters
    ----------
    cell : str or None
        As it was written.
    where : str
        Begins the message, e.g. ``"list.csv, line 2: 'start'"``.

    Raises
    ------
    InputError
        It says something else, or no finite number.
    """
    if cell is None or is_gap(cell):
        return math.nan
    try:
        number = float(re.sub(r"^([+-]?\d*),(\d+)$", r"\1.\2", cell.strip()))
    except ValueError:
        number = math.inf
    if math.isinf(number):
        raise InputError(f"{where} is {cut(cell)!r}; expected seconds, e.g. 1.5")
    return number


def listed_path(folder: Path, written: str) -> Path:
    """Return the file that a list means, whichever system wrote the list.

    Where there is no file of that name, backslashes count as slashes, and letters with marks are the same composed or
    not: a Mac, an archive and a spreadsheet write ``é`` in different ways.

    Parameters
    ----------
    folder : Path
        That of the list.
    written : str
        As in the list, relative to the folder or absolute.

    Returns
    -------
    Path
        Normalised; as it was written where no file is meant.
    """
    plain = Path(os.path.normpath(folder / written))
    if os.path.exists(plain):
        return plain
    for text in dict.fromkeys((written, written.replace("\\", "/"))):
        found = _spelled_otherwise(Path(os.path.normpath(folder / text)))
        if found is not None:
            return found
    return plain


def _spelled_otherwise(path: Path) -> Path | None:
    """Return the path that is there and reads like this one; None where there is none."""
    if os.path.exists(path):
        return path
    if path.parent == path:
        return None
    parent = _spelled_otherwise(path.parent)
    if parent is None or not os.path.isdir(parent):
        return None
    for form in ("NFC", "NFD"):
        there = parent / unicodedata.normalize(form, path.name)
        if os.path.exists(there):
            return there
    return None


def read_csv(path: Path, *, lower_names: bool = False, may_be_empty: bool = False) -> pd.DataFrame:
    """Read a file in UTF-8 or UTF-16 whose columns are separated by commas, semicolons or tabs.

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
        numbered = _rows(_text(read_bytes(path)))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text, nor UTF-16 ({error.reason}); save it as CSV in UTF-8") from error
    except (csv.Error, MemoryError) as error:
        raise InputError(f"{path}: cannot be read as CSV: {error or 'too large for the memory'}") from error
    if len(numbered) < (1 if may_be_empty else 2):
        raise InputError(f"{path}: no rows; expected a header line and at least one line below it")
    names = [name.lower() if lower_names else name for name in numbered[0][1]]
    if len(set(names)) < len(names):
        first = {name: at for at, name in reversed(list(enumerate(names)))}
        at = next(at for at, name in enumerate(names) if first[name] < at)
        # Whatever file this is, it may be none that should be quoted.
        said = repr(names[at]) if _PLAIN.fullmatch(names[at]) else f"{at + 1}, as another of its name,"
        raise InputError(f"{path}: column {said} occurs twice; keep one")
    for line, row in numbered[1:]:
        if len(row) != len(names):
            raise InputError(f"{path}: line {line}: {len(row)} fields, expected {len(names)} as in the header")
    return pd.DataFrame([row for _, row in numbered[1:]], columns=names, index=[line for line, _ in numbered[1:]])


def headings(columns: Iterable[str], known: Iterable[str]) -> str:
    """Return the names of a file's columns for a message that says which are missing.

    They are told only where one of them is known, be it as the beginning of a name: whatever was taken for a table by
    mistake, such as a file of passwords, is not quoted.
    """
    names, begin = list(columns), tuple(known)
    if not any(name.startswith(begin) for name in names):
        return f"none of its {len(names)} columns is known"
    shown = ", ".join(cut(name) for name in names[:_SHOWN])
    return f"got {shown}" + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def write_csv(table: pd.DataFrame, path: Path | io.StringIO, *, index: bool = True) -> None:
    """Write a table as CSV that :func:`read_csv` reads back, and that no spreadsheet takes for formulas."""
    shown = table.rename(columns=_safe, index=_safe if index else None)
    texts = [name for name, kind in shown.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    shown = shown.assign(**{str(name): shown[name].map(_safe) for name in texts}) if texts else shown
    shown.to_csv(path, index=index, float_format="%.6g")


def _safe(cell: Any) -> Any:
    return as_cell(cell) if isinstance(cell, str) else cell


def _text(content: bytes) -> str:
    """Decode a file by its byte order mark, else by where its zero bytes are; UTF-8 where nothing says otherwise."""
    for mark, encoding in _MARKED:
        if content.startswith(mark):
            return content.decode(encoding)
    head = content[:200]
    pairs = len(head) // 2
    for first, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if pairs >= 2 and 2 * head[first::2].count(0) > pairs and not head[1 - first :: 2].count(0):
            return content.decode(encoding)
    return content.decode("utf-8")


def _rows(text: str) -> list[tuple[int, list[str]]]:
    """Return the cells of each row that is not empty, with the line on which it begins."""
    said = _SEPARATOR_LINE.match(text)
    body = text if said is None else text[said.end() :]
    header = body.split("\n", 1)[0]
    separator = max(",;\t", key=header.count) if said is None else said[1]
    # Python's own notion of lines stays out of it: a cell may hold a line break, or a character that is one elsewhere.
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=separator, strict=True)
    before = 0 if said is None else 1
    found, line = [], before + 1
    for row in reader:
        cells = [from_cell(cell.strip()) for cell in row]
        if any(cells):
            found.append((line, cells))
        line = before + reader.line_num + 1
    return found
