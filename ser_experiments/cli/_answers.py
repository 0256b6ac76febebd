"""How answers about recordings are written: lines for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ser_experiments.cli._recordings import Recording
from ser_experiments.cli._say import say
from ser_experiments.words import as_cell, in_one_line

if TYPE_CHECKING:
    from ser_experiments.task import Task

Answer = dict[str, Any]
#: What a step of a timeline says besides its answer.
TIMES = ("start_s", "end_s", "speech")


class _Lines:
    def __init__(self, task: Task, also: Sequence[str]) -> None:
        self._task = task

    def one(self, recording: Recording, answer: Answer) -> None:
        if answer["error"]:
            return
        unlike = f"  (unlike training: {'; '.join(answer['warnings'])})" if answer["warnings"] else ""
        if "timeline" not in answer:
            among = answer.get("candidates")
            said = f"  (among: {', '.join(among)})" if among else ""
            say(f"{self._task.line(answer)}{said}  {in_one_line(str(recording))}{unlike}")
            return
        say(f"{in_one_line(str(recording))}{unlike}")
        for step in answer["timeline"]:
            say(f"{_clock(step['start_s'])}-{_clock(step['end_s'])}  {self._task.line(step)}")

    def end(self, *, refused: bool) -> None:
        """Write nothing last."""


class _Json:
    def __init__(self, task: Task, also: Sequence[str]) -> None:
        self._before = "["

    def one(self, recording: Recording, answer: Answer) -> None:
        piece = {key: value for key in ("start_s", "end_s") if (value := getattr(recording, key)) is not None}
        say(self._before + json.dumps({"path": str(recording.path), **piece, **answer}), nl=False)
        self._before = ",\n "

    def end(self, *, refused: bool) -> None:
        # A list that was begun is ended whatever happens; one that was not is nothing at all.
        if self._before != "[":
            say("]")
        elif not refused:
            say("[]")


class _Csv:
    def __init__(self, task: Task, also: Sequence[str]) -> None:
        self._task, self._also = task, also
        self._begun = False

    def one(self, recording: Recording, answer: Answer) -> None:
        spans = "timeline" in answer
        if not self._begun:
            times = TIMES if spans else ()
            _row(["path", *times, *self._task.cells(self._task.no_answer), *self._also, "warnings", "error"])
            self._begun = True
        for part in answer["timeline"] if spans else [answer]:
            when = [f"{part[key]:.3f}" for key in TIMES] if spans else []
            cells = [*self._task.cells(part).values(), *("; ".join(part.get(name, ())) for name in self._also)]
            _row([str(recording), *when, *cells, "; ".join(answer["warnings"]), answer["error"]])

    def end(self, *, refused: bool) -> None:
        """Write nothing last."""


def show(
    answers: Iterable[tuple[Recording, Answer]], task: Task, form: str | None, *, also: Sequence[str] = ()
) -> tuple[int, int]:
    """Write answers as they come; return the number of recordings that could not be used, and of all.

    Parameters
    ----------
    answers : iterable of (Recording, dict)
        What the task answers, ``warnings``, ``error``, and of a timeline ``timeline``: a list of steps with
        ``start_s``, ``end_s``, ``speech`` and what the task answers.
    task : Task
        What is predicted, in the order of the columns.
    form : {None, "json", "csv"}
        Lines for people by default.
    also : sequence of str
        Fields of answers that hold names, beside what the task answers.
    """
    writers: dict[str | None, type[_Lines | _Json | _Csv]] = {None: _Lines, "json": _Json, "csv": _Csv}
    writer = writers[form](task, also)
    failed = total = 0
    refused = True
    try:
        for recording, answer in answers:
            total += 1
            if answer["error"]:
                failed += 1
                say(in_one_line(answer["error"]), err=True)
            writer.one(recording, answer)
        refused = False
    finally:
        writer.end(refused=refused)
    return failed, total


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):d}:{rest:04.1f}"


def _row(cells: Sequence[str]) -> None:
    # Without a line end of its own the writer would not quote those that names hold.
    line = io.StringIO()
    kept = in_one_line if sys.stdout.isatty() else str
    csv.writer(line, lineterminator="\n").writerow([as_cell(kept(cell)) for cell in cells])
    # In colour nothing is taken for one and left out.
    click.echo(line.getvalue(), nl=False, color=True)
