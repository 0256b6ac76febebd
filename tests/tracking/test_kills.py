"""A process is killed between any two things that it does to the disk: what it left is logged once, and whole."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ser_experiments import project
from ser_experiments.tracking import connect
from ser_experiments.tracking.backends._mlflow.database import Database
from ser_experiments.tracking.outbox import abandoned, home
from ser_experiments.tracking.sync import deliver_abandoned
from tests.tracking.test_backends import away_from, log
from tests.tracking.test_database import files, rows

#: What the system is asked for that changes a disk; of SQLite every statement counts, too.
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "open", "shutil.copyfile", "shutil.rmtree"}
#: Every moment is tried by `make test-slow`, some by every run of the tests.
SOME = 29


def killed_at(number: int, act: Callable[[], object]) -> bool:
    """Do something in a process that is killed at the n-th change; whether it was."""
    child = os.fork()
    if child == 0:
        left = number

        def change(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def connect_heard(*arguments: Any, **named: Any) -> sqlite3.Connection:
            made = connected(*arguments, **named)
            made.set_trace_callback(change)
            return made

        connected, sqlite3.connect = sqlite3.connect, connect_heard  # type: ignore[assignment]
        code = 1
        try:
            sys.addaudithook(lambda event, _: change() if event in CHANGES else None)
            act()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), status
    return status == signal.SIGKILL


def deliver() -> None:
    deliver_abandoned(project.find(), connect(project.find()))


def put_back(kept: Path, folder: Path) -> None:
    shutil.rmtree(folder / "mlruns")
    shutil.copytree(kept, folder / "mlruns")


def no_outbox_is_left() -> bool:
    return list(abandoned(project.find())) == [] and [*home(project.find()).rglob("step.json")] == []


@pytest.mark.parametrize("every", [pytest.param(SOME, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.soak)])
def test_a_delivery_that_is_killed_at_any_moment(project_folder: Path, tmp_path: Path, every: int) -> None:
    store = connect(project.find())
    assert isinstance(store.writer, Database)
    with away_from(store, 1):
        log()
    mlruns = project_folder / "mlruns"
    shutil.copytree(mlruns, tmp_path / "kept")
    deliver()
    expected = rows(mlruns / "mlflow.db"), files(mlruns / "artifacts")
    number = 1
    put_back(tmp_path / "kept", project_folder)
    while killed_at(number, deliver):
        deliver()
        assert no_outbox_is_left(), number
        for table, told in rows(mlruns / "mlflow.db").items():
            assert told == expected[0][table], (number, table)
        assert files(mlruns / "artifacts") == expected[1], number
        put_back(tmp_path / "kept", project_folder)
        number += every
    assert number > 200


#: What the steps of a run leave, in their order: a table, and what stands in one of its rows.
LEAVE = [
    ("params", "features"), ("metrics", "'uar'"), ("tags", "ser.card"), ("params", "'C', '1'|'key', 'C'.*'value', '1'"),
    ("datasets", "d1"), ("logged_models", "m-|model"), ("logged_model_metrics", "uar"),
]  # fmt: skip


@pytest.mark.parametrize("every", [pytest.param(SOME, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.soak)])
def test_a_run_that_is_killed_at_any_moment(project_folder: Path, tmp_path: Path, every: int) -> None:
    mlruns = project_folder / "mlruns"
    shutil.copytree(mlruns, tmp_path / "kept")
    log()
    expected = steady(rows(mlruns / "mlflow.db"))
    number, statuses = 1, set()
    put_back(tmp_path / "kept", project_folder)
    while killed_at(number, log):
        deliver()
        assert no_outbox_is_left(), number
        told = rows(mlruns / "mlflow.db")
        found = steady(told)
        for table, once in expected.items():
            assert Counter(found[table]) <= Counter(once), (number, table)
        there = [any(re.search(words, row) for row in told[table]) for table, words in LEAVE]
        assert there == sorted(there, reverse=True), (number, there)
        statuses |= {str(re.search(r"'status', '(\w+)'", row)[1]) for row in told["runs"]}  # type: ignore[index]
        put_back(tmp_path / "kept", project_folder)
        number += every
    assert number > 300
    assert statuses == {"FINISHED", "KILLED"}


def steady(told: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out what a kill may change: how the run ended, what is set again, and which of the ids are known."""
    ended = re.compile(r"\('(status|end_time)', [^)]*\)")
    changes = ("ser.error", "mlflow.note.content")
    kept = {name: [row for row in found if not any(said in row for said in changes)] for name, found in told.items()}
    return {name: [re.sub(r"<id \d+>", "<id>", ended.sub("", row)) for row in found] for name, found in kept.items()}
