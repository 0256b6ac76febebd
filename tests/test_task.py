"""What a task says of its truth, its columns and its answers."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_experiments.errors import InputError
from ser_experiments.task import Task
from ser_experiments.tasks import task_kinds, task_of, task_of_columns
from ser_experiments.tasks.classes import Classes
from ser_experiments.tasks.dimensions import Dimensions
from ser_experiments.tasks.votes import Votes, majority

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
    assert (Classes.kind, Classes.primary, Classes.of("ab").truth_columns, Classes.prefix) == (
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


# --- votes ---------------------------------------------------------------------------------------------------------


def of_votes() -> tuple[Votes, pd.DataFrame]:
    frame = pd.DataFrame(
        {
            "share_b": [0.25, 0.5, 1.0],
            "share_a": [0.75, 0.5, 0.0],
            "label": ["a", "", "b"],
            "predicted": ["a", "a", "c"],
        },
        index=pd.Index(["u", "v", "w"], name="utterance_id"),
    )
    return Votes(("a", "b")), frame


def test_votes_are_shares() -> None:
    task, frame = of_votes()
    assert (task.kind, task.primary, task.finest, task.learns) == ("votes", "cross_entropy", "cross_entropy", "shares")
    assert task.truth_columns == ("share_a", "share_b", "label")
    assert (task.columns, task.decided_columns) == (["p_a", "p_b"], ("predicted",))
    assert task.truth(frame).tolist() == task.codes(frame).tolist() == [[0.75, 0.25], [0.5, 0.5], [0, 1]]
    assert task.places(frame).tolist() == [0, -1, 1]
    assert task.decided_codes(frame).tolist() == [0, 0, -1]
    assert task.chance == pytest.approx(np.log(2))
    assert task.strata(frame).tolist() == ["a", "no majority", "b"]
    assert task.described(frame) == "a 1, b 1, no majority 1"
    assert Votes(("a",)).kept(frame).tolist() == [True, True, False]
    assert task_of("votes", "ab") == task
    assert task.answer(np.array([0.4, 0.6]), {}) == {"label": "b", "probabilities": {"a": 0.4, "b": 0.6}}
    assert not isinstance(task, Classes)
    assert not isinstance(Classes.of("ab"), Votes)


def test_fewer_classes_have_the_shares_among_the_votes_for_them() -> None:
    wide = pd.DataFrame({"share_a": [0.5, 0.2], "share_b": [0.25, 0.2], "share_c": [0.25, 0.6], "label": ["a", "c"]})
    narrow = Votes(("a", "b")).only(wide)
    assert list(narrow) == ["share_a", "share_b", "label"]
    assert narrow["share_a"].tolist() == pytest.approx([2 / 3, 1 / 2])
    assert narrow["label"].tolist() == ["a", ""]
    assert Classes.of("ab").only(wide) is wide


def test_a_label_that_is_neither_a_class_nor_a_tie_is_refused() -> None:
    task, frame = of_votes()
    for one, label in ((task, "c"), (Classes(task.targets), "")):
        with pytest.raises(InputError, match=f"^predictions: label {label!r} is no class of a, b$"):
            one.places(frame.assign(label=["a", label, "b"]))
    with pytest.raises(InputError, match="dimensions: no row is of a single one of valence"):
        Dimensions(("valence",)).places(frame)


def test_the_kind_of_a_table_is_told_by_most_of_its_columns() -> None:
    classes, votes = Classes.of("ab"), Votes(("a", "b"))
    both = ["fold", "label", "predicted", "p_a", "p_b"]
    assert set(task_kinds()) >= {"classes", "dimensions", "votes"}
    assert task_of_columns(both) == classes
    assert task_of_columns([*both, "share_a", "share_b"]) == votes
    assert task_of_columns(["share_b", "share_a", *both]) == votes
    assert task_of_columns(["predicted", "label", "share_a", "share_b"]) == votes
    # Columns that happen to be called so are of no kind.
    assert task_of_columns([*both, "share_price"]) == classes
    assert task_of_columns(["share_a", "share_b", "label"]) is None
    assert task_of_columns(["valence", "predicted_valence"]) == Dimensions(("valence",))
    assert task_of_columns(["valence"]) is None


def test_shares_are_read_as_numbers_that_sum_to_one() -> None:
    task, frame = of_votes()
    text = frame.drop(columns=["label", "predicted"]).astype(str).assign(p_a="0.2", p_b="0.8")
    read = task.read_numbers("x.csv", text)
    assert task.codes(read).tolist() == task.codes(frame).tolist()
    assert read["label"].tolist() == ["a", "", "b"]
    assert read["predicted"].tolist() == ["b", "b", "b"]
    with pytest.raises(InputError, match=r"^x.csv: the shares of 'u' sum to 1.75; must be 1$"):
        task.read_numbers("x.csv", text.assign(share_b="1"))
    with pytest.raises(InputError, match=r"^x.csv: share_b of 'u' is 'many'; must be within 0 and 1$"):
        task.read_numbers("x.csv", text.assign(share_b="many"))
    with pytest.raises(InputError, match=r"^x.csv: the probabilities of 'u' sum to 1.2; must be 1$"):
        task.read_numbers("x.csv", text.assign(p_a="0.4"))


@settings(max_examples=60, deadline=None)
@given(votes=st.lists(st.integers(0, 5), min_size=2, max_size=5).filter(any))
def test_the_majority_is_the_class_with_more_votes_than_any_other(votes: list[int]) -> None:
    names = [f"c{i}" for i in range(len(votes))]
    most = [name for name, n in zip(names, votes, strict=True) if n == max(votes)]
    expected = most[0] if len(most) == 1 else ""
    counts = np.array([votes], dtype=float)
    assert majority(names, counts).tolist() == majority(names, counts / counts.sum()).tolist() == [expected]
