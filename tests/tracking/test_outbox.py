"""Nothing that was computed is lost: the store goes away, the process is killed, the next run makes it good."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import mlflow
import pandas as pd
import pytest

from ser_experiments import project, run_experiment
from ser_experiments.errors import InputError, StoreError
from ser_experiments.experiment.costs import FIT, MEASURING
from ser_experiments.tracking import Child, Dataset, Run, RunRecord, connect, start
from ser_experiments.tracking.backend import StoreAway
from ser_experiments.tracking.backends.mlflow import Mlflow
from ser_experiments.tracking.kept import Step
from ser_experiments.tracking.outbox import Outbox, abandoned, home
from ser_experiments.tracking.record import Stepped
from ser_experiments.tracking.run import MODEL_SIZE
from ser_experiments.tracking.sync import deliver_abandoned
from tests.browser import free_port
from tests.iemocap_tree import small_tree
from tests.served import wait_until_answered

RUN = {"name": "xgb_lld", "setting": "demo-4class", "rows": "abc", "tags": {"ser.corpus": "demo"}, "note": "words"}


RECORD = RunRecord(
    params={"C": 3.0},
    metrics={"uar": 0.5},
    stepped=[Stepped("fold_uar", 1, 0.4), Stepped("fold_uar", 2, 0.6)],
    tags={"ser.card": "c"},
    tables={"predictions.csv": pd.DataFrame({"x": [1]})},
    children=[Child("trial 1", {"C": 1}, {"inner_uar": 0.3}, {"ser.fold": "a"})],
    dataset=Dataset("demo", "demo", "d1", {"x": "float64"}, 1),
)


def everything_is_there(run_id: str) -> None:
    client = connect(project.find()).client
    found = client.get_run(run_id)
    assert found.info.status == "FINISHED"
    assert found.data.tags["ser.card"] == "c"
    assert found.data.params == {"C": "3.0"}
    assert found.data.metrics == {"uar": 0.5, "fold_uar": 0.6}
    assert [(m.step, m.value) for m in client.get_metric_history(run_id, "fold_uar")] == [(1, 0.4), (2, 0.6)]
    assert [a.path for a in client.list_artifacts(run_id)] == ["predictions.csv"]
    assert found.inputs.dataset_inputs[0].dataset.digest == "d1"
    below = client.search_runs([found.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'")
    assert [(one.info.run_name, one.info.status) for one in below] == [("trial 1", "FINISHED")]


def outboxes() -> list[str]:
    folder = home(project.find())
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []


@contextmanager
def away_from(number: int) -> Iterator[None]:
    """From the n-th step of logging on, the store is away."""
    count, asked = 0, Mlflow.perform

    def perform(self: Mlflow, step: Step, run_id: str) -> object:
        nonlocal count
        count += 1
        if count >= number:
            raise StoreAway("API request failed: Connection refused")
        return asked(self, step, run_id)

    with mock.patch.object(Mlflow, "perform", perform):
        yield


def logged_away_from(number: int) -> Run:
    """Log everything to a store that goes away at a step."""
    with away_from(number), start(project.find(), **RUN) as run:
        run.log(RECORD)
    return run


def test_a_run_leaves_no_outbox(project_folder: Path) -> None:
    with start(project.find(), **RUN) as run:
        run.log(RECORD)
        assert len(outboxes()) == 1
    everything_is_there(run.run_id)
    assert outboxes() == []


@pytest.mark.parametrize("number", range(1, 8))
def test_whatever_step_the_store_goes_away_at(
    project_folder: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    run = logged_away_from(number)
    assert run.away
    assert sum("ser sync" in record.message for record in caplog.records) == 1
    assert len(outboxes()) == 1
    (done,) = deliver_abandoned(project.find(), connect(project.find()))
    assert (done.name, done.run_id, done.status) == ("xgb_lld", run.run_id, "FINISHED")
    everything_is_there(run.run_id)
    assert outboxes() == []
    assert deliver_abandoned(project.find(), connect(project.find())) == []


def test_steps_that_were_done_but_not_forgotten_are_done_once(project_folder: Path) -> None:
    run = logged_away_from(1)
    backend = connect(project.find())
    # The store took every step, and the process was killed each time before it could forget it.
    for outbox in abandoned(project.find()):
        for step in outbox.waiting():
            backend.perform(step, run.run_id)
    (again,) = deliver_abandoned(project.find(), backend)
    # Seven steps of the record and the end: every one was done a second time.
    assert again.n_steps == 7
    everything_is_there(run.run_id)


def test_the_store_is_still_away(project_folder: Path) -> None:
    run = logged_away_from(2)
    said = "results of xgb_lld could not be logged and are kept in .*; the store is away: .*Connection refused"
    with away_from(1), pytest.raises(StoreError, match=said):
        deliver_abandoned(project.find(), connect(project.find()))
    deliver_abandoned(project.find(), connect(project.find()))
    everything_is_there(run.run_id)


def test_nonsense_is_an_error_and_not_an_absence(project_folder: Path) -> None:
    with pytest.raises(StoreError, match="not-allowed") as refused, start(project.find(), **RUN) as run:
        run.log(RunRecord(params={"not-allowed" * 30: 1}))
    assert not isinstance(refused.value, StoreAway)
    assert connect(project.find()).status(run.run_id) == "FAILED"
    assert outboxes() == []


def rewrite(path: Path, **values: str) -> None:
    """Change what a file of an outbox says, as its owner would have written it."""
    told = {key: value for key, value in json.loads(path.read_text()).items() if key != "digest"}
    path.write_text(json.dumps({**told, **values}))


def test_results_of_another_store_are_left(project_folder: Path) -> None:
    run = logged_away_from(1)
    (name,) = outboxes()
    about = project_folder / "mlruns" / "outbox" / name / "run.json"
    rewrite(about, uri="http://elsewhere")
    assert deliver_abandoned(project.find(), connect(project.find())) == []
    assert outboxes() == [name]
    assert run.run_id


def test_a_run_that_somebody_deleted_is_forgotten(project_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = logged_away_from(1)
    (name,) = outboxes()
    about = project_folder / "mlruns" / "outbox" / name / "run.json"
    rewrite(about, run_id="0" * 32)
    assert deliver_abandoned(project.find(), connect(project.find())) == []
    assert outboxes() == []
    assert run.run_id
    assert "the run of xgb_lld is not in the store any more; 7 steps of it are forgotten" in caplog.text


def refuse(folder: Path, kind: str, run_id: str) -> str:
    """Let the store refuse an outbox, and return what is said of it."""
    if kind == "deleted in the pages":
        connect(project.find()).client.delete_run(run_id)
        return "is deleted; restore it with `mlflow runs restore`"
    step = folder / "000004-artifacts" / "step.json"
    step.write_text(json.dumps({"kind": "__init__", "arguments": {}, "files": {}}))
    shutil.rmtree(step.parent / "files")
    return "unknown step '__init__'"


@pytest.mark.parametrize("kind", ["deleted in the pages", "another kind"])
def test_one_outbox_that_is_refused_stops_no_other(project_folder: Path, kind: str) -> None:
    first = logged_away_from(1)
    said = refuse(home(project.find()) / outboxes()[0], kind, first.run_id)
    (name,) = outboxes()
    others = [logged_away_from(1).run_id for _ in range(2)]
    (project_folder / "mlruns" / "outbox" / name / "somebody's").mkdir()
    backend = connect(project.find())
    with pytest.raises(StoreError, match="could not be logged and are kept in .*; the store refuses them: ") as told:
        deliver_abandoned(project.find(), backend)
    assert said in str(told.value)
    assert outboxes() == [name]
    for run_id in others:
        everything_is_there(run_id)


def test_a_folder_that_cannot_be_written(project_folder: Path) -> None:
    (project_folder / "mlruns" / "outbox").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match=r"outbox/\w+: cannot be written"), start(project.find(), **RUN):
        pass


def test_no_module_of_one_system_is_needed() -> None:
    program = "import sys; sys.modules['fcntl'] = None; import ser_experiments.tracking.run"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


WAITS = """
import sys, time
from ser_experiments import project
from ser_experiments.tracking import RunRecord, start
from ser_experiments.cli._signals import hear
import signal
hear()
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore it
with start(project.find(), name="xgb_lld", setting="demo-4class", rows="abc", tags={}, note="") as run:
    run.log(RunRecord(metrics={"uar": 0.5}))
    print(run.run_id, flush=True)
    time.sleep(120)
"""


@pytest.mark.parametrize(
    ("number", "status", "code", "error"),
    [
        (signal.SIGKILL, "KILLED", -9, "the process was killed"),
        pytest.param(signal.SIGTERM, "KILLED", 143, "SystemExit: 143", marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, "KILLED", None, "KeyboardInterrupt", marks=pytest.mark.slow),
    ],
)
def test_no_run_stays_running(project_folder: Path, number: int, status: str, code: int | None, error: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    backend = connect(project.find())
    client = backend.client
    assert client.get_run(run_id).info.status == "RUNNING"
    # While the process lives, nobody else touches its run.
    assert deliver_abandoned(project.find(), backend) == []
    process.send_signal(number)
    process.wait(30)
    assert code is None or process.returncode == code
    with start(project.find(), **RUN):
        pass
    found = client.get_run(run_id)
    assert found.info.status == status
    assert error in found.data.tags["ser.error"]
    assert found.data.metrics == {"uar": 0.5}
    assert outboxes() == []


def test_a_run_killed_before_it_knew_its_id(project_folder: Path) -> None:
    backend = connect(project.find())
    client = backend.client
    outbox = Outbox.create(project.find(), {"uri": "", "name": "xgb_lld", "experiment_id": "0"})
    made = client.create_run("0", tags={"ser.outbox": outbox.folder.name})
    outbox.about = {**outbox.about, "uri": f"sqlite:///{project_folder}/mlruns/mlflow.db"}
    outbox.leave()
    (done,) = deliver_abandoned(project.find(), backend)
    assert done.run_id == made.info.run_id
    assert client.get_run(made.info.run_id).info.status == "KILLED"


@pytest.mark.slow
def test_system_metrics_on_request(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.2")
    with start(project.find(), **RUN) as run:
        end = time.monotonic() + 30
        client = connect(project.find()).client
        while not any(name.startswith("system/") for name in client.get_run(run.run_id).data.metrics):
            assert time.monotonic() < end
            time.sleep(0.2)


# --- a real server -----------------------------------------------------------------------------------------------


class Server:
    """An MLflow server of its own, which can be stopped and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self.uri = folder, port, f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1",
                   "--backend-store-uri", f"sqlite:///{self.folder}/server.db",
                   "--artifacts-destination", str(self.folder / "artifacts")]  # fmt: skip
        environment = {k: v for k, v in os.environ.items() if k != "MLFLOW_TRACKING_URI"}
        with open(self.folder / "server.log", "ab") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True, env=environment)
        wait_until_answered(f"{self.uri}/health", self.process, self.folder / "server.log")

    def stop(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


@pytest.fixture
def server(
    tmp_path: Path, project_folder: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(empty_store, folder / "server.db")
    found = Server(folder, free_port())
    found.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", found.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    yield found
    found.stop()
    mlflow.set_tracking_uri("")


@pytest.mark.slow
def test_everything_works_against_a_server(server: Server, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from ser_experiments import load_model
    from ser_experiments.cli import ser
    from ser_experiments.tracking.registry import registered

    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    result = run_experiment("svm_lld", corpus="iemocap", root=tree)
    run_experiment("dummy", corpus="iemocap", root=tree)
    client = connect(project.find()).client
    found = client.get_run(result.run_id)
    assert found.info.status == "FINISHED"
    assert found.data.metrics["uar"] == pytest.approx(result.metrics["uar"])
    assert len(client.get_metric_history(result.run_id, "fold_uar")) == len(result.folds)
    assert "confusion_matrix.png" in str([a.path for a in client.list_artifacts(result.run_id, "plots")])
    assert found.inputs.dataset_inputs[0].dataset.name == "iemocap"
    board = CliRunner().invoke(ser, ["compare", "--json"])
    assert {row["experiment"] for row in json.loads(board.stdout)["runs"]} == {"svm_lld", "dummy"}
    assert CliRunner().invoke(ser, ["register", "svm_lld"]).exit_code == 0
    assert registered(connect(project.find()))[0].aliases == ("champion",)
    recording = sorted(tree.rglob("sentences/wav/*/*.wav"))[0]
    (answer,) = load_model().predict([recording])
    assert answer["error"] == ""
    # Nothing went to a local store in passing.
    assert list((project.find().mlruns / "artifacts").rglob("*")) == []


@pytest.mark.slow
def test_the_server_goes_away_in_the_middle_of_a_run(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    stopped = []

    def stop_once(result: object) -> None:
        if not stopped:
            server.stop()
            stopped.append(True)

    result = run_experiment("svm_lld", corpus="iemocap", root=tree, on_fold=stop_once)
    assert result.pending
    assert result.model_uri is None
    with pytest.raises(StoreError, match="does not answer"):
        deliver_abandoned(project.find(), connect(project.find()))
    server.start()
    again = run_experiment("svm_lld", corpus="iemocap", root=tree)
    assert not again.pending
    client = connect(project.find()).client
    first, second = (client.get_run(one.run_id) for one in (result, again))
    assert first.info.status == "FINISHED"
    costs = {FIT, MEASURING, MODEL_SIZE}
    told, again_told = ({k: v for k, v in run.data.metrics.items() if k not in costs} for run in (first, second))
    assert told == again_told
    assert first.data.metrics.keys() >= costs
    assert first.data.params == second.data.params
    names = [{a.path for a in client.list_artifacts(run.info.run_id)} for run in (first, second)]
    assert names[0] == names[1]
    assert first.outputs.model_outputs
    assert outboxes() == []


def test_unknown_address(project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "gopher://x")
    with pytest.raises((StoreError, InputError)):
        connect(project.find())
