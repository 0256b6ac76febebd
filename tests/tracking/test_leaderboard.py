"""Which runs stand on a leaderboard, read from a real store, and what `ser compare` says of them."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ser_experiments import project
from ser_experiments.cli import ser
from ser_experiments.errors import InputError, StoreError
from ser_experiments.evaluation.scoring import pooled
from ser_experiments.frames import Predictions
from ser_experiments.tracking import RunRecord, connect, start
from ser_experiments.tracking.leaderboard import choose_runs, choose_setting, load_scored
from tests.served import wait_until_answered

CLASSES = ["anger", "none"]


def predictions(skill: float, seed: int = 0) -> pd.DataFrame:
    """Return predictions of 6 speakers ``01`` and so on; the labels are always the same."""
    rng = np.random.default_rng(seed)
    truth = np.tile(CLASSES, 60)
    of_truth = np.clip(rng.normal(skill, 0.3, 120), 0.01, 0.99)
    anger = np.where(truth == "anger", of_truth, 1 - of_truth)
    frame = pd.DataFrame({"fold": np.repeat([f"{i:02d}" for i in range(1, 7)], 20)})
    frame["speaker"] = frame["group"] = frame["fold"]
    frame["session"] = None
    frame["label"] = truth
    frame["predicted"] = np.where(anger >= 0.5, "anger", "none")
    frame["p_anger"], frame["p_none"] = anger, 1 - anger
    frame.index = pd.Index([f"u{i:03d}" for i in range(120)], name="utterance_id")
    return frame


def said(frame: pd.DataFrame) -> RunRecord:
    """Return what a leaderboard asks of a run."""
    return RunRecord(tables={"predictions.csv": frame}, texts={"result.json": json.dumps({"interval_unit": "speaker"})})


def log(
    name: str,
    skill: float,
    *,
    draw: int = 0,
    seed: int = 0,
    setting: str = "demo-2class",
    corpus: str = "demo",
    error: Exception | None = None,
    **more: object,
) -> str:
    """Log a run, which an error may end, and return its id."""
    tags: dict[str, object] = {
        "ser.experiment": name,
        "ser.corpus": corpus,
        "ser.labels": "2class",
        "ser.protocol": "p",
        "ser.seed": seed,
    }
    tags |= {f"ser.{key}": value for key, value in more.items()}
    with start(project.find(), name=name, setting=setting, rows=f"rows-{setting}", tags=tags, note="") as run:
        run.log(said(predictions(skill, draw)))
        if error is not None:
            raise error
    return run.run_id


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(ser, ["compare", *arguments], catch_exceptions=False)


@pytest.fixture
def runs(project_folder: Path) -> dict[str, str]:
    """Log two experiments, one of them twice, a failed one, a nested one, and one of another setting."""
    ids = {"old": log("svm_lld", 0.95)}
    ids["good"] = log("xgb_lld", 0.8)
    ids["poor"] = log("svm_lld", 0.6, draw=1)
    with pytest.raises(ValueError, match="boom"):
        log("failed", 0.99, error=ValueError("boom"))
    client = connect(project.find()).client
    parent = client.get_run(ids["good"])
    nested = client.create_run(
        parent.info.experiment_id, run_name="trial", tags={"mlflow.parentRunId": ids["good"], "ser.experiment": "trial"}
    )
    client.set_terminated(nested.info.run_id, "FINISHED")
    ids["other"] = log("lgbm_lld", 0.7, setting="emodb4-4class", corpus="emodb4")
    return ids


def test_only_finished_runs_count_and_the_latest_of_each_name(runs: dict[str, str]) -> None:
    client = connect(project.find())
    assert [s.name for s in client.settings()] == ["emodb4-4class", "demo-2class"]
    setting, _ = choose_setting(client, "demo-2class")
    assert {run.run_id for run in choose_runs(setting)} == {runs["good"], runs["poor"]}
    assert {run.run_id for run in choose_runs(setting, every=True)} == {runs["old"], runs["good"], runs["poor"]}
    assert [run.run_id for run in choose_runs(setting, ["svm_lld"])] == [runs["poor"]]
    assert [run.run_id for run in choose_runs(setting, [runs["old"][:8]])] == [runs["old"]]
    with pytest.raises(InputError, match="no finished run 'svm_ldd'.*did you mean 'svm_lld'"):
        choose_runs(setting, ["svm_ldd"])
    with pytest.raises(InputError, match="no finished run 'failed'"):
        choose_runs(setting, ["failed"])


def test_what_was_changed_for_a_run_is_a_candidate_of_its_own(project_folder: Path) -> None:
    plain = log("svm_lld", 0.7, changes="")
    changed = [log("svm_lld", skill, changes="model.C=9.0") for skill in (0.8, 0.75)]
    seeded = log("svm_lld", 0.65, changes="", seed=1)
    tables = log("svm_lld", 0.6, changes="", features="table:mine.parquet")
    shown = invoke()
    assert "4 candidates of 5 finished runs" in shown.output
    assert f"svm_lld {changed[1][:8]}: seed 0, model.C=9.0" in shown.output
    board = json.loads(invoke("--json").output)["runs"]
    assert {row["run_id"] for row in board} == {plain, changed[1], seeded, tables}
    assert {row["changes"] for row in board} == {"", "model.C=9.0"}
    refused = CliRunner().invoke(ser, ["register", "svm_lld", "--allow-demo"])
    assert isinstance(refused.exception, InputError)
    assert "was run in 4 ways" in str(refused.exception)
    assert f"svm_lld {changed[1][:8]}: seed 0, model.C=9.0" in invoke("--markdown").output


def test_the_setting_of_the_latest_run_or_as_asked(runs: dict[str, str]) -> None:
    client = connect(project.find())
    chosen, others = choose_setting(client)
    assert (chosen.name, others) == ("emodb4-4class", ["demo-2class"])
    assert choose_setting(client, corpus="demo")[0].name == "demo-2class"
    assert choose_setting(client, labels="2class", protocol="p")[0].name == "emodb4-4class"
    for asked, message in (
        ({"setting": "demo-2clas"}, "did you mean 'demo-2class'"),
        ({"corpus": "dem"}, "did you mean 'demo'"),
        ({"protocol": "q"}, "no finished runs with protocol 'q'"),
        ({"corpus": "demo", "setting": "emodb4-4class"}, "no finished runs with corpus 'demo'"),
    ):
        with pytest.raises(InputError, match=message):
            choose_setting(client, **asked)


def test_an_empty_store_says_what_to_do(project_folder: Path) -> None:
    with pytest.raises(InputError, match="no finished runs in the store; run an experiment first"):
        choose_setting(connect(project.find()))


def test_a_run_without_predictions_is_left_out_aloud(
    runs: dict[str, str], project_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(project.find())
    setting, _ = choose_setting(client, "demo-2class")
    (lost,) = (p for p in project_folder.rglob("predictions.csv") if runs["poor"] in str(p))
    lost.unlink()
    kept = load_scored(client, choose_runs(setting))
    assert [one.run.run_id for one in kept] == [runs["good"]]
    assert runs["poor"] in caplog.text
    with pytest.raises(StoreError, match="none of the runs has predictions"):
        load_scored(client, choose_runs(setting, ["svm_lld"]))


def test_identifiers_and_classes_come_back_as_strings(runs: dict[str, str]) -> None:
    client = connect(project.find())
    setting, _ = choose_setting(client, "demo-2class")
    (one,) = load_scored(client, choose_runs(setting, ["xgb_lld"]))
    assert set(one.predictions.frame["speaker"]) == {"01", "02", "03", "04", "05", "06"}
    assert set(one.predictions.frame["label"]) == {"anger", "none"}
    assert (one.unit, one.unit_column) == ("speaker", "speaker")


def test_compare_as_json(runs: dict[str, str]) -> None:
    done = invoke("--setting", "demo-2class", "--json")
    board = json.loads(done.stdout)
    expected = {
        runs["good"]: pooled(Predictions.of_classes(predictions(0.8)))["uar"],
        runs["poor"]: pooled(Predictions.of_classes(predictions(0.6, 1)))["uar"],
    }
    assert {row["run_id"]: row["uar"] for row in board["runs"]} == pytest.approx(expected)
    best, second = board["runs"]
    assert best["experiment"] == board["best"] == "xgb_lld"
    assert second["difference"] == pytest.approx(second["uar"] - best["uar"])
    assert second["difference_low"] < second["difference"] < second["difference_high"]
    assert second["detectable"] > 0
    assert (board["n_candidates"], board["n_finished_runs"], board["n_groups"]) == (2, 3, 6)
    assert board["best_corrected"] <= board["best_score"] + 0.02
    assert json.loads(invoke("--setting", "demo-2class", "--all", "--json").stdout)["n_candidates"] == 3


def test_compare_in_words_csv_markdown_and_as_a_picture(runs: dict[str, str], tmp_path: Path) -> None:
    words = invoke()
    assert "setting emodb4-4class, of the latest run; others: demo-2class (--setting NAME)" in words.stderr
    assert "lgbm_lld" in words.stdout
    assert "xgb_lld" not in words.stdout
    words = invoke("--corpus", "demo").stdout  # type: ignore[assignment]
    assert "2 candidates of 3 finished runs; intervals over 6 speakers" in words
    assert "corrected for the choice" in words
    rows = list(csv.DictReader(io.StringIO(invoke("--corpus", "demo", "--csv").stdout)))
    assert [row["experiment"] for row in rows] == ["xgb_lld", "svm_lld"]
    lines = invoke("--corpus", "demo", "--markdown").stdout.splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4
    assert len({line.count("|") for line in table}) == 1
    invoke("--corpus", "demo", "--all", "--picture", str(tmp_path / "board.png"))
    assert (tmp_path / "board.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="cannot be written"):
        invoke("--corpus", "demo", "--picture", str(tmp_path / "board.what"))


@pytest.mark.parametrize("metric", ["log_loss", "brier", "ece"])
def test_where_less_is_better_the_smallest_is_first(runs: dict[str, str], metric: str) -> None:
    rows = json.loads(invoke("--corpus", "demo", "--metric", metric, "--json").stdout)["runs"]
    assert rows[0][metric] <= rows[1][metric]
    assert rows[1]["difference"] >= 0


def test_runs_on_other_rows_are_never_on_one_board(runs: dict[str, str]) -> None:
    tags = {"ser.experiment": "rf_lld", "ser.corpus": "demo"}
    with start(project.find(), name="rf_lld", setting="demo-2class", rows="others", tags=tags, note="") as run:
        run.log(said(predictions(0.9)))
    board = json.loads(invoke("--setting", "demo-2class", "--json").stdout)
    assert {row["experiment"] for row in board["runs"]} == {"xgb_lld", "svm_lld"}


@pytest.fixture
def server(tmp_path: Path, empty_store: Path) -> Iterator[str]:
    """Serve an empty tracking store over loopback."""
    import shutil

    shutil.copy(empty_store, tmp_path / "server.db")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination",
        str(tmp_path / "a"),
    ]
    log = tmp_path / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_answered(f"{url}/health", process, log)
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


@pytest.mark.slow
def test_a_remote_server_gives_the_same_board(
    project_folder: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def board() -> list[dict[str, object]]:
        log("svm_lld", 0.6, draw=1)
        log("xgb_lld", 0.8)
        done = invoke("--json")
        changing = ("run_id", "started")
        return [{k: v for k, v in row.items() if k not in changing} for row in json.loads(done.stdout)["runs"]]

    local = board()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    assert board() == local
    assert mlflow.MlflowClient(server).search_experiments(filter_string="name = 'demo-2class'")
