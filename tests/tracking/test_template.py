"""The first opening of the local store: quick, and whole however many processes open it at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ser_experiments.tracking.backends._mlflow import template
from ser_experiments.tracking.backends._mlflow.template import begin_database

OPEN = """
import sys
from pathlib import Path
from ser_experiments.tracking.backends._mlflow.template import begin_database
print("ready", flush=True)
sys.stdin.readline()
begin_database(Path(sys.argv[1]), Path(sys.argv[2]))
import mlflow
client = mlflow.MlflowClient(f"sqlite:///{sys.argv[1]}")
client.create_experiment(sys.argv[3], artifact_location="file:///nowhere")
"""


def _schema(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the columns of every table, and the revision; the text of a migrated table differs from time to time."""
    with closing(sqlite3.connect(path)) as database:
        tables = [str(row[0]) for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: sorted(row[1:] for row in database.execute(f"PRAGMA table_info({name})")) for name in tables}
        revision = database.execute("SELECT version_num FROM alembic_version").fetchall()
    assert len(found) > 10
    return {**found, "revision": revision}


@pytest.mark.slow
def test_what_is_begun_is_what_mlflow_makes(tmp_path: Path, empty_store: Path) -> None:
    database, kept = tmp_path / "mlflow.db", tmp_path / "kept"
    begin_database(database, kept)
    assert _schema(database) == _schema(empty_store)
    (made,) = kept.iterdir()
    assert _schema(made) == _schema(empty_store)
    with closing(sqlite3.connect(database)) as found:
        assert found.execute("SELECT count(*) FROM experiments").fetchone() == (0,)


def test_a_database_that_is_there_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes(b"somebody's")
    begin_database(database, tmp_path / "kept")
    assert database.read_bytes() == b"somebody's"
    assert not (tmp_path / "kept").exists()


def test_where_nothing_can_be_kept_the_database_is_made_in_place(tmp_path: Path, empty_store: Path) -> None:
    (tmp_path / "file").touch()
    begin_database(tmp_path / "mlflow.db", tmp_path / "file" / "kept")
    assert _schema(tmp_path / "mlflow.db") == _schema(empty_store)


@pytest.mark.slow
def test_the_second_project_does_not_migrate_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin_database(tmp_path / "first.db", tmp_path / "kept")

    def never(path: Path) -> None:
        raise AssertionError("migrated again")

    monkeypatch.setattr(template, "_make", never)
    begin_database(tmp_path / "second.db", tmp_path / "kept")
    assert _schema(tmp_path / "second.db") == _schema(tmp_path / "first.db")


@pytest.mark.slow
def test_processes_that_begin_it_at_once_all_find_it_whole(tmp_path: Path) -> None:
    database, kept = tmp_path / "mlflow.db", tmp_path / "kept"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, str(database), str(kept), f"e{number}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in started:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
    with closing(sqlite3.connect(database)) as found:
        names = {row[0] for row in found.execute("SELECT name FROM experiments")}
    assert {"e0", "e1", "e2", "e3"} <= names
