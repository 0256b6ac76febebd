"""The one reader of small CSV files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_experiments.csvfile import read_csv
from ser_experiments.errors import InputError


def write(folder: Path, content: bytes) -> Path:
    path = folder / "a.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"Id,x\n03,none\nb, 1 \n",
        b"Id;x\n03;none\nb;1\n",
        b"Id\tx\r\n03\tnone\r\nb\t1\r\n",
        b"\xef\xbb\xbfId,x\n03,none\n\n,\nb,1",
        b"Id,x\r03,none\rb,1\r",
    ],
)
def test_every_cell_is_text_whatever_the_program_that_wrote_it(tmp_path: Path, content: bytes) -> None:
    table = read_csv(write(tmp_path, content))
    assert list(table.columns) == ["Id", "x"]
    assert table.to_numpy().tolist() == [["03", "none"], ["b", "1"]]
    assert list(read_csv(tmp_path / "a.csv", lower_names=True).columns) == ["id", "x"]


def test_rows_know_the_line_they_begin_on(tmp_path: Path) -> None:
    table = read_csv(write(tmp_path, 'id,x\n\na,"two\nlines"\nb,\u2028\nc,"a, b"\n'.encode()))
    assert table.index.tolist() == [3, 5, 6]
    assert table["x"].tolist() == ["two\nlines", "", "a, b"]
    write(tmp_path, b'id,x\na,"two\nlines"\nb\n')
    with pytest.raises(InputError, match="line 4: 1 fields, expected 2"):
        read_csv(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no rows"),
        (b"id,x\n", "no rows"),
        (b"id,x,id\n1,2,3\n", "column 'id' occurs twice"),
        (b"id,x\n1,2,3\n", "line 2: 3 fields, expected 2 as in the header"),
        (b"id,x\n\xff,2\n", "not UTF-8 text"),
        (b'id,x\n"1,2\n', "cannot be read as CSV"),
    ],
)
def test_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=message) as error:
        read_csv(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_csv(tmp_path)
