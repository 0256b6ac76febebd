"""Identity: everything that can change a number, in one canonical form, and nothing else.

What is kept (rows of features, fits, trials, models) and what is cited (protocol cards, rows and folds of a setting,
datasets) is keyed by a digest from here; no other module hashes. Values that a digest is taken of are plain: mappings,
sequences, strings, numbers. An object that stands for something bigger says what it is by a property ``identity``.

References
----------
Aumasson, Neves, Wilcox-O'Hearn, Winnerlein (2013), BLAKE2: simpler, smaller, fast as MD5.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ser_experiments.files import open_regular

if TYPE_CHECKING:
    import pandas as pd

#: Bytes of a digest: of what is kept under it, of what people cite, of what stands in a name.
KEPT, CITED, SHORT = 16, 8, 6
_BLOCK = 1 << 20
#: Rows of a table that are hashed at a time.
_ROWS = 4096


@runtime_checkable
class Identified(Protocol):
    """Something that stands for something bigger, such as an array on disk, and says what that is."""

    @property
    def identity(self) -> Any:
        """Return plain values that change whenever what it stands for changes."""


def canonical(value: Any) -> Any:  # noqa: PLR0911 -- one line a type
    """Return a value as JSON knows it, equal for equal content whatever it is held in.

    Mappings lose their order, tuples are lists, sets are sorted lists, numpy's numbers are Python's, arrays and tables
    their digest with type and shape.

    Raises
    ------
    TypeError
        A value that has no canonical form: its ``repr`` may hide what it holds, so it is never used.
    """
    match value:
        case None | bool() | str():
            return value
        case np.generic():
            return canonical(value.item())
        case int() | float():
            return value
        case bytes() | bytearray() | memoryview():
            return {"bytes": of_bytes([bytes(value)])}
        case Mapping():
            return {_key(name): canonical(held) for name, held in value.items()}
        case np.ndarray():
            return {"array": of_array(value)}
        case set() | frozenset():
            return sorted((canonical(held) for held in value), key=lambda held: json.dumps(held, sort_keys=True))
        case list() | tuple():
            return [canonical(held) for held in value]
    return _canonical_object(value)


def _canonical_object(value: Any) -> Any:
    # Importing it takes longer than everything that lists sets, which hashes no table.
    import pandas as pd

    match value:
        case pd.DataFrame():
            return {"table": of_table(value)}
        case pd.Series() | pd.Index():
            return {"column": of_column(value)}
        case Identified():
            return {"identity": canonical(value.identity)}
    raise TypeError(
        f"{type(value).__module__}.{type(value).__qualname__} has no identity; give it a property of that name"
    )


def _key(name: Any) -> str:
    """Return the key of a mapping; one that is no string says its type, so that 1 and "1" stay apart."""
    return name if isinstance(name, str) else f"{type(name).__name__}:{json.dumps(canonical(name), sort_keys=True)}"


def of(value: Any, *, size: int = KEPT) -> str:
    """Return the digest of any value that has a canonical form, ``2 * size`` hexadecimal digits."""
    return of_bytes([json.dumps(canonical(value), sort_keys=True).encode()], size=size)


def of_lines(lines: Iterable[str], *, size: int = CITED) -> str:
    """Return the digest of lines of text: what people can check by hand, such as the rows of a protocol card."""
    return of_bytes(["\n".join(lines).encode()], size=size)


def of_bytes(blocks: Iterable[bytes | memoryview], *, size: int = KEPT) -> str:
    """Return the digest of bytes that come in blocks."""
    digest = hashlib.blake2b(digest_size=size)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def of_file(path: str | Path, *, size: int = KEPT) -> str:
    """Return the digest of a file's bytes; an OSError where it cannot be read."""
    digest = hashlib.blake2b(digest_size=size)
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, by which others name it; nothing of ours is keyed by it."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def of_assets(files: Mapping[str, str | Path], *, size: int = KEPT) -> str:
    """Return the digest of files that belong together, such as a network's configuration and weights.

    Parameters
    ----------
    files : mapping of str to path
        By a name that is part of the identity; where they lie is not.
    """
    return of({name: of_file(path) for name, path in files.items()}, size=size)


def of_array(values: NDArray[Any]) -> str:
    """Return the digest of an array: its type, shape and content."""
    values = np.asarray(values)
    if values.dtype == object:
        return of([list(values.shape), [canonical(cell) for cell in values.reshape(-1)]])
    head = json.dumps([values.dtype.str, list(values.shape)]).encode()
    return of_bytes([head, np.ascontiguousarray(values).tobytes()])


def of_column(column: pd.Series | pd.Index) -> str:
    """Return the digest of a column: numbers by their bytes, texts and objects one by one.

    A cell that refers to an array on disk counts by what it refers to (:class:`Identified`); one that holds an array,
    by its content.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype) and isinstance(column.dtype, np.dtype):
        return of_array(column.to_numpy())
    return of([None if _missing(cell) else canonical(cell) for cell in column])


def _missing(cell: Any) -> bool:
    import pandas as pd

    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and math.isnan(cell))


def of_table(frame: pd.DataFrame, *, size: int = KEPT) -> str:
    """Return the digest of a table: the names, types and content of its columns in their order, and its index."""
    columns = of_columns(frame, list(frame.columns), range(frame.shape[1]))
    return of({"columns": columns, "index": of_column(frame.index.astype(str))}, size=size)


def of_columns(frame: pd.DataFrame, names: Sequence[Any], places: Sequence[int] | None = None) -> str:
    """Return the digest of some columns of a table: their names, types and content in the order given.

    Numbers of one type that follow each other count as one block, so that a thousand columns cost little more than
    their bytes; where in the table they stand does not count.

    Parameters
    ----------
    frame : DataFrame
        The table.
    names : sequence
        Of the columns.
    places : sequence of int, optional
        Where they stand; needed where two columns share a name.
    """
    where: list[Any] = [frame.columns.get_loc(name) for name in names] if places is None else list(places)
    kinds = [_plain_numbers(dtype) for dtype in frame.dtypes]
    parts: list[str] = []
    for kind, run in groupby(where, key=lambda place: kinds[place]):
        block = list(run)
        parts += [of_column(frame.iloc[:, place]) for place in block] if kind is None else [_block(frame, block, kind)]
    return of([[str(name) for name in names], parts])


def _plain_numbers(dtype: Any) -> str | None:
    """Return the name of a type whose columns are hashed as blocks, None of any other."""
    return dtype.str if getattr(dtype, "kind", "O") in "biuf" and hasattr(dtype, "str") else None


def _block(frame: pd.DataFrame, places: list[int], kind: str) -> str:
    """Return the digest of numbers row by row, some thousand rows at a time: a big table is never copied whole."""
    head = json.dumps([kind, len(frame), len(places)]).encode()
    pieces = (frame.iloc[row : row + _ROWS, places].to_numpy() for row in range(0, len(frame), _ROWS))
    return of_bytes(chain([head], (piece.tobytes() for piece in pieces)))


def libraries(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of distributions.

    Parameters
    ----------
    names : iterable of str
        Of distributions; ``"xgboost-cpu|xgboost"`` is whichever of them is installed.
    """
    return {name: _version(name) for name in sorted(names)}


@lru_cache(maxsize=256)
def _version(name: str) -> str:
    for one in name.split("|"):
        try:
            return version(one)
        except PackageNotFoundError:
            continue
    return "none"


def of_rows(utterances: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return 12 hexadecimal digits for which utterances there are and what some columns say of them, in any order."""
    texts = utterances[list(columns)].astype(str).fillna("")
    lines = sorted("\t".join((str(i), *row)) for i, row in zip(texts.index, texts.to_numpy(), strict=True))
    return of_lines(lines, size=SHORT)
