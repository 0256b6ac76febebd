"""Whole experiments that are killed, told to end, or run beside each other: nothing is lost, no run stays open."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from ser_experiments import project
from ser_experiments.features import status
from ser_experiments.tracking import RunRecord, connect, start
from tests.iemocap_tree import add_dialog, small_tree

CODES = ["neu", "hap", "ang", "sad"]
#: Its fits take long enough to be met by a signal, and to be remembered.
DEFINITION = """
[features]
sets = ["lld", "prosody"]
[model]
type = "random_forest"
n_estimators = 300
[pipeline]
calibrate = "temperature"
"""


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path) -> Path:
    """Return a tree of five sessions, and an experiment that takes a while."""
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    for session in (2, 4, 5):
        dialog = f"Ses0{session}F_impro01"
        add_dialog(root, session, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES * 3)})
    Path("experiments", "steady.toml").write_text(DEFINITION)
    return root


def launch(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    # Whoever starts the tests may ignore Ctrl-C, which processes would inherit.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command = [sys.executable, "-c", heard + "from ser_experiments.cli import main; main()", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
        start_new_session=True,
    )  # fmt: skip


def run(tree: Path, name: str = "steady", **environment: str) -> subprocess.Popen[str]:
    return launch("run", name, "--corpus", "iemocap", "--root", str(tree), "--json", **environment)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def interrupt(tree: Path, seed: int, n_moments: int) -> None:
    """Stop a run at random moments, each time another way, and let the last one finish."""
    elsewhere = project.find().folder / "undisturbed"
    began = time.monotonic()
    whole = finished(run(tree, SER_CACHE=str(elsewhere)))
    lasts_s = time.monotonic() - began
    draw = random.Random(seed)
    codes, n_told = [], 0
    for number in range(n_moments):
        process = run(tree)
        time.sleep(draw.uniform(0.3, 1.0) * lasts_s)
        way = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[number % 3]
        if process.poll() is None:
            # As a shell does it: Ctrl-C reaches the whole group, a plain kill one process.
            (os.killpg if way == signal.SIGINT else os.kill)(process.pid, way)
        out, err = process.communicate(timeout=120)
        codes.append(process.returncode)
        if out.strip():
            # A run may be done, and be met while its process ends. The next one begins from nothing again.
            n_told += 1
            shutil.rmtree(project.find().cache, ignore_errors=True)
        assert process.returncode in (0, -way, 128 + way, 130), (way, process.returncode, err)
        # What is told to end says so in a line; nobody wants to read where it stood.
        assert "Traceback" not in err, err
    last = finished(run(tree))
    assert last["metrics"] == whole["metrics"]
    client = connect(project.find()).client
    runs = client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=1000)
    assert {one.info.status for one in runs} <= {"FINISHED", "FAILED", "KILLED"}
    assert codes.count(0) <= n_told < n_moments
    assert 2 + n_told <= sum(one.info.status == "FINISHED" for one in runs) <= len(runs) <= 2 + n_moments
    outbox = project.find().mlruns / "outbox"
    assert not outbox.is_dir() or list(outbox.iterdir()) == []
    # The tables hold each recording once.
    n_utterances = last["n_utterances"]
    tables = status(project.find().cache)
    assert tables["damaged"].sum() == 0
    assert set(tables["rows"][tables["set"].isin(["lld", "prosody"])]) == {n_utterances}


@pytest.mark.slow
def test_a_few_interruptions(tree: Path) -> None:
    interrupt(tree, seed=1, n_moments=4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [2, 3])
def test_twenty_interruptions(tree: Path, seed: int) -> None:
    interrupt(tree, seed=seed, n_moments=20)


@pytest.mark.slow
def test_workers_end_with_the_run_that_started_them(tree: Path) -> None:
    # Folds that are fitted quickly start no workers.
    Path("experiments", "steady.toml").write_text(DEFINITION.replace("300", "3000"))
    process = run(tree)
    assert process.stderr is not None
    workers: list[int] = []
    for _ in process.stderr:  # the first line is of the fold that is fitted before there are workers
        end = time.monotonic() + 60
        while not (workers := children(process.pid)):
            assert time.monotonic() < end
            time.sleep(0.1)
        break
    time.sleep(3)
    workers = children(process.pid)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    end = time.monotonic() + 60
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
        assert time.monotonic() < end, "workers outlive their run"
        time.sleep(0.3)


def children(pid: int) -> list[int]:
    """Return the processes that joblib's workers are, of a process."""
    found = []
    for one in psutil.Process(pid).children():
        if "popen_loky" in " ".join(one.cmdline()):
            found.append(one.pid)
    return found


@pytest.mark.slow
def test_finished_folds_are_taken_up(tree: Path) -> None:
    process = run(tree)
    assert process.stderr is not None
    seen = 0
    for line in process.stderr:
        seen += "  fold " in line
        if seen == 2:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = len(list((project.find().cache / "fits").glob("*.skops")))
    assert kept >= 2
    plain = launch("run", "steady", "--corpus", "iemocap", "--root", str(tree), "--no-log")
    out, err = plain.communicate(timeout=300)
    assert plain.returncode == 0, err
    (line,) = [line for line in out.splitlines() if line.startswith("reused ")]
    assert int(line.split()[1]) >= 2


@pytest.mark.slow
def test_two_runs_at_once(tree: Path) -> None:
    both = [run(tree, name) for name in ("steady", "svm_lld")]
    results = [finished(process) for process in both]
    again = finished(run(tree, "svm_lld"))
    assert again["metrics"] == results[1]["metrics"]
    client = connect(project.find()).client
    statuses = [client.get_run(one["run_id"]).info.status for one in results]
    assert statuses == ["FINISHED", "FINISHED"]
    assert len({one["setting"] for one in results}) == 1


@pytest.mark.slow
def test_ten_predictions_at_once(tree: Path) -> None:
    finished(run(tree, "svm_lld"))
    register = launch("register")
    register.communicate(timeout=60)
    assert register.returncode == 0
    recording = sorted(tree.rglob("sentences/wav/*/*.wav"))[0]
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(lambda _: launch("predict", str(recording), "--json").communicate(timeout=240), range(10))
        )
    assert len({out for out, _ in answers}) == 1, answers
    (answer,) = json.loads(answers[0][0])
    assert answer["error"] == ""


@pytest.mark.slow
def test_a_locked_database_is_waited_for(project_folder: Path) -> None:
    held = threading.Event()

    def hold() -> None:
        database = sqlite3.connect(project_folder / "mlruns" / "mlflow.db", isolation_level=None)
        database.execute("BEGIN EXCLUSIVE")
        held.set()
        time.sleep(7)  # SQLite's own patience is five seconds
        database.execute("COMMIT")
        database.close()

    with start(project.find(), name="a", setting="s", rows="r", tags={}, note="") as opened:
        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()
        opened.log(RunRecord(metrics={"uar": 0.5}))
        assert not opened.away
        thread.join()
    assert connect(project.find()).client.get_run(opened.run_id).data.metrics == {"uar": 0.5}


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_equal_seeds_give_equal_numbers(tree: Path, jobs: str) -> None:
    first = finished(launch("run", "steady", "--corpus", "iemocap", "--root", str(tree), "--json", "--jobs", jobs))
    shutil.rmtree(project.find().cache / "fits")
    second = finished(run(tree, OMP_NUM_THREADS="2"))
    assert second["metrics"] == first["metrics"]
