"""What has the same content has one digest, and any change of it, alone, gives another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_experiments import identity
from ser_experiments.identity import canonical, of, of_array, of_column, of_table


@dataclass(frozen=True)
class Reference:
    """Stands for an array on disk, as cells of a table do."""

    content: bytes
    place: str = ""

    @property
    def identity(self) -> dict[str, object]:
        return {"content": self.content}

    def __repr__(self) -> str:
        return "<reference>"


#: A column of each kind, and that column with one cell changed.
COLUMNS: dict[str, tuple[list[Any], Any, str]] = {
    "float32": ([0.5, 1.5, 2.5], 1.25, "float32"),
    "float64": ([0.5, np.nan, 2.5], 0.0, "float64"),
    "int": ([1, 2, 3], 5, "int64"),
    "bool": ([True, False, True], True, "bool"),
    "string": (["a", "b", "c"], "B", "str"),
    "object text": (["a", None, "c"], "None", "object"),
    "category": (["a", "b", "a"], "a", "category"),
    "nullable": ([1, None, 3], 0, "Int64"),
    "arrays": ([np.zeros(2), np.ones(3), np.ones(2)], np.zeros(3), "object"),
    "references": ([Reference(b"x"), Reference(b"y"), Reference(b"z")], Reference(b"yy"), "object"),
}


def column(cells: list[Any], dtype: str) -> pd.Series:
    filled = pd.Series([None] * len(cells), dtype=object)
    for place, cell in enumerate(cells):
        filled.iat[place] = cell
    return filled if dtype == "object" else filled.astype(dtype)


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_column_is_told_by_every_cell(kind: str) -> None:
    cells, other, dtype = COLUMNS[kind]
    whole = column(cells, dtype)
    assert of_column(whole) == of_column(column(list(cells), dtype))
    if kind != "category":
        changed = column([cells[0], other, *cells[2:]], dtype)
        assert of_column(changed) != of_column(whole)
    assert of_column(whole.iloc[[1, 0, 2]]) != of_column(whole)
    assert of_column(whole.iloc[:2]) != of_column(whole)
    assert len(of_column(whole)) == 32


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_table_is_told_by_every_part_and_by_nothing_else(kind: str) -> None:
    cells, _, dtype = COLUMNS[kind]
    table = pd.DataFrame({"x": column(cells, dtype), "y": [1.0, 2.0, 3.0]}).set_axis(["u", "v", "w"])
    same = of_table(table.copy())
    assert same == of_table(table)
    table.attrs["note"] = "no content"
    assert of_table(table.rename_axis("utterance_id")) == same
    for name, other in {
        "a column's name": table.rename(columns={"x": "z"}),
        "the order of the columns": table[["y", "x"]],
        "a column less": table[["x"]],
        "the order of the rows": table.iloc[[1, 0, 2]],
        "an id": table.rename(index={"v": "V"}),
        "another column's cell": table.assign(y=[1.0, 2.0, 4.0]),
        "another column's type": table.assign(y=[1, 2, 3]),
    }.items():
        assert of_table(other) != same, name
    assert len(same) == 32
    assert len(of_table(table, size=8)) == 16


def test_a_reference_is_told_by_what_it_stands_for() -> None:
    cells = [Reference(b"x", "here"), Reference(b"x", "there")]
    assert of(cells[0]) == of(cells[1])
    assert repr(Reference(b"x")) == repr(Reference(b"y"))
    assert of(Reference(b"x")) != of(Reference(b"y"))
    assert of(Reference(b"x")) != of({"content": b"x"})


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint8", "bool", "<U3", "complex64"])
def test_an_array_is_told_by_type_shape_and_content(dtype: str) -> None:
    values = np.arange(6).reshape(2, 3).astype(dtype)
    same = of_array(values)
    assert same == of_array(values.copy())
    assert same == of_array(np.asfortranarray(values)), "how it lies in memory is no content"
    assert same == of_array(np.pad(values, 1)[1:-1, 1:-1])
    other = values.copy()
    other[1, 2] = 0
    assert len({same, of_array(other), of_array(values.T), of_array(values.ravel()), of_array(values[:1])}) == 5
    assert same != of_array(values.astype({"<U3": "<U4", "complex64": "complex128"}.get(dtype, "float16")))
    assert of_array(values.tolist()) == of_array(np.asarray(values.tolist()))  # type: ignore[arg-type]


def test_an_array_of_objects_is_told_by_its_cells() -> None:
    cells = np.array([Reference(b"x"), None, "a", 1], dtype=object)
    assert of_array(cells) == of_array(cells.copy())
    assert of_array(cells) != of_array(cells.reshape(2, 2))
    assert of_array(cells) != of_array(np.array([Reference(b"y"), None, "a", 1], dtype=object))


plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def _normal(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@settings(max_examples=150, deadline=None)
@given(one=plain, other=plain)
def test_plain_values_have_one_digest_exactly_when_they_are_equal(one: Any, other: Any) -> None:
    assert (of(one) == of(other)) == (_normal(one) == _normal(other))
    assert canonical(one) == one
    assert len(of(one)) == 32


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text(max_size=4), plain, min_size=2, max_size=5), st.randoms())
def test_the_order_of_a_mapping_is_no_content(value: dict[str, Any], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert of(dict(items)) == of(value)
    for name, kept in value.items():
        assert of({**value, name: [kept, "changed"]}) != of(value)
        assert of({key: held for key, held in value.items() if key != name}) != of(value)


def test_what_it_is_held_in_is_no_content() -> None:
    assert of((1, 2)) == of([1, 2])
    assert of({3, 1, 2}) == of(frozenset([2, 3, 1])) == of([1, 2, 3])
    assert of({"b", "a"}) == of(["a", "b"])
    assert of({1.5, "a"}) == of({"a", 1.5})
    assert of(np.float64(0.5)) == of(0.5)
    assert of(np.int64(3)) == of(3)
    assert of(np.bool_(True)) == of(True)
    assert of(np.str_("a")) == of("a")
    assert of(bytearray(b"x")) == of(b"x") == of(memoryview(b"x"))
    assert of(pd.Index(["a"])) == of(pd.Series(["a"]))


def test_the_order_within_an_identity_is_no_content() -> None:
    class Described:
        def __init__(self, **facts: int) -> None:
            self.identity = facts

    one, same, other = Described(b=1, a=1), Described(a=1, b=1), Described(a=9, b=0)
    assert of({one, other}) == of({same, other})
    assert of({one: "x"}) == of({same: "x"})
    assert of({one: "x"}) != of({other: "x"})


def test_what_is_missing_is_missing_however_it_is_written() -> None:
    one, *others = (of_column(pd.Series(["a", cell], dtype=object)) for cell in (None, np.nan, pd.NA, pd.NaT))
    assert set(others) == {one}
    assert of_column(pd.Series(["a", None], dtype="str")) == one
    assert of_column(pd.Series(["a", ""])) != one
    assert of_column(pd.Series([1, 2.5], dtype=object)) != of_column(pd.Series([1, None], dtype=object))
    assert of_column(pd.Index([1, 2])) == of_column(pd.Series([1, 2]))


def test_the_canonical_form_is_fixed() -> None:
    """Another form makes everything that is kept unknown, so that a change of it must be meant."""
    array = np.array([1, 2], dtype="<i4")
    of_one = identity.of_bytes([b'["<i4", [2]]', array.tobytes()])
    assert of_array(array) == of_one
    assert canonical(array) == {"array": of_one}
    assert canonical(b"x") == {"bytes": identity.of_bytes([b"x"])}
    assert canonical(Reference(b"x")) == {"identity": {"content": canonical(b"x")}}
    assert canonical({1: 2, "a": 3, (1, "b"): 4}) == {"int:1": 2, "a": 3, 'tuple:[1, "b"]': 4}
    assert of_array(np.array([["a", 1]], dtype=object)) == of([[1, 2], ["a", 1]])
    series = pd.Series(array, name="x")
    assert canonical(series) == {"column": of_one}
    table = pd.DataFrame({"x": series}).set_axis(["u", "v"])
    block = identity.of_bytes([b'["<i4", 2, 1]', array.tobytes()])
    assert of_table(table) == of({"columns": of([["x"], [block]]), "index": of(["u", "v"])})
    assert canonical(table) == {"table": of_table(table)}
    assert of_table(table.set_axis([1, 2])) == of_table(table.set_axis(["1", "2"]))


def test_types_that_look_alike_stay_apart() -> None:
    values = [1, "1", True, 1.5, "1.5", None, "None", [], {}, "", b"", b"1", [1], [[1]], {"1": 1}, {1: 1}, {1.0: 1}]
    values += [
        {True: 1},
        {None: 1},
        {"None": 1},
        {(1,): 1},
        {2: 1},
        {"2": 1},
        np.array([1]),
        pd.Series([1]),
        pd.DataFrame({"1": [1]}),
    ]
    digests = {of(value) for value in values}
    assert len(digests) == len(values)


@pytest.mark.parametrize("value", [object(), len, Path("x"), 1j, {"a": object()}, [Exception()], {1: [len]}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=r"has no identity; give it a property of that name"):
        of(value)


def test_the_message_names_the_type() -> None:
    class Inner: ...

    with pytest.raises(TypeError, match=r"^tests\.test_identity\.test_the_message.*\.Inner has no identity"):
        of(Inner())


def test_digests_are_blake2b_so_that_anybody_can_check_them() -> None:
    def by_hand(content: bytes, size: int) -> str:
        return hashlib.blake2b(content, digest_size=size).hexdigest()

    assert identity.of_lines(["a", "b"]) == by_hand(b"a\nb", 8)
    assert identity.of_lines(["ä"], size=6) == by_hand("ä".encode(), 6)
    assert identity.of_bytes([b"a", memoryview(b"b")]) == by_hand(b"ab", 16)
    assert identity.of_bytes([], size=4) == by_hand(b"", 4)
    assert of({"b": [1, 2.5], "a": "ä"}) == by_hand(b'{"a": "\\u00e4", "b": [1, 2.5]}', 16)
    assert of("a", size=6) == by_hand(b'"a"', 6)


def test_a_file_is_told_by_its_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000  # more than one block
    for name, held in (("one", content), ("two", content), ("other", content[:-1] + b"x"), ("empty", b"")):
        (tmp_path / name).write_bytes(held)
    one, two, other, empty = (identity.of_file(tmp_path / name) for name in ("one", "two", "other", "empty"))
    assert one == two == identity.of_bytes([content])
    assert len({one, other, empty}) == 3
    assert identity.of_file(str(tmp_path / "one"), size=8) == identity.of_bytes([content], size=8)
    with pytest.raises(OSError, match="none"):
        identity.of_file(tmp_path / "none")


def test_assets_are_told_by_names_and_bytes_not_by_where_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for path, content in (("a/w", b"1"), ("w", b"1"), ("v", b"2")):
        (tmp_path / path).write_bytes(content)
    one = identity.of_assets({"weights": tmp_path / "w", "other": tmp_path / "v"})
    assert one == identity.of_assets({"other": str(tmp_path / "v"), "weights": tmp_path / "a" / "w"})
    assert one != identity.of_assets({"weights": tmp_path / "v", "other": tmp_path / "w"})
    assert one != identity.of_assets({"weights": tmp_path / "w", "another": tmp_path / "v"})
    assert len(one) == 32
    assert len(identity.of_assets({"w": tmp_path / "w"}, size=6)) == 12


def test_versions_of_libraries() -> None:
    found = identity.libraries(["numpy", "no-such-thing|pandas", "no-such-thing"])
    assert found == {
        "no-such-thing": "none",
        "no-such-thing|pandas": version("pandas"),
        "numpy": version("numpy"),
    }
    assert list(found) == sorted(found)
    assert identity.libraries(["numpy|pandas"]) == {"numpy|pandas": version("numpy")}


def _utterances() -> pd.DataFrame:
    index = pd.Index(["u", "v", "w"], name="utterance_id")
    return pd.DataFrame({"label": ["a", "b", "a"], "session": ["1", None, "2"], "other": [1, 2, 3]}, index=index)


def test_rows_are_told_by_ids_and_the_columns_asked_for() -> None:
    rows, asked = _utterances(), ["label", "session"]
    same = identity.of_rows(rows, asked)
    assert len(same) == 12
    assert same == identity.of_rows(rows.iloc[::-1], asked), "their order is no content"
    assert same == identity.of_rows(rows.assign(other=0), asked)
    assert same == identity.of_rows(rows, tuple(asked))
    changes: dict[str, Callable[[], str]] = {
        "an id": lambda: identity.of_rows(rows.rename(index={"v": "x"}), asked),
        "a label": lambda: identity.of_rows(rows.assign(label=["a", "b", "b"]), asked),
        "which row has which label": lambda: identity.of_rows(rows.assign(label=["b", "a", "a"]), asked),
        "a session": lambda: identity.of_rows(rows.assign(session=["1", None, "3"]), asked),
        "a row less": lambda: identity.of_rows(rows.iloc[1:], asked),
        "the columns": lambda: identity.of_rows(rows, ["label"]),
        "their order": lambda: identity.of_rows(rows, asked[::-1]),
    }
    for name, changed in changes.items():
        assert changed() != same, name
    assert identity.of_rows(rows, ["label"]) == identity.of_lines(["u\ta", "v\tb", "w\ta"], size=6)
    assert same == identity.of_lines(["u\ta\t1", "v\tb\t", "w\ta\t2"], size=6), "what is missing is empty"
