"""Twenty kills at random moments of whatever changes a disk leave nothing lost; what runs is in test_interruptions."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ser_experiments import identity, project
from ser_experiments.corpora._demo import build, built
from ser_experiments.tracking import connect
from ser_experiments.tracking.outbox import home
from tests.iemocap_tree import small_tree
from tests.test_interruptions import launch
from tests.tracking.test_outbox import everything_is_there, logged_away_from

N_KILLS = [pytest.param(20, marks=pytest.mark.soak)]


def done(*arguments: str, **environment: str) -> str:
    process = launch(*arguments, **environment)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def kill(n_kills: int, arguments: tuple[str, ...], check: Callable[[], object], before: Callable[[], object]) -> None:
    """Kill a command so often at random moments of its work, and look after each at what is there."""
    draw = random.Random(n_kills)
    lasts_s = float("inf")
    for _ in range(2):
        before()
        began = time.monotonic()
        done(*arguments)
        lasts_s = min(lasts_s, time.monotonic() - began)
    n_met = 0
    for _ in range(5 * n_kills):
        before()
        process = launch(*arguments)
        time.sleep(draw.uniform(0.4, 1.0) * lasts_s)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            n_met += 1
        process.communicate()
        check()
        if n_met == n_kills:
            return
    raise AssertionError(f"{n_met} of {n_kills} kills met the command")


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


@pytest.mark.parametrize("n_kills", N_KILLS)
def test_registering(tree: Path, n_kills: int) -> None:
    corpus = ("--corpus", "iemocap", "--root", str(tree))
    ids = [json.loads(done("run", "svm_lld", *corpus, "--seed", str(seed), "--json"))["run_id"] for seed in (0, 1)]
    done("register", ids[0])

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(done("register", "--list", "--json"))
        return found

    def check() -> None:
        champions = [one for one in listed() if "champion" in one["aliases"]]
        assert len(champions) == 1
        assert champions[0]["run_id"] in ids

    kill(n_kills, ("register", ids[1], "--force"), check, lambda: done("register", ids[0], "--force"))
    recording = sorted(tree.rglob("sentences/wav/*/*.wav"))[0]
    assert json.loads(done("predict", str(recording), "--json"))[0]["error"] == ""
    done("register", ids[1], "--force")
    assert [one["run_id"] for one in listed() if "champion" in one["aliases"]] == [ids[1]]


@pytest.mark.parametrize("n_kills", N_KILLS)
def test_delivering(project_folder: Path, n_kills: int) -> None:
    left: list[str] = []
    made: list[str] = []

    def fill() -> None:
        done("sync")
        for run_id in left:
            everything_is_there(run_id)
        left[:] = [logged_away_from(1).run_id for _ in range(3)]
        made.extend(left)

    kill(n_kills, ("sync",), lambda: None, fill)
    fill()
    done("sync")
    # Of one that was being removed its empty folder may be left, for an hour.
    assert [*home(project.find()).rglob("*.json")] == []
    # None of them was logged twice.
    client = connect(project.find()).client
    names = client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=5000)
    assert len(names) == 2 * len(made)


@pytest.mark.parametrize("n_kills", N_KILLS)
def test_pruning(tree: Path, n_kills: int) -> None:
    corpus = ("--corpus", "iemocap", "--root", str(tree), "--no-log", "--json")
    whole = json.loads(done("run", "svm_lld", *corpus))
    cache = project.find().cache
    (lld,) = (cache / "tables" / "lld").iterdir()
    n_fits = len(list((cache / "fits").glob("*.skops"))) if (cache / "fits").is_dir() else 0

    def litter() -> None:
        for number in range(60):
            shutil.copytree(lld, lld.with_name(f"{number:016x}"), dirs_exist_ok=True)
            (cache / "fits").mkdir(exist_ok=True)
            (cache / "fits" / f"{number}.tmp").write_bytes(b"x" * 1000)
            os.utime(cache / "fits" / f"{number}.tmp", (0, 0))

    def check() -> None:
        assert len(list(lld.iterdir())) >= 2

    kill(n_kills, ("cache", "prune"), check, litter)
    done("cache", "prune")
    assert [one.name for one in lld.parent.iterdir()] == [lld.name]
    assert list((cache / "fits").glob("*.tmp")) == []
    assert len(list((cache / "fits").glob("*.skops"))) == n_fits
    assert json.loads(done("run", "svm_lld", *corpus))["metrics"] == whole["metrics"]


def bytes_of(root: Path) -> str:
    return identity.of({path.relative_to(root).as_posix(): identity.of_file(path) for path in root.rglob("*.wav")})


@pytest.mark.parametrize("n_kills", N_KILLS)
def test_building_the_demo(project_folder: Path, tmp_path: Path, n_kills: int) -> None:
    right = bytes_of(build(tmp_path / "undisturbed"))
    folder = project.find().cache / "demo"
    command = ("protocol", "--corpus", "demo")

    def check() -> None:
        found = built(folder)
        assert found is None or bytes_of(found) == right

    kill(n_kills, command, check, lambda: shutil.rmtree(folder, ignore_errors=True))
    # Nothing is removed in between: what one left is no obstacle to the next.
    for _ in range(3):
        process = launch(*command)
        time.sleep(3)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    done(*command)
    found = built(folder)
    assert found is not None
    assert bytes_of(found) == right
    for half in folder.glob(".building-*"):
        os.utime(half, (0, 0))
    done("cache", "prune")
    assert [one.name for one in folder.iterdir()] == [found.name]
