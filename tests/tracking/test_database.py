"""What is written into MLflow's file without MLflow: row by row what MLflow itself would have written."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from ser_experiments import project
from ser_experiments.errors import StoreError
from ser_experiments.tracking import Child, RunRecord, connect, start
from ser_experiments.tracking.backend import StoreAway
from ser_experiments.tracking.backends._mlflow import database
from ser_experiments.tracking.backends._mlflow.database import Database
from ser_experiments.tracking.kept import Step
from ser_experiments.tracking.record import Stepped
from ser_experiments.tracking.sync import deliver_abandoned
from tests.tracking.test_backends import TAGS, everything_is_there, log, record

#: What differs from run to run: ids and times.
_ID, _TIME = re.compile(r"\b(m-)?[0-9a-f]{32}\b"), re.compile(r"\b1\d{12}\b|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}")


def plain(value: Any, seen: dict[str, str]) -> str:
    """Return a value with its ids numbered in the order of their appearance, and without its times."""
    text = _TIME.sub("<time>", str(value))
    return _ID.sub(lambda found: seen.setdefault(found[0], f"<id {len(seen)}>"), text)


def rows(path: Path) -> dict[str, list[str]]:
    """Return every row of every table by its columns' names; ids are of the same number where they are the same."""
    with closing(sqlite3.connect(path)) as found:
        names = [str(row[0]) for row in found.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        told: dict[str, list[dict[str, Any]]] = {}
        for name in sorted(names):
            cursor = found.execute(f"SELECT * FROM {name}")
            columns = [one[0] for one in cursor.description]
            told[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    seen: dict[str, str] = {}
    for run in told["runs"]:
        plain(run["run_uuid"], seen)
    for model in told["logged_models"]:
        plain(model["model_id"], seen)
    for dataset in told["datasets"]:
        plain(dataset["dataset_uuid"], seen)
    # Edges have ids of their own, which nothing but their tags knows.
    edges = {edge["input_uuid"]: f"{edge['source_type']}-{edge['destination_type']}" for edge in told["inputs"]}
    for table in ("inputs", "input_tags"):
        for row in told[table]:
            row["input_uuid"] = edges[row["input_uuid"]]
    # Outboxes are called what they like.
    for tag in told["tags"]:
        tag["value"] = "<outbox>" if tag["key"] == "ser.outbox" else tag["value"]
    return {name: sorted(plain(sorted(row.items()), seen) for row in found) for name, found in told.items()}


def files(folder: Path) -> dict[str, list[str]]:
    """Return the texts of all files of each name, without ids and times."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in {"estimator.skops", "model.json"}:
            texts = found.setdefault(plain(path.relative_to(folder), {}), [])
            texts.append(plain(path.read_text(encoding="utf-8"), {}))
    return {name: sorted(texts) for name, texts in found.items()}


def fails(record: RunRecord) -> None:
    with start(project.find(), name="a", setting="demo-4class", rows="abcdef1", tags=TAGS, note="") as run:
        run.log(record)
        raise ZeroDivisionError("boom")


def everything(folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Log one of everything: the third run finds setting and dataset, the last one fails."""
    log()
    log(rows="other99")
    log(**{"ser.long": "x" * 6000})
    with start(project.find(), name="late", setting="demo-4class", rows="abcdef1", tags=TAGS, note="") as run:
        run.log(RunRecord(params={"long": "y" * 700}, metrics={"uar": 0.1}, stepped=[Stepped("uar", 3, 0.9)]))
        # Told late: the step counts, not the order.
        run.log(RunRecord(stepped=[Stepped("uar", 2, 0.2), Stepped("uar", 7, 0.7)]))
    with suppress(ZeroDivisionError):
        fails(RunRecord(children=[Child("trial", {"C": 1}, {"inner_uar": 0.5}, {"ser.fold": "a"})]))
    return rows(folder / "mlruns" / "mlflow.db"), files(folder / "mlruns" / "artifacts")


def test_every_row_and_file_is_as_mlflow_writes_it(
    project_folder: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(connect(project.find()).writer, Database), "the schema of this MLflow is not known"
    ours = everything(project_folder)
    for path in (project_folder / "mlruns").iterdir():
        path.rename(project_folder / f"ours-{path.name}")
    (project_folder / "mlruns" / "mlflow.db").write_bytes(empty_store.read_bytes())
    monkeypatch.setattr(database, "SCHEMAS", frozenset())
    assert not isinstance(connect(project.find()).writer, Database)
    theirs = everything(project_folder)
    assert set(ours[0]) == set(theirs[0])
    for table, expected in theirs[0].items():
        assert ours[0][table] == expected, table
    assert ours[1] == theirs[1]
    assert len(ours[1]) > 10
    assert len(ours[0]["runs"]) == 9
    assert len(ours[0]["logged_models"]) == 3


def test_mlflow_reads_the_model_that_is_described_by_hand(project_folder: Path) -> None:
    from mlflow.models import Model, ModelSignature
    from mlflow.types.schema import Array, ColSpec, DataType, Map, Schema

    log()
    (path,) = (project_folder / "mlruns").rglob("MLmodel")
    found = Model.load(path)
    answers = [ColSpec(DataType.string, "label"), ColSpec(Map(DataType.double), "probabilities")]
    answers += [ColSpec(Array(DataType.string), "warnings"), ColSpec(DataType.string, "error")]
    assert found.signature == ModelSignature(Schema([ColSpec(DataType.double, "x")]), Schema(answers))
    # What MLflow makes of what it read is what was written.
    assert yaml.safe_load(found.to_yaml()) == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_a_store_that_is_begun_here_is_one_to_mlflow(project_folder: Path) -> None:
    """The shared empty store has MLflow's first experiment; one that is begun from the template has none yet."""
    with closing(sqlite3.connect(project_folder / "mlruns" / "mlflow.db")) as made, made:
        made.execute("DELETE FROM experiments")
    log()
    found = connect(project.find()).client.search_experiments(order_by=["experiment_id ASC"])
    assert [(one.experiment_id, one.name) for one in found] == [("0", "Default"), ("1", "demo-4class")]


@pytest.mark.parametrize("spoilt", ["another schema", "another place", "no place", "workspaces"])
def test_what_is_not_known_is_left_to_mlflow(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    path = project_folder / "mlruns" / "mlflow.db"
    assert Database.open(path) is not None
    if spoilt == "workspaces":
        monkeypatch.setenv("MLFLOW_ENABLE_WORKSPACES", "true")
    else:
        change = {
            "another schema": "UPDATE alembic_version SET version_num = '0123456789ab'",
            "no place": "UPDATE experiments SET artifact_location = NULL",
            "another place": "UPDATE experiments SET artifact_location = 's3://bucket/0'",
        }[spoilt]
        with closing(sqlite3.connect(path)) as made, made:
            made.execute(change)
    assert Database.open(path) is None


def test_a_file_that_is_gone_is_not_made_again(project_folder: Path) -> None:
    store = connect(project.find())
    path = project_folder / "mlruns" / "mlflow.db"
    path.unlink()
    with pytest.raises(StoreAway, match="unable to open"):
        store.status("0" * 32)
    assert not path.exists()


def test_a_schema_that_changes_meanwhile_is_left_to_mlflow(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody runs `mlflow db upgrade` of another version: what is left is kept, and logged by MLflow itself."""
    with start(project.find(), name="svm_lld", setting="demo-4class", rows="abcdef1", tags=TAGS, note="") as run:
        with monkeypatch.context() as changed:
            changed.setattr(database, "SCHEMAS", frozenset({"0123456789ab"}))
            run.log(record())
        assert run.away
    monkeypatch.setattr(database, "SCHEMAS", frozenset())
    later = connect(project.find())
    assert not isinstance(later.writer, Database)
    assert [done.status for done in deliver_abandoned(project.find(), later)] == ["FINISHED"]
    everything_is_there(later, run.run_id, project_folder)


def test_a_transaction_is_kept_whole_or_not_at_all(project_folder: Path) -> None:
    store = connect(project.find())
    setting = store.setting_id("s", "r")
    run_id = store.create_run(setting, "a", {})
    found = Database.open(project_folder / "mlruns" / "mlflow.db")
    assert found is not None
    with suppress(ZeroDivisionError), found.writing() as rows:
        rows.execute("UPDATE runs SET status = 'FAILED'")
        raise ZeroDivisionError
    assert store.status(run_id) == "RUNNING"


@pytest.mark.parametrize("name", ["not-allowed!?", "a//b", "../a", "/a", "x" * 251, ""])
def test_names_that_mlflow_refuses_are_refused_here(project_folder: Path, name: str) -> None:
    from mlflow.exceptions import MlflowException

    store = connect(project.find())
    run_id = store.create_run(store.setting_id("s", "r"), "a", {})
    step = Step(Path("000001-params"), "params", {name: "1"})
    with pytest.raises(StoreError, match="MLflow takes no parameter, metric or tag called") as refused:
        store.perform(step, run_id)
    assert not isinstance(refused.value, StoreAway)
    with pytest.raises(MlflowException):
        store.client.log_param(run_id, name, "1")


def test_a_parameter_does_not_change(project_folder: Path) -> None:
    with start(project.find(), name="a", setting="s", rows="r", tags={}, note="") as run:
        run.log(RunRecord(params={"C": 1}))
        with pytest.raises(StoreError, match="'C' of run .* is '1' already and cannot become '2'") as refused:
            run.log(RunRecord(params={"C": 2}))
    assert not isinstance(refused.value, StoreAway)


#: A process that finds the tests from any folder.
WITH_TESTS = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
WRITES = """
import sys
from tests.tracking.test_backends import TAGS
from ser_experiments import project
from ser_experiments.tracking import RunRecord, start
sys.stdin.readline()
with start(project.find(), name="a", setting="s", rows="r", tags=TAGS, note="") as run:
    for number in range(20):
        run.log(RunRecord(metrics={f"m{number}": 0.5}))
print(run.experiment_id)
"""


@pytest.mark.slow
def test_processes_that_write_at_once_all_are_heard(project_folder: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=WITH_TESTS
        )
        for _ in range(3)
    ]
    told = [process.communicate("go\n", timeout=300)[0].strip() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(set(told)) == 1
    (setting,) = connect(project.find()).settings()
    assert [len(run.metrics) for run in setting.runs] == [20, 20, 20]


@pytest.mark.slow
def test_a_run_imports_no_mlflow(project_folder: Path) -> None:
    program = f"{WRITES}\nprint([one for one in sys.modules if one.split('.')[0] in ('mlflow', 'sqlalchemy')])"
    done = subprocess.run(
        [sys.executable, "-c", program], input="go\n", capture_output=True, text=True, check=False, env=WITH_TESTS
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
