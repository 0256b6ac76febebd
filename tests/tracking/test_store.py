"""The store: where it is, what stands together in it, and how a run ends."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pandas as pd
import pytest

from ser_experiments import project
from ser_experiments.errors import InputError, StoreError
from ser_experiments.tracking import Dataset, RunRecord, connect, start
from ser_experiments.tracking.backends._mlflow.store import tracking_uri
from ser_experiments.tracking.record import Stepped

RUN = {"name": "xgb_lld", "setting": "demo-4class", "tags": {"ser.corpus": "demo"}, "note": "words"}


def test_local_store_is_sqlite_under_mlruns(project_folder: Path) -> None:
    assert tracking_uri(project.find()) == f"sqlite:///{project_folder}/mlruns/mlflow.db"


def test_the_environment_wins(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert tracking_uri(project.find()) == "http://127.0.0.1:1"


@pytest.mark.parametrize("uri", ["mlruns", "file:///tmp/x"])
def test_plain_files_are_refused_in_words(project_folder: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(InputError, match="migrate-filestore"):
        tracking_uri(project.find())


def test_a_server_that_is_away_is_one_line(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError, match="does not answer"):
        connect(project.find())


def test_a_finished_run_has_everything(project_folder: Path) -> None:
    with start(project.find(), rows="abc123", **RUN) as run:
        run.log(
            RunRecord(
                params={"C": 3.0},
                metrics={"uar": 0.5, "nothing": float("nan")},
                stepped=[Stepped("fold_uar", 1, 0.4), Stepped("fold_uar", 2, 0.6)],
                tables={"predictions.csv": pd.DataFrame({"x": [1]})},
                dataset=Dataset("demo", "demo", "d1", {"x": "float64"}, 2),
            )
        )
    client = connect(project.find()).client
    found = client.get_run(run.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "xgb_lld"
    assert found.data.params == {"C": "3.0"}
    assert found.data.metrics == {"uar": 0.5, "fold_uar": 0.6}
    assert [(m.step, m.value) for m in client.get_metric_history(run.run_id, "fold_uar")] == [(1, 0.4), (2, 0.6)]
    assert found.data.tags["mlflow.note.content"] == "words"
    assert found.inputs.dataset_inputs[0].dataset.digest == "d1"
    artifacts = project_folder / "mlruns" / "artifacts"
    assert [p.name for p in artifacts.rglob("predictions.csv")] == ["predictions.csv"]


@pytest.mark.parametrize(("error", "status"), [(ValueError("boom"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_a_run_that_stops_keeps_its_error(project_folder: Path, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), start(project.find(), rows="abc", **RUN) as run:
        raise error
    found = connect(project.find()).client.get_run(run.run_id)
    assert found.info.status == status
    assert type(error).__name__ in found.data.tags["ser.error"]
    assert mlflow.active_run() is None


def test_runs_on_other_rows_never_stand_together(project_folder: Path) -> None:
    ids = {}
    for rows in ("aaaaaa1", "bbbbbb2", "aaaaaa1"):
        with start(project.find(), rows=rows, **RUN) as run:
            ids.setdefault(rows, set()).add(run.experiment_id)
    assert ids["aaaaaa1"].isdisjoint(ids["bbbbbb2"])
    assert len(ids["aaaaaa1"]) == 1
    names = {e.name for e in connect(project.find()).client.search_experiments()}
    assert {"demo-4class", "demo-4class-bbbbbb"} <= names
