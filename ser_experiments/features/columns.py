"""What columns are called, in which unit, and where their formula comes from: listed one by one, or by a rule."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from operator import index
from typing import Any, NamedTuple, overload


class Column(NamedTuple):
    """One column of a set: its name, its unit and where the formula comes from."""

    name: str
    unit: str
    source: str


@dataclass(frozen=True)
class ColumnRule(Sequence[Column]):
    """Columns that are numbered, made when they are looked at: thousands of them weigh nothing.

    Parameters
    ----------
    name : str
        With fields in braces, e.g. ``"ssl_{layer:02d}_{dim:03d}__mean"``.
    numbers : tuple of (str, range or tuple of int or str)
        What each field runs through, numbers or words, e.g. ``(("layer", range(13)), ("dim", range(768)))``; the last
        runs fastest.
    unit : str
        Of all of them.
    source : str
        Of all of them; may hold the same fields.
    """

    name: str
    numbers: tuple[tuple[str, Sequence[int] | Sequence[str]], ...]
    unit: str
    source: str

    def __len__(self) -> int:
        return math.prod(len(values) for _, values in self.numbers)

    @overload
    def __getitem__(self, place: int) -> Column: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Column, ...]: ...
    def __getitem__(self, place: int | slice) -> Column | tuple[Column, ...]:
        if isinstance(place, slice):
            return tuple(self[i] for i in range(*place.indices(len(self))))
        rest = index(place) + (len(self) if place < 0 else 0)
        if not 0 <= rest < len(self):
            raise IndexError(f"column {place} of {len(self)}")
        fields: dict[str, int | str] = {}
        for field, values in reversed(self.numbers):
            rest, here = divmod(rest, len(values))
            fields[field] = values[here]
        return self._column(fields)

    def __iter__(self) -> Iterator[Column]:
        return map(self._column, self._fields())

    @property
    def names(self) -> list[str]:
        """Return the names in order."""
        return list(_names(self))

    def _column(self, fields: dict[str, int | str]) -> Column:
        return Column(self.name.format(**fields), self.unit, self.source.format(**fields))

    def _fields(self) -> Iterator[dict[str, int | str]]:
        fields = [field for field, _ in self.numbers]
        values: list[Sequence[int | str]] = [list(each) for _, each in self.numbers]
        return (dict(zip(fields, each, strict=True)) for each in product(*values))


#: The columns of an output.
Columns = tuple[Column, ...] | ColumnRule


@lru_cache(maxsize=256)
def _names(rule: ColumnRule) -> tuple[str, ...]:
    return tuple(rule.name.format(**fields) for fields in rule._fields())


def names_of(columns: Columns) -> list[str]:
    """Return the names of columns in order."""
    return columns.names if isinstance(columns, ColumnRule) else [column.name for column in columns]


def suffixed(columns: Columns, suffix: str) -> Columns:
    """Return columns whose names end in a suffix, which holds no braces."""
    if isinstance(columns, ColumnRule):
        return replace(columns, name=columns.name + suffix)
    return tuple(column._replace(name=column.name + suffix) for column in columns)


def unnamed(columns: Columns) -> ColumnRule:
    """Return as many columns that weigh nothing, for whoever asks how many there are and no more."""
    return ColumnRule("{i}", (("i", range(len(columns))),), "", "")


def described(columns: Columns) -> Any:
    """Return columns as JSON knows them."""
    if isinstance(columns, ColumnRule):
        numbers = {field: list(values) for field, values in columns.numbers}
        return {"rule": columns.name, "numbers": numbers, "unit": columns.unit, "source": columns.source}
    return [column._asdict() for column in columns]
