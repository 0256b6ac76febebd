"""Tables are checked where they are made: each fault has its line, and what is right passes unchanged."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError
from ser_experiments.frames import Predictions, check_index, check_utterances, unit_column
from ser_experiments.tasks.classes import Classes

Change = Callable[[pd.DataFrame], pd.DataFrame]


def utterances() -> pd.DataFrame:
    """Return a right table: a whole file, a segment from the beginning, one to the end."""
    return pd.DataFrame(
        {
            "path": ["a.wav", "b.wav", "c.wav"],
            "start_s": [np.nan, 0.0, 1.5],
            "end_s": [np.nan, 2.0, np.nan],
            "speaker": ["03", "04", "03"],
            "session": ["1", None, "1"],
            "gender": [None, "f", "m"],
            "label": ["anger", "none", "anger"],
            "note": ["", None, "x"],
        },
        index=pd.Index(["u", "v", "w"], name="utterance_id"),
    )


def put(column: str, place: int, value: object) -> Change:
    def changed(frame: pd.DataFrame) -> pd.DataFrame:
        cells = frame[column].astype(object).to_list()
        cells[place] = value
        kept = frame[column].dtype if isinstance(value, float) else object
        return frame.assign(**{column: pd.Series(cells, index=frame.index, dtype=kept)})

    return changed


def test_a_right_table_comes_back_as_it_is() -> None:
    frame = utterances()
    before = frame.copy()
    assert check_utterances(frame, "corpus 'x'", also=("label",)) is frame
    pd.testing.assert_frame_equal(frame, before)
    assert check_utterances(frame.iloc[:0], "corpus 'x'") is not None
    short = frame.assign(end_s=0.1, start_s=[np.nan, 0.0, 0.05])
    assert check_utterances(short, "corpus 'x'") is short


#: What is wrong, and the line that says it.
FAULTS: dict[str, tuple[Change, str]] = {
    "index name": (lambda f: f.rename_axis("id"), "x: the index is named 'id'; it must be 'utterance_id'"),
    "no index name": (lambda f: f.rename_axis(None), "x: the index is named None; it must be 'utterance_id'"),
    "an id that is a number": (
        lambda f: f.set_axis(pd.Index(["u", 7, "w"], name="utterance_id")),
        "x: utterance id 7 is a int; ids must be text",
    ),
    "an empty id": (lambda f: f.rename(index={"v": ""}), "x: an utterance has an empty id; every utterance needs one"),
    "an id twice": (lambda f: f.rename(index={"w": "v"}), "x: utterance id 'v' occurs twice; ids must be unique"),
    "a column twice": (
        lambda f: pd.concat([f, f[["note"]]], axis=1),
        "x: two columns are called 'note'; names must be unique",
    ),
    **{
        f"no {column}": (
            lambda f, column=column: f.drop(columns=column),
            f"x: no column '{column}'; got {', '.join(utterances().columns.drop(column))}; its reader must give it",
        )
        for column in ("path", "start_s", "end_s", "speaker", "session", "gender", "label")
    },
    **{
        f"{column} {value!r}": (
            put(column, 1, value),
            f"x: utterance 'v' has no {column}; every one needs it",
        )
        for column in ("path", "speaker", "label")
        for value in (None, "", "  ")
    },
    **{
        f"{column} is a number": (put(column, 1, 4), f"x: {column} 4 is a int; it must be text")
        for column in ("path", "speaker", "label")
    },
    **{
        f"{column} is text": (
            lambda f, column=column: f.assign(**{column: "1"}),
            f"x: {column} holds str values; it must hold seconds or NaN",
        )
        for column in ("start_s", "end_s")
    },
    "begins before the file": (
        put("start_s", 1, -0.5),
        "x: utterance 'v' is the segment -0.5-2.0 s; it must begin at 0 or later and end after its beginning",
    ),
    "ends where it begins": (
        put("start_s", 1, 2.0),
        "x: utterance 'v' is the segment 2.0-2.0 s; it must begin at 0 or later and end after its beginning",
    ),
    "has no length from the beginning": (
        lambda f: put("end_s", 1, 0.0)(put("start_s", 1, np.nan)(f)),
        "x: utterance 'v' is the segment nan-0.0 s; it must begin at 0 or later and end after its beginning",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_line(fault: str) -> None:
    change, message = FAULTS[fault]
    with pytest.raises(InputError) as caught:
        check_utterances(change(utterances()), "x", also=("label",))
    assert str(caught.value) == message


def test_only_what_is_asked_for_must_be_there() -> None:
    check_utterances(utterances().drop(columns="label"), "x")
    check_utterances(put("note", 1, None)(utterances()), "x")
    with pytest.raises(InputError, match="^x: utterance 'u' has no note; every one needs it$"):
        check_utterances(utterances(), "x", also=("label", "note"))
    check_index(utterances(), "x")


def test_the_column_of_a_unit() -> None:
    assert unit_column("session") == "group"
    assert unit_column("speaker") == "speaker"


def predictions() -> pd.DataFrame:
    index = pd.Index(["u", "v", "w"], name="utterance_id")
    return pd.DataFrame(
        {"label": ["a", "b", "a"], "predicted": ["a", "a", "b"], "p_a": [0.9, 0.6, 0.2], "p_b": [0.1, 0.4, 0.8]}, index
    )


def test_predictions_as_numbers() -> None:
    held = Predictions.of_classes(predictions().assign(speaker=["03", 4, "03"]))
    assert held.task == Classes(("a", "b"))
    assert len(held) == 3
    assert held.truth.tolist() == [0, 1, 0]
    assert held.decided.tolist() == [0, 0, 1]
    assert held.values.tolist() == [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]
    assert held.units("speaker").tolist() == ["03", "4", "03"]
    assert held.has_values
    assert not Predictions.of_classes(predictions().drop(columns="p_b")).has_values
    wider = Predictions.of_classes(predictions(), ["c", "b", "a"])
    assert wider.task.targets == ("a", "b", "c")
    assert not wider.has_values


def test_rows_are_chosen_by_position_or_mask() -> None:
    held = Predictions.of_classes(predictions(), ["a", "b", "c"])
    for chosen in ([0, 2], np.array([True, False, True]), slice(0, 3, 2)):
        some = held.rows(chosen)
        assert some.frame.index.tolist() == ["u", "w"]
        assert some.task == held.task


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.rename_axis("id"), "predictions: the index is named 'id'; it must be 'utterance_id'"),
        (lambda f: f.rename(index={"v": "u"}), "predictions: utterance id 'u' occurs twice; ids must be unique"),
        (lambda f: f.drop(columns="label"), "predictions: no column 'label'; got predicted, p_a, p_b"),
        (lambda f: f.drop(columns="predicted"), "predictions: no column 'predicted'; got label, p_a, p_b"),
        (lambda f: f.iloc[:0], "predictions: no rows"),
    ],
)
def test_predictions_that_are_none_are_refused(change: Change, message: str) -> None:
    with pytest.raises(InputError) as caught:
        Predictions(change(predictions()), Classes(("a", "b")))
    assert str(caught.value) == message


def test_a_unit_that_is_not_there() -> None:
    with pytest.raises(InputError) as caught:
        Predictions.of_classes(predictions()).units("speaker")
    assert str(caught.value) == "predictions: no column 'speaker'; got label, predicted, p_a, p_b"


def test_answers_are_put_beside_the_truth() -> None:
    people = utterances().assign(extra=1)
    values = np.array([[0.2, 0.8], [0.7, 0.3], [0.6, 0.4]])
    task = Classes(("anger", "none"))
    fold = pd.Series(["f1", "f2", "f1"], index=people.index)
    group = pd.Series(["g1", "g2", "g3"], index=people.index)
    made = Predictions.make(people, values, task, fold=fold, group=group)
    columns = ["fold", "speaker", "session", "label", "group", "predicted", "p_anger", "p_none"]
    assert list(made.frame.columns) == columns
    assert made.frame["predicted"].tolist() == ["none", "anger", "anger"]
    assert made.frame["fold"].tolist() == ["f1", "f2", "f1"]
    assert made.frame["group"].tolist() == ["g1", "g2", "g3"]
    assert made.frame["speaker"].tolist() == ["03", "04", "03"]
    assert made.values.tolist() == values.tolist()
    assert "fold" not in people, "the utterances are not changed"
