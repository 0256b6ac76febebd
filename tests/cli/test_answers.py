"""What programs read of ``ser predict``: JSON that is whole, or nothing, whatever happens midway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ser_experiments.cli._answers import show
from ser_experiments.cli._recordings import Recording, recordings
from ser_experiments.errors import InputError
from ser_experiments.task import Classes

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
