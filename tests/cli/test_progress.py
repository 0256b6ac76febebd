"""What a run says while it works: one line, in the width there is, and where workers are."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from ser_experiments import doing
from ser_experiments.cli._progress import Showing, fold_line
from ser_experiments.doing import Step
from tests.command import ser


@pytest.fixture(autouse=True)
def _loud() -> Iterator[None]:
    log = logging.getLogger("ser_experiments")
    before = log.level
    log.setLevel(logging.INFO)
    yield
    log.setLevel(before)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_line_fits(width: int) -> None:
    with Showing() as shown:
        shown.stage(Step("folds", 2, 10, left_s=14.0))
        shown.parts(
            (Step("Ses01F"), Step("trial", 3, 30), Step("CNNClassifier"), Step("epoch", 5, 60, "valid_uar 0.612"))
        )
        line = shown.line(width)
    assert len(line) <= width
    assert line.startswith("folds")
    assert "2/10" in line
    assert line.endswith("0:14 left")
    assert ("trial 3/30" in line) == (width > 40)


def test_a_worker_says_where_it_is() -> None:
    with Showing() as shown:
        folder = doing.workplace()
        assert folder is not None
        shown.stage(Step("folds", 1, 5))
        doing._Notebook(folder).parts((Step("Session2"), Step("epoch", 4, 30)))
        assert "Session2, epoch 4/30" in shown.line(80)
        doing._Notebook(folder).parts(())
        assert "Session2" not in shown.line(80)
    assert doing.workplace() is None


def test_nobody_listens_and_nothing_is_told() -> None:
    with doing.part("Ses1"):
        doing.at(Step("epoch", 1, 3))
        assert doing.listener() is None


def test_a_pace_needs_steps_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]
    monkeypatch.setattr(doing.time, "monotonic", lambda: now[0])
    pace = doing.Pace()
    assert pace.left_s(10, 100) == float("inf")
    now[0] += 2.0
    assert pace.left_s(20, 100) == pytest.approx(16.0)


def test_the_line_of_a_fold() -> None:
    told = SimpleNamespace(
        fold=SimpleNamespace(name="Ses01F"), score=0.714, title="UAR", fit_s=1.0, predict_s=0.2, n_done=2, n_folds=10,
        left_s=14.0, report=SimpleNamespace(reused=False),
    )  # fmt: skip
    assert fold_line(told) == "  fold 2/10  Ses01F  UAR 0.71  1.2 s  0:14 left"  # type: ignore[arg-type]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("ser_experiments").setLevel(logging.WARNING)
    with Showing() as shown:
        assert doing.listener() is None
        shown.say("a line")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("words", [("-q", "list"), ("list", "-q"), ("-v", "list"), ("list", "-v")])
def test_how_much_is_said_before_or_after_the_command(words: tuple[str, ...]) -> None:
    done = ser(*words)
    assert done.returncode == 0, done.stderr
    level = logging.WARNING if "-q" in words else logging.DEBUG
    assert logging.getLogger("ser_experiments").level == level
