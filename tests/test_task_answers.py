"""How an answer of a task is said: in a line, in the cells of a table, and what of it is a number or a range."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_experiments.errors import InputError
from ser_experiments.task import Task
from ser_experiments.tasks import task_kinds
from ser_experiments.tasks.classes import Classes
from ser_experiments.tasks.dimensions import Dimensions

CLASSES, SCALES = Classes(("angry", "sad")), Dimensions(("valence", "arousal"))
KNOWN = {"residuals": {"valence": [-1.3, 1.2], "arousal": [-0.5, 0.25]}}


@pytest.mark.parametrize(
    ("task", "values", "line", "cells"),
    [
        (
            CLASSES, [0.25, 0.75], "sad    angry 0.25  sad 0.75",
            {"label": "sad", "p_angry": "0.250000", "p_sad": "0.750000"},
        ),
        (
            SCALES, [3.4, -2.0], "valence 3.40 (2.10 to 4.60)  arousal -2.00 (-2.50 to -1.75)",
            {
                "predicted_valence": "3.400000", "predicted_arousal": "-2.000000", "valence_low": "2.100000",
                "valence_high": "4.600000", "arousal_low": "-2.500000", "arousal_high": "-1.750000",
            },
        ),
    ],
)  # fmt: skip
def test_an_answer_in_words_and_cells(task: Task, values: list[float], line: str, cells: dict[str, str]) -> None:
    answer = task.answer(np.array(values), KNOWN)
    assert task.line(answer) == line
    assert task.cells(answer) == cells
    assert list(task.cells(task.no_answer)) == list(cells)
    assert set(task.cells(task.no_answer).values()) == {""}
    assert task.line(task.no_answer) == "-"
    assert list(task.numbers(answer).values()) == values


@pytest.mark.parametrize("kind", task_kinds().values())
def test_every_kind_says_what_its_answers_hold(kind: type[Task]) -> None:
    task = kind(("a", "b", "c"))
    answer = task.answer(np.array([0.2, 0.3, 0.5]), {})
    assert list(answer) == list(task.no_answer) == list(task.answer_fields)
    assert task.numbers(answer) == pytest.approx({"a": 0.2, "b": 0.3, "c": 0.5})
    assert (task.numbers(task.no_answer), task.ranges(task.no_answer)) == ({}, {})
    for name, holds in task.answer_fields.items():
        assert isinstance(answer[name], str if holds == "text" else dict)


def test_without_ranges_numbers_stand_alone() -> None:
    answer = SCALES.answer(np.array([3.4, 2.0]), {"residuals": {"valence": [-1.0, 1.0]}})
    assert SCALES.line(answer) == "valence 3.40  arousal 2.00"
    assert SCALES.cells(answer)["valence_low"] == ""
    assert (CLASSES.are_shares, SCALES.are_shares) == (True, False)
    assert CLASSES.ranges(CLASSES.answer(np.array([0.5, 0.5]), KNOWN)) == {}


@given(st.lists(st.tuples(*[st.floats(-5, 5)] * 4), min_size=1, max_size=40))
def test_what_is_learned_of_predictions(rows: list[tuple[float, ...]]) -> None:
    frame = pd.DataFrame(rows, columns=["valence", "arousal", *SCALES.columns])
    learned = SCALES.learned(frame)
    for name in SCALES.targets:
        assert learned["scale"][name] == [frame[name].min(), frame[name].max()]
        low, high = learned["residuals"][name]
        beside = frame[name] - frame[f"predicted_{name}"]
        inside = ((beside >= low - 1e-9) & (beside <= high + 1e-9)).sum()
        # The ends lie between neighbouring residuals, so that one row at each may be outside of the share.
        assert inside >= math.floor(0.9 * len(rows)) - 1


def test_an_estimator_of_another_number_of_targets() -> None:
    class Fitted:
        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return np.ones((len(X), 3))

    with pytest.raises(InputError, match="answers with 3 numbers, the task has 2 targets"):
        SCALES.response(Fitted(), pd.DataFrame({"a": range(4)}))
    assert Dimensions(("a", "b", "c")).response(Fitted(), pd.DataFrame({"a": range(4)})).shape == (4, 3)
