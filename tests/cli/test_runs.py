"""What ran: listed, shown, called otherwise, and deleted with all that hangs on it, in every store."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from unittest import mock

import pytest

from ser_experiments import plugins, project
from ser_experiments.errors import InputError
from ser_experiments.tracking import connect
from ser_experiments.tracking.backend import PACKAGE, Backend
from ser_experiments.tracking.deleting import find_run
from ser_experiments.tracking.keeper import KeptRun
from ser_experiments.tracking.outbox import ASIDE, Outbox, home
from tests.command import ser
from tests.tracking.test_backends import log

SETTING = "demo-4class"


@pytest.fixture(params=plugins.names(PACKAGE))
def store(request: pytest.FixtureRequest, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    monkeypatch.setenv("SER_TRACKER", request.param)
    return connect(project.find())


def weight() -> int:
    """Return the bytes of the files of runs in the store."""
    files = (path for path in project.find().mlruns.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files if "mlflow.db" not in path.name and path.name != "setting.json")


def test_runs_from_their_list_to_their_end(store: Backend) -> None:
    before, spare = weight(), log("xgb_lld").run_id
    with_spare = weight()
    run_id = log("svm_lld", **{"ser.changes": "model.C=1.0"}).run_id
    told = json.loads(ser("runs", "list", "--json").stdout)
    assert [run["run_id"] for run in told["runs"]] == [run_id, spare]
    assert told["runs"][0]["changes"] == "model.C=1.0"
    assert (told["runs"][0]["metric"], told["runs"][0]["score"]) == ("uar", 0.5)

    shown = ser("runs", "list", "--limit", "1", "--setting", SETTING).stdout
    assert run_id[:8] in shown
    assert spare[:8] not in shown
    assert "UAR 0.500" in shown
    assert "1 of 2 runs" in shown
    assert max(map(len, shown.splitlines())) <= 80

    one = ser("runs", "show", run_id[:6]).stdout
    for words in (SETTING, "UAR", "0.500", "0.400  0.600", "model.C=1.0", "predictions.csv", "1 parts", "C  "):
        assert words in one, words
    facts = json.loads(ser("runs", "show", run_id[:6], "--json").stdout)
    assert facts["folds"] == {"uar": [0.4, 0.6]}
    assert Path(facts["place"]).is_dir()
    assert facts["files"]["plots/words.txt"] == len("wörds".encode())
    (place,) = facts["models"]
    assert Path(place).is_dir()

    assert ser("runs", "rename", run_id[:6], "the good one").returncode == 0
    assert json.loads(ser("runs", "show", "the good one", "--json").stdout)["experiment"] == "svm_lld"
    (setting,) = store.settings()
    assert [run.name for run in setting.runs] == ["svm_lld", "xgb_lld"], "which experiment it is of stays"

    done = ser("runs", "delete", run_id[:6], "--yes")
    assert done.returncode == 0, done.stderr
    assert weight() == with_spare
    assert ser("runs", "show", run_id).returncode == 2
    assert ser("runs", "delete", spare, "--yes", "--json").returncode == 0
    assert weight() == before
    assert store.settings() == []
    assert ser("runs", "list").stdout.startswith("no runs; run an experiment first")


def test_a_registered_run_stays_until_its_version_goes(store: Backend) -> None:
    run_id = log().run_id
    version = store.register("ser-x", run_id, description="d", tags={})
    store.set_alias("ser-x", "champion", version)
    done = ser("runs", "delete", run_id, "--yes")
    assert done.returncode == 1
    assert "registered as ser-x version 1 (champion); register another first" in done.stderr
    assert store.status(run_id) == "FINISHED"
    assert ser("runs", "delete", run_id, "--yes", "--unregister").returncode == 0
    assert store.versions() == []
    assert store.status(run_id) is None


def test_what_waits_of_a_run_goes_with_it_and_a_running_one_stays(store: Backend) -> None:
    here = project.find()
    run = log()
    # As a process leaves it that lost its store, and one whose files were damaged.
    name = store.keeper().runs()[0].tags["ser.outbox"]
    (here.mlruns / ASIDE / name).mkdir(parents=True)
    outbox = Outbox.create(here, {"uri": store.uri, "name": "x", "experiment_id": "1", "run_id": run.run_id})
    outbox.folder.rename(home(here) / name)
    done = ser("runs", "delete", run.run_id, "--yes")
    assert (done.returncode, "is still running" in done.stderr) == (1, True)
    assert store.status(run.run_id) == "FINISHED"
    outbox._lock.release()
    assert ser("runs", "delete", run.run_id, "--yes").returncode == 0
    assert not (home(here) / name).exists()
    assert not (here.mlruns / ASIDE / name).exists()


@pytest.mark.parametrize("at", [pytest.param(0, marks=pytest.mark.slow), 1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_deletion_that_is_interrupted_is_ended_by_the_next(store: Backend, at: int) -> None:
    before = weight()
    run_id = log().run_id
    calls, remove = 0, shutil.rmtree

    def interrupted(*args: object, **more: object) -> None:
        nonlocal calls
        calls += 1
        if calls > at:
            raise KeyboardInterrupt
        remove(*args, **more)  # type: ignore[arg-type]

    with mock.patch.object(shutil, "rmtree", interrupted):
        code = ser("runs", "delete", run_id, "--yes").returncode
    assert code in (0, 130)
    assert (code == 130) == (calls > at)
    other = log("other").run_id
    assert ser("runs", "delete", other, "--yes").returncode == 0
    assert weight() == before
    assert store.keeper().runs() == []


def test_nothing_goes_without_a_word(store: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = log().run_id
    monkeypatch.setattr("sys.stdin", io.StringIO())
    done = ser("runs", "delete", run_id)
    assert done.returncode == 2
    assert "nothing was deleted; say --yes" in done.stderr
    monkeypatch.setattr("click.confirm", lambda *args, **more: False)
    done = ser("runs", "delete", run_id)
    assert (done.returncode, "nothing was deleted" in done.stderr) == (1, True)
    assert run_id[:8] in done.stderr
    assert store.status(run_id) == "FINISHED"


def test_a_run_is_meant_by_the_beginning_of_its_id_or_its_name() -> None:
    runs = [KeptRun(run_id, title, "e", "s", "FINISHED", 0) for run_id, title in (("ab1", "x"), ("ab2", "y"))]
    assert find_run(runs, "ab1") is runs[0]
    assert find_run(runs, "y") is runs[1]
    with pytest.raises(InputError, match=r"'ab' may be 2 runs: ab1 \(x\), ab2 \(y\); write more of the id"):
        find_run(runs, "ab")
    with pytest.raises(InputError, match="no run 'c'"):
        find_run(runs, "c")
    with pytest.raises(InputError, match="no run ''"):
        find_run(runs, "")


def test_words_of_others_are_checked(store: Backend) -> None:
    run_id = log().run_id
    for name, said in (("a\x1b[2J", "not printable"), ("  ", "say what the run is to be called")):
        done = ser("runs", "rename", run_id, name)
        assert (done.returncode, said in done.stderr) == (2, True)
    assert (
        "no runs of setting 'demo-4clas'; did you mean 'demo-4class'"
        in ser("runs", "list", "--setting", "demo-4clas").stderr
    )
