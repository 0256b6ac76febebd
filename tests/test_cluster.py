"""A real Dask scheduler with two worker processes on loopback: the same numbers, and a lost worker is no lost run."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ser_experiments import project, run_experiment
from ser_experiments.errors import InputError
from ser_experiments.features import feature_table
from ser_experiments.parallel import chosen_workers, on_cluster, single_threaded
from tests.dask_cluster import Cluster
from tests.iemocap_tree import add_dialog, small_tree

CODES = ["neu", "hap", "ang", "sad"]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    folder = tmp_path / "cluster"
    folder.mkdir()
    found = Cluster(folder)
    try:
        found.wait()
        yield found
    finally:
        found.stop()


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path) -> Path:
    """Return a small tree of three sessions, so that inner folds are possible."""
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    dialog = "Ses02F_impro01"
    add_dialog(root, 2, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES)})
    return root


def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand out even what is not worth it."""
    from ser_experiments.evaluation import crossval
    from ser_experiments.features.extraction import schedule

    monkeypatch.setattr(crossval, "_WORTH_WORKERS_S", 0.0)
    monkeypatch.setattr(schedule, "WORTH_S", 0.0)
    monkeypatch.setattr(schedule, "ALONE_S", 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "more"),
    [("rf_lld", {}), ("svm_lld_tuned", {"overrides": {"search.trials": 2}}), ("both", {})],
)
def test_the_same_numbers_as_here(
    cluster: Cluster, tree: Path, monkeypatch: pytest.MonkeyPatch, name: str, more: dict[str, Any]
) -> None:
    Path("experiments", "both.toml").write_text('members = ["svm_lld", "logreg_lld"]\n[model]\ntype = "stack"\n')
    monkeypatch.setenv("SER_CACHE", str(project.find().folder / "cache here"))
    here = run_experiment(name, corpus="iemocap", root=tree, jobs=1, log_run=False, **more)
    eager(monkeypatch)
    monkeypatch.setenv("SER_CACHE", str(project.find().folder / "cache there"))
    there = run_experiment(name, corpus="iemocap", root=tree, scheduler=cluster.address, log_run=False, **more)
    assert there.metrics == here.metrics
    pd.testing.assert_frame_equal(there.predictions, here.predictions)
    pd.testing.assert_frame_equal(there.prepared.table, here.prepared.table)
    assert chosen_workers() is None


@pytest.mark.slow
def test_a_worker_is_killed_in_the_middle(
    cluster: Cluster, tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for number, dialog in ((4, "Ses04F_impro01"), (5, "Ses05F_impro01")):
        add_dialog(tree, number, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES)})
    Path("experiments", "slow.toml").write_text(
        '[features]\nsets = ["lld"]\n[model]\ntype = "random_forest"\nn_estimators = 1500\n'
    )
    here = run_experiment("slow", corpus="iemocap", root=tree, jobs=1, log_run=False)
    for path in (project.find().cache / "fits").glob("*"):
        path.unlink()
    eager(monkeypatch)
    killed = []

    def kill_one(result: object) -> None:
        if not killed:
            killed.append(result)
            os.killpg(cluster.workers[0].pid, signal.SIGKILL)

    there = run_experiment(
        "slow", corpus="iemocap", root=tree, scheduler=cluster.address, log_run=False, on_fold=kill_one
    )
    assert killed
    assert cluster.workers[0].wait(10) == -signal.SIGKILL
    assert there.metrics == here.metrics


@pytest.mark.slow
def test_measuring_goes_on_without_a_worker(cluster: Cluster, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ser_experiments import load_corpus

    utterances = load_corpus("iemocap", tree).utterances
    expected = feature_table(["lld"], utterances, cache=Path("one"), jobs=1)
    eager(monkeypatch)
    with on_cluster(cluster.address):
        assert chosen_workers() == 2
        os.killpg(cluster.workers[0].pid, signal.SIGKILL)
        found = feature_table(["lld"], utterances, cache=Path("two").resolve())
    pd.testing.assert_frame_equal(found, expected)


def test_no_scheduler_is_one_line(monkeypatch: pytest.MonkeyPatch, project_folder: Path) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("ser_experiments.parallel._CONNECT_S", 0.5)
    for address in ("tcp://127.0.0.1:9", "no address", "gopher://x:1"):
        with pytest.raises(InputError, match="no Dask scheduler with workers answers at"), on_cluster(address):
            pass
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="leave --scheduler out"):
        run_experiment("dummy")


def test_a_fit_in_single_threaded() -> None:
    import joblib
    from threadpoolctl import threadpool_info

    with single_threaded():
        assert type(joblib.parallel.get_active_backend()[0]).__name__ == "SequentialBackend"
        assert {pool["num_threads"] for pool in threadpool_info()} <= {1}
