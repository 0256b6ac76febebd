"""What every tracking store must do, each found by its folder; and a whole project that knows no MLflow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from ser_experiments import plugins, project
from ser_experiments.errors import InputError, StoreError
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import TableModel
from ser_experiments.serving.folder import load_any
from ser_experiments.tracking import Child, Dataset, Run, RunRecord, connect, start
from ser_experiments.tracking.backend import NOTE, PACKAGE, Backend, StoreAway
from ser_experiments.tracking.kept import Step
from ser_experiments.tracking.outbox import abandoned, home
from ser_experiments.tracking.record import Stepped
from ser_experiments.tracking.registry import model_uri, register, registered, roll_back
from ser_experiments.tracking.sync import deliver_abandoned
from tests.command import program, ser
from tests.iemocap_tree import small_tree

BACKENDS = plugins.names(PACKAGE)
TAGS = {"ser.experiment": "svm_lld", "ser.corpus": "demo", "ser.seed": 0}


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("SER_TRACKER", request.param)
    return connect(project.find())


def record() -> RunRecord:
    """Return one of everything."""
    table = pd.DataFrame({"x": [0.0, 1.0] * 5, "group": "g"})
    fitted = build_pipeline("logreg").fit(table, np.array(["a", "b"] * 5))
    return RunRecord(
        params={"C": 3.0, "features": "lld"},
        metrics={"uar": 0.5, "nothing": float("nan")},
        stepped=[Stepped("fold_uar", step, value) for step, value in enumerate([0.4, 0.6], start=1)],
        tags={"ser.card": "c"},
        note="what is known now",
        tables={"predictions.csv": pd.DataFrame({"x": [1]})},
        texts={"plots/words.txt": "wörds"},
        pictures={"surely_wrong.csv": lambda: pd.DataFrame({"y": [2]}), "none.png": lambda: None},
        dataset=Dataset("demo", "demo (words)", "d1", {"x": "float64", "group": "object"}, 1),
        children=[Child("trial 1", {"C": 1}, {"inner_uar": 0.3}, {"ser.fold": "a"})],
        model=TableModel(fitted, ["x"], {"experiment": "svm_lld"}),
    )


def log(name: str = "svm_lld", setting: str = "demo-4class", rows: str = "abcdef1", **tags: object) -> Run:
    told = {**TAGS, "ser.experiment": name, **tags}
    with start(project.find(), name=name, setting=setting, rows=rows, tags=told, note="words") as run:
        run.log(record())
    return run


def read(store: Backend, run_id: str, name: str, folder: Path) -> str:
    return store.artifact(run_id, name, folder).read_text(encoding="utf-8")


def everything_is_there(store: Backend, run_id: str, folder: Path) -> None:
    (run,) = [run for setting in store.settings() for run in setting.runs if run.run_id == run_id]
    assert run.name == "svm_lld"
    assert run.metrics.pop("model_mb") > 0
    assert run.metrics == {"uar": 0.5, "fold_uar": 0.6}
    assert run.tags["ser.card"] == "c"
    assert run.tags["ser.seed"] == "0"
    assert run.tags[NOTE] == "what is known now"
    assert store.status(run_id) == "FINISHED"
    assert "x" in read(store, run_id, "predictions.csv", folder)
    assert read(store, run_id, "plots/words.txt", folder) == "wörds"
    assert "y" in read(store, run_id, "surely_wrong.csv", folder)


def test_stores_are_found_by_their_folder() -> None:
    assert {"json", "mlflow"} <= set(BACKENDS)


def test_a_run_is_there_with_everything(store: Backend, tmp_path: Path) -> None:
    run = log()
    assert not run.away
    everything_is_there(store, run.run_id, tmp_path)
    assert list(home(project.find()).iterdir()) == []
    with pytest.raises(StoreError):
        store.artifact(run.run_id, "none.png", tmp_path)


def test_the_model_knows_its_run(store: Backend) -> None:
    with start(project.find(), name="a", setting="s", rows="r", tags=TAGS, note="") as run:
        uri = run.log(record())
    assert uri is not None
    model = load_any(store.model_folder(uri))
    assert isinstance(model, TableModel)
    assert model.meta["run_id"] == run.run_id
    assert list(model.predict(pd.DataFrame({"x": [-9.0, 9.0]}))["label"]) == ["a", "b"]


@contextmanager
def away_from(store: Backend, number: int) -> Iterator[None]:
    """From the n-th step of logging on, the store is away."""
    kind, count = type(store), 0
    asked = kind.perform

    def perform(self: Backend, step: object, run_id: str) -> object:
        nonlocal count
        count += 1
        if count >= number:
            raise StoreAway("connection refused")
        return asked(self, step, run_id)  # type: ignore[arg-type]

    with mock.patch.object(kind, "perform", perform):
        yield


@pytest.mark.parametrize("number", [1, 4, 7, 9])
def test_a_store_that_goes_away_has_everything_later(store: Backend, number: int, tmp_path: Path) -> None:
    with away_from(store, number):
        run = log()
    assert run.away
    (done,) = deliver_abandoned(project.find(), store)
    assert (done.name, done.run_id, done.status) == ("svm_lld", run.run_id, "FINISHED")
    everything_is_there(store, run.run_id, tmp_path)
    assert deliver_abandoned(project.find(), store) == []


def test_steps_that_were_done_twice_change_nothing(store: Backend, tmp_path: Path) -> None:
    with away_from(store, 1):
        run = log()
    for outbox in abandoned(project.find()):
        steps = outbox.waiting()
        uris = [store.perform(step, run.run_id) for step in steps if step.kind == "model"]
        for step in steps:
            store.perform(step, run.run_id)
    uris += [store.perform(step, run.run_id) for step in steps if step.kind == "model"]
    assert len(set(uris)) == 1
    deliver_abandoned(project.find(), store)
    everything_is_there(store, run.run_id, tmp_path)
    (setting,) = store.settings()
    assert [one.run_id for one in setting.runs] == [run.run_id]


@pytest.mark.parametrize(("error", "status"), [(ValueError("boom"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_a_run_that_stops_is_no_candidate(store: Backend, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), start(project.find(), name="a", setting="s", rows="r", tags=TAGS, note="") as run:
        raise error
    assert store.status(run.run_id) == status
    assert store.settings() == []


def test_a_picture_that_fails_does_not_stop_a_run(store: Backend, caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> pd.DataFrame:
        raise ValueError("no ink")

    with start(project.find(), name="a", setting="s", rows="r", tags=TAGS, note="") as run:
        run.log(RunRecord(pictures={"a.png": fails}))
    assert store.status(run.run_id) == "FINISHED"
    assert "a.png was not logged (ValueError: no ink)" in caplog.text


def test_a_step_of_another_version_is_refused(store: Backend) -> None:
    run = log()
    with pytest.raises(StoreError, match="unknown step '__init__'; allowed are artifacts, dataset, end, ") as refused:
        store.perform(Step(Path("000001-__init__"), "__init__", {}), run.run_id)
    assert not isinstance(refused.value, StoreAway)


def test_settings_begin_with_the_latest_and_other_rows_stand_apart(store: Backend) -> None:
    ids = [log(rows=rows).run_id for rows in ("aaaaaa1", "bbbbbb2", "aaaaaa1")]
    found = store.settings()
    assert [setting.name for setting in found] == ["demo-4class", "demo-4class-bbbbbb"]
    assert [run.run_id for run in found[0].runs] == [ids[2], ids[0]]
    assert found[0].latest.run_id == ids[2]
    assert store.setting_id("demo-4class", "aaaaaa1") == found[0].experiment_id


def test_a_run_that_nobody_knows(store: Backend) -> None:
    assert store.status("0" * 32) is None
    assert store.run_of_outbox(store.setting_id("s", "r"), "nothing") is None


def test_champions_and_their_names(store: Backend) -> None:
    with pytest.raises(InputError, match="no model is registered"):
        model_uri(store)
    first, second = log("svm_lld"), log("xgb_lld")
    (setting,) = store.settings()
    by_id = {run.run_id: run for run in setting.runs}
    for number, run in enumerate((first, second), start=1):
        done = register(store, setting, by_id[run.run_id], "uar")
        assert (done.version, done.aliases, done.run_id) == (number, ("champion",), run.run_id)
        assert done.tags["score"] == "0.5000"
    assert [(one.version, one.aliases) for one in registered(store)] == [(2, ("champion",)), (1, ("previous",))]
    assert roll_back(store, "ser-demo-4class").version == 1
    assert [(one.version, one.aliases) for one in registered(store)] == [(2, ("previous",)), (1, ("champion",))]
    for asked, run in ((None, first), ("demo-4class@previous", second), ("ser-demo-4class/2", second)):
        model = load_any(store.model_folder(model_uri(store, asked)))
        assert model.meta["run_id"] == run.run_id
    for wrong in (
        "models:/ser-demo-4class@best",
        "models:/nothing/1",
        "runs:/nothing/model",
        "models:/ser-demo-4class/9",
    ):
        with pytest.raises(InputError, match="not a model that can be loaded"):
            store.model_folder(wrong)


def test_a_run_without_a_model_is_not_registered(store: Backend) -> None:
    with start(project.find(), name="a", setting="s", rows="r", tags=TAGS, note="") as run:
        pass
    with pytest.raises(StoreError, match="holds no model; run the experiment again"):
        store.register("ser-s", run.run_id, description="", tags={})


# --- a folder of JSON files --------------------------------------------------------------------------------------


def test_an_unknown_store_is_one_line(project_folder: Path) -> None:
    done = program("compare", cwd=project_folder, SER_TRACKER="jsn")
    assert done.returncode == 2
    assert done.stderr.strip() == "error: unknown SER_TRACKER 'jsn'; did you mean 'json'?"


def test_two_who_write_at_once_keep_out_of_each_others_way(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    runs: list[Run] = []
    threads = [threading.Thread(target=lambda: runs.append(log())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = connect(project.find())
    (setting,) = store.settings()
    assert len(setting.runs) == len(runs) == 6
    versions: list[int] = []
    ids = [run.run_id for run in setting.runs]
    threads = [
        threading.Thread(target=lambda one=one: versions.append(store.register("ser-x", one, description="", tags={})))
        for one in ids
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == [1, 2, 3, 4, 5, 6]


def test_a_damaged_run_is_passed_over_aloud(
    project_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    kept, lost = log(), log()
    store = connect(project.find())
    (path,) = (project_folder / "mlruns" / "json").rglob(f"{lost.run_id}/run.json")
    path.write_text("{")
    (setting,) = store.settings()
    assert [run.run_id for run in setting.runs] == [kept.run_id]
    assert str(path) in caplog.text


WAITS = """
import sys, time
from ser_experiments import project
from ser_experiments.tracking import RunRecord, start
with start(project.find(), name="a", setting="s", rows="r", tags={}, note="") as run:
    run.log(RunRecord(metrics={"uar": 0.5}))
    print(run.run_id, flush=True)
    time.sleep(120)
"""


def test_a_killed_run_does_not_stay_running(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    store = connect(project.find())
    assert store.status(run_id) == "RUNNING"
    assert deliver_abandoned(project.find(), store) == []
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    (done,) = deliver_abandoned(project.find(), store)
    assert (done.run_id, done.status) == (run_id, "KILLED")
    assert list(home(project.find()).iterdir()) == []


WHOLE = """
import sys
from tests.command import ser
answers = {}
for name, arguments in {
    "run": ["run", "svm_lld", "--corpus", "iemocap", "--root", sys.argv[1], "--json"],
    "compare": ["compare", "--json"],
    "register": ["register", "--json"],
    "list": ["register", "--list", "--json"],
    "predict": ["predict", "--json", sys.argv[2]],
    "sync": ["sync"],
    "ui": ["ui"],
}.items():
    done = ser(*arguments)
    answers[name] = [done.returncode, done.stdout, done.stderr]
import json
answers["modules"] = [name for name in sys.modules if name.partition(".")[0] in ("mlflow", "sqlalchemy")]
print(json.dumps(answers))
"""


@pytest.mark.slow
def test_a_project_of_json_files_never_imports_mlflow(tmp_path: Path, project_folder: Path) -> None:
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    recording = sorted(tree.rglob("sentences/wav/*/*.wav"))[0]
    environment = {**os.environ, "SER_TRACKER": "json", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2])])}
    command = [sys.executable, "-c", WHOLE, str(tree), str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert answers.pop("modules") == []
    codes = {name: code for name, (code, _, _) in answers.items()}
    assert codes == dict.fromkeys(codes, 0), answers
    ran, board = (json.loads(answers[name][1]) for name in ("run", "compare"))
    assert [row["run_id"] for row in board["runs"]] == [ran["run_id"]]
    assert board["runs"][0]["uar"] == pytest.approx(ran["metrics"]["uar"])
    assert json.loads(answers["register"][1])["aliases"] == ["champion"]
    assert json.loads(answers["list"][1])[0]["run_id"] == ran["run_id"]
    assert json.loads(answers["predict"][1])[0]["error"] == ""
    assert answers["sync"][1] == "nothing was left to log\n"
    assert "JSON files in" in answers["ui"][1]
    folder = project_folder / "mlruns" / "json"
    (run,) = folder.rglob("run.json")
    assert {"predictions.csv", "folds.csv", "result.json", "fits.json", "environment.json", "definition.toml"} <= {
        path.name for path in (run.parent / "artifacts").iterdir()
    }
    told = json.loads(run.read_text())
    assert told["datasets"]["iemocap"]["digest"]
    assert told["tags"]["ser.synthetic"] == "false"
    assert ser("sync").returncode == 0


@pytest.mark.parametrize("arguments", [("run", "dummy"), ("compare",), ("register",), ("predict", "a.wav"), ("serve",)])
def test_an_unknown_store_is_refused_before_anything_else(
    arguments: tuple[str, ...], project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", "mlflo")
    done = ser(*arguments)
    assert done.returncode == 2
    assert done.stderr == "error: unknown SER_TRACKER 'mlflo'; did you mean 'mlflow'?\n"
    assert not (project_folder / "cache").exists(), "not even the corpus was made"


def test_a_run_that_logs_nothing_needs_no_store(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_TRACKER", "nothing")
    done = ser("run", "dummy", "--no-log", "--corpus", "iemocap", "--root", "none")
    assert "SER_TRACKER" not in done.stderr
    assert "no folder: none" in done.stderr
