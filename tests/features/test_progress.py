"""What is told of an extraction, on a clock of the test's own."""

from __future__ import annotations

import math

import pytest

from ser_experiments.features import Progress, progress
from ser_experiments.features.progress import Meter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_the_first_step_says_nothing_of_the_pace(clock: list[float]) -> None:
    told: list[Progress] = []
    meter = Meter(told.append)
    meter.start("measuring", 101)
    clock[0] += 13.0  # compiles
    meter.step(1, audio_s=2.0)
    assert str(told[-1]) == "measuring 1/101, 0.000 h of audio/s"
    assert told[-1].left_s == math.inf
    for _ in range(20):
        clock[0] += 0.5
        meter.step(1, audio_s=2.0)
    assert told[-1].left_s == pytest.approx(80 * 0.5)
    assert str(told[-1]).endswith(", 0:40 left")
    for _ in range(80):
        clock[0] += 0.5
        meter.step(1, audio_s=2.0)
    assert (told[-1].done, told[-1].total, told[-1].left) == (101, 101, "")
    assert told[-1].audio_s == 202.0
    assert told[-1].elapsed_s == pytest.approx(63.0)


def test_a_callback_hears_a_few_times_a_second_and_of_the_end(clock: list[float]) -> None:
    told: list[Progress] = []
    meter = Meter(told.append)
    meter.start("reading", 1000)
    for _ in range(1000):
        clock[0] += 0.002
        meter.step()
    assert 15 <= len(told) <= 23
    assert told[-1].done == 1000


def test_a_log_line_a_while(clock: list[float], caplog: pytest.LogCaptureFixture) -> None:
    meter = Meter()
    meter.start("measuring", 100)
    with caplog.at_level("INFO"):
        for _ in range(100):
            clock[0] += 0.4
            meter.step()
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        "measuring 38/100", "measuring 76/100", "measuring 100/100"
    ]  # fmt: skip


def test_an_hour(clock: list[float]) -> None:
    assert Progress("measuring", 10, 20, 0.0, 5.0, 3725.0).left == "1:02:05"
