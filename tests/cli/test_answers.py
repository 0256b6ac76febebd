"""What programs read of ``ser predict``: JSON that is whole, or nothing, whatever happens midway."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ser_experiments.cli._answers import show
from ser_experiments.cli._recordings import Recording, recordings
from ser_experiments.errors import InputError
from ser_experiments.tasks.classes import Classes

TASK = Classes(("a", "b"))
ANSWER = {"label": "a", "probabilities": {"a": 0.75, "b": 0.25}, "warnings": [], "error": ""}


def answered(sources: list[Path]) -> Iterator[tuple[Recording, dict[str, Any]]]:
    for recording in recordings(sources):
        yield recording, ANSWER


@pytest.mark.parametrize("n_before", [0, 1, 3])
def test_a_list_that_is_refused_midway(n_before: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("path\n" + "one.wav\n" * n_before)
    empty = tmp_path / "empty"
    empty.mkdir()
    sources = [*([listed] if n_before else []), empty]
    with pytest.raises(InputError, match="no audio files"):
        show(answered(sources), TASK, "json")
    out = capsys.readouterr().out
    assert len(json.loads(out or "[]")) == n_before
    assert bool(out) == bool(n_before)


@pytest.mark.parametrize("n_answers", [0, 1, 2])
def test_a_list_that_is_done(n_answers: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(answered([tmp_path / f"{n}.wav" for n in range(n_answers)]), TASK, "json") == (0, n_answers)
    out = capsys.readouterr().out
    assert out.endswith("]\n")
    assert [one["label"] for one in json.loads(out)] == ["a"] * n_answers


def test_an_interruption_leaves_a_whole_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> Iterator[tuple[Recording, dict[str, Any]]]:
        yield from answered([tmp_path / "one.wav"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        show(interrupted(), TASK, "json")
    assert len(json.loads(capsys.readouterr().out)) == 1


@pytest.mark.parametrize("name", ["a\nb.wav", 'quo,"te.wav', "tab\there.wav", "=1+1.wav", "\x1b[31mred.wav"])
def test_a_name_of_any_characters_is_one_row_and_one_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    one = (Recording(Path(name), "p"), ANSWER)
    refused = (Recording(Path(name), "p"), {**ANSWER, "label": "", "probabilities": {}, "error": f"{name}: silent"})
    assert show([one, refused], TASK, "csv") == (1, 2)
    out, err = capsys.readouterr()
    rows = list(csv.reader(io.StringIO(out, newline="")))
    # A spreadsheet would take the name that begins with an equals sign for a formula.
    kept = f"'{name}" if name.startswith("=") else name
    assert [row[:2] for row in rows] == [["path", "label"], [kept, "a"], [kept, ""]]
    assert rows[2][-1] == f"{kept}: silent"
    assert len(err.splitlines()) == 1
    show([one], TASK, None)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("a  a 0.75  b 0.25  ")
    assert line.isprintable()
