"""What a task says of its truth, its columns and its answers."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_experiments.task import Task
from ser_experiments.tasks.classes import Classes

names = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6), min_size=1
)


@settings(max_examples=60, deadline=None)
@given(labels=names)
def test_the_classes_are_those_that_occur_in_alphabetical_order(labels: list[str]) -> None:
    task = Classes.of(labels)
    assert list(task.targets) == sorted(set(labels))
    assert task == Classes.of(reversed(labels)) == Classes(task.targets)
    assert task.columns == [f"p_{name}" for name in task.targets]
    assert Classes.named(["fold", *task.columns, "label"]) == task.targets
    assert task.chance == pytest.approx(1 / len(set(labels)))


@settings(max_examples=60, deadline=None)
@given(labels=names, data=st.data())
def test_codes_are_places_among_the_targets(labels: list[str], data: st.DataObject) -> None:
    task = Classes.of(labels)
    predicted = data.draw(st.lists(st.sampled_from(labels), min_size=len(labels), max_size=len(labels)))
    frame = pd.DataFrame({"label": labels, "predicted": predicted})
    assert [task.targets[code] for code in task.codes(frame)] == labels
    assert [task.targets[code] for code in task.decided_codes(frame)] == predicted
    assert task.truth(frame).tolist() == labels


def test_words_of_the_kind() -> None:
    assert (Classes.kind, Classes.primary, Classes.truth_columns, Classes.prefix) == (
        "classes",
        "uar",
        ("label",),
        "p_",
    )
    with pytest.raises(TypeError, match="abstract"):
        Task(("a",))  # type: ignore[abstract]
    with pytest.raises(FrozenInstanceError):
        Classes(("a",)).targets = ("b",)  # type: ignore[misc]


def test_labels_that_are_no_strings_become_strings() -> None:
    assert Classes.of([2, 10, "1"]).targets == ("1", "10", "2")  # type: ignore[list-item]
    assert Classes.of("ab").truth(pd.DataFrame({"label": [1, 2]})).tolist() == ["1", "2"]
    assert Classes.of([2]).codes(pd.DataFrame({"label": [2, 3]})).tolist() == [0, -1]  # type: ignore[list-item]
    assert Classes.named([("p_a",), 3, "p_b", "xp_c"]) == ("b",)
    assert Classes.named(["p_p_a"]) == ("p_a",)


def test_what_is_none_of_the_classes_has_no_place() -> None:
    task = Classes.of("ab")
    frame = pd.DataFrame({"label": ["a", "c", "b"], "predicted": ["c", "b", "a"]})
    assert task.codes(frame).tolist() == [0, -1, 1]
    assert task.decided_codes(frame).tolist() == [-1, 1, 0]
    assert task.codes(frame).dtype == np.intp


def test_values_are_those_of_the_columns_in_the_order_of_the_targets() -> None:
    task = Classes.of("ab")
    frame = pd.DataFrame({"p_b": [1, 0], "other": 5, "p_a": [0, 1]})
    assert task.values(frame).tolist() == [[0.0, 1.0], [1.0, 0.0]]
    assert task.values(frame).dtype == np.float64


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_answer_is_aligned_to_all_classes(data: st.DataObject) -> None:
    task = Classes.of("abcde")
    present = data.draw(st.permutations("abcde").map(lambda every: every[: data.draw(st.integers(1, 5))]))
    rows = np.random.default_rng(0).dirichlet(np.ones(len(present)), 4)
    fitted = SimpleNamespace(classes_=np.array(present), predict_proba=lambda X: rows[X["row"]])
    full = task.response(fitted, pd.DataFrame({"row": range(4)}))
    assert full.shape == (4, 5)
    for place, name in enumerate(task.targets):
        expected = rows[:, present.index(name)] if name in present else np.zeros(4)
        assert full[:, place].tolist() == expected.tolist()
    assert task.decided(full).tolist() == [present[place] for place in rows.argmax(axis=1)]


def test_a_class_that_is_not_among_the_targets_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        Classes.of("ab").align(np.ones((1, 1)), ["c"])
