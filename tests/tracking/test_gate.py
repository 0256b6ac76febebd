"""Which run may replace a champion: by every score there is, in both directions, on predictions as runs log them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from ser_experiments import project
from ser_experiments.cli import ser
from ser_experiments.errors import SerError
from ser_experiments.evaluation.compare import paired_difference
from ser_experiments.evaluation.scoring import get_score, interval, pooled
from ser_experiments.frames import Predictions
from ser_experiments.tracking import connect
from ser_experiments.tracking.registry import registered
from tests.logged import log
from tests.scored import MAKERS, SCORES, predictions_for

SKILL = {"poor": 0.15, "middling": 0.5, "good": 0.9}


def register(*arguments: str) -> Result:
    return CliRunner().invoke(ser, ["register", *arguments])


def _logged(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    (folder / "ser.toml").touch()
    for name in list(os.environ):
        if name.startswith("SER_") and name != "SER_TRACKER":
            patch.delenv(name)
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    patch.chdir(folder)
    for kind, make in MAKERS.items():
        for seed, (name, skill) in enumerate(SKILL.items()):
            log(name, make(skill, seed, 8, 40), kind)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Log three runs of each kind of task, good, middling and poor: a score is no matter of stores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SER_TRACKER", "json")
        yield _logged(tmp_path_factory.mktemp("gate"), patch)


@pytest.fixture
def runs_in_mlflow(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Log the same runs to a database of MLflow."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns" / "mlflow.db")
    monkeypatch.delenv("SER_TRACKER", raising=False)
    return _logged(tmp_path, monkeypatch)


def champion(kind: str) -> tuple[str, dict[str, str]]:
    """Return the experiment of the champion and its tags."""
    (one,) = [m for m in registered(connect(project.find())) if m.name == f"ser-{kind}" and "champion" in m.aliases]
    return one.tags["experiment"], one.tags


@pytest.mark.parametrize("name", SCORES)
def test_better_is_promoted_and_worse_is_refused(name: str, runs: Path) -> None:
    score = get_score(name)
    kind, metric = score.kinds[0], ("--metric", name)
    where = ("--setting", kind, *metric)
    assert register("middling", *where, "--force").exit_code == 0, "the champion to begin with"
    refused = register("poor", *where).exception
    assert isinstance(refused, SerError)
    assert "poor is not registered: it is not clearly better than the champion middling, version " in str(refused)
    assert f": {score.title} " in str(refused)
    assert f", where {score.rule} (95 % interval " in str(refused)
    poor, middling = (MAKERS[kind](SKILL[one], seed, 8, 40) for seed, one in enumerate(("poor", "middling")))
    expected = paired_difference(poor, middling, "speaker", metric=name)
    shown = [float(number) for number in re.findall(r"[+-]\d+\.\d{3}", str(refused))]
    assert shown == pytest.approx([expected.value, expected.low, expected.high], abs=2e-3)
    assert champion(kind)[0] == "middling"
    assert register("good", *where).exit_code == 0
    found, tags = champion(kind)
    assert found == "good"
    whole = predictions_for(score, skill=SKILL["good"], seed=2, n_groups=8, n_rows=40)
    assert tags["metric"] == name
    assert float(tags["score"]) == pytest.approx(pooled(whole)[name], abs=1e-3)
    low, high = map(float, tags["interval"].split(" to "))
    assert (low, high) == pytest.approx(interval(whole, "speaker", name)[:2], abs=1e-3)


@pytest.mark.parametrize("name", SCORES)
def test_an_equal_run_is_refused(name: str, runs: Path) -> None:
    kind = get_score(name).kinds[0]
    setting = f"{kind}-equal-{name}"
    for run in ("first", "second"):
        log(run, MAKERS[kind](0.6, 5, 4, 12), setting)
    assert register("first", "--setting", setting, "--metric", name).exit_code == 0
    refused = register("second", "--setting", setting, "--metric", name).exception
    assert isinstance(refused, SerError)
    assert "+0.000" in str(refused)
    again = register("first", "--setting", setting, "--metric", name).exception
    assert "is the champion of" in str(again)


@pytest.mark.parametrize("name", SCORES)
def test_the_best_by_the_score_is_what_is_chosen(name: str, runs: Path) -> None:
    kind = get_score(name).kinds[0]
    done = register("--setting", kind, "--metric", name, "--force")
    assert done.exit_code == 0, done.exception
    assert champion(kind)[0] == "good"
    assert f"good: {get_score(name).title} " in done.stdout
    assert ", the best of 3; corrected for the choice " in done.stdout


def test_the_score_that_is_named_decides(runs_in_mlflow: Path) -> None:
    """A run that is more often right and far too sure is better by its decisions and worse by its probabilities."""
    log("honest", MAKERS["classes"](0.5, 1, 8, 40), "sure")
    right = MAKERS["classes"](0.9, 2, 8, 40)
    sure = np.where(right.values == right.values.max(axis=1, keepdims=True), 1 - 3e-6, 1e-6)
    log(
        "sure",
        Predictions(right.frame.assign(**dict(zip(right.task.columns, sure.T, strict=True))), right.task),
        "sure",
    )
    assert register("honest", "--setting", "sure").exit_code == 0
    refused = register("sure", "--setting", "sure", "--metric", "log_loss").exception
    assert "sure is not registered" in str(refused)
    assert register("sure", "--setting", "sure", "--metric", "uar").exit_code == 0


def test_without_a_metric_it_is_the_primary_score(runs_in_mlflow: Path) -> None:
    assert register("middling", "--setting", "classes", "--force").exit_code == 0
    assert champion("classes")[1]["metric"] == "uar"
    assert register("--setting", "classes").exit_code == 0
    assert champion("classes")[0] == "good"
    assert champion("classes")[1]["metric"] == "uar"


def test_with_one_group_nothing_is_clearly_better(runs: Path) -> None:
    for run, skill in (("poor", 0.1), ("good", 0.9)):
        log(run, MAKERS["classes"](skill, 0, 1, 60), "alone")
    assert register("poor", "--setting", "alone").exit_code == 0
    refused = register("good", "--setting", "alone").exception
    assert "where more is better (with one group no difference can be seen); --force replaces it" in str(refused)
    assert "nan" not in str(refused)
