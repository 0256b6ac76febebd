"""A recording whose measures lie beyond those of the training is told from a new voice of the same recordings."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP
from ser_experiments.serving.about import check_about
from ser_experiments.serving.outlying import Usual, ranges_of


def _table(n_speakers: int, rng: np.random.Generator, shift: float = 0.0) -> tuple[pd.DataFrame, pd.Series]:
    speakers = np.repeat([f"s{one}" for one in range(n_speakers)], 30)
    voices = rng.normal(0, 0.5, (n_speakers, 40)).repeat(30, axis=0)
    table = pd.DataFrame(rng.normal(size=voices.shape) + voices + shift, columns=[f"c{one}" for one in range(40)])
    return table.astype(np.float32), pd.Series(speakers)


def test_new_voices_are_usual_and_other_recordings_are_not() -> None:
    rng = np.random.default_rng(0)
    known = ranges_of(*_table(12, rng))
    new, _ = _table(40, rng)
    doubted = [bool(Usual.of(known).beyond(new.iloc[[place]])) for place in range(0, len(new), 5)]
    assert np.mean(doubted) < 0.05
    other, _ = _table(40, rng, shift=3.0)
    said = [Usual.of(known).beyond(other.iloc[[place]]) for place in range(0, len(other), 50)]
    assert all(said)
    assert "% of its measures beyond those of training, usual up to" in said[0][0]


def test_what_is_learned_from_is_not_beyond_itself() -> None:
    table, speakers = _table(6, np.random.default_rng(1))
    known = ranges_of(table.assign(**{GROUP: "g"}), speakers)
    assert known["columns"] == list(table)
    beyond = ((table < known["low"]) | (table > known["high"])).to_numpy().mean()
    assert beyond == pytest.approx(0.01, abs=0.005)


def test_the_order_of_columns_and_others_beside_them_do_not_count() -> None:
    table, speakers = _table(6, np.random.default_rng(2))
    known = ranges_of(table, speakers)
    row = table.iloc[[0]] + 9
    assert Usual.of(known).beyond(row[row.columns[::-1]].assign(other=0.0)) == Usual.of(known).beyond(row) != []


def test_constant_columns_are_not_beyond_by_rounding() -> None:
    table, speakers = _table(6, np.random.default_rng(3))
    constant = pd.DataFrame({f"k{one}": np.full(len(table), 1 / 3, np.float32) for one in range(400)})
    table = pd.concat([table, constant], axis=1)
    assert Usual.of(ranges_of(table, speakers)).beyond(table.iloc[[0]]) == []


def test_without_numbers_or_with_two_speakers_nothing_is_known() -> None:
    table, speakers = _table(6, np.random.default_rng(4))
    assert ranges_of(table[[]], speakers) == {}
    assert ranges_of(table[:60], speakers[:60]) == {}
    assert Usual.of({}).beyond(table.iloc[[0]]) == []


@pytest.mark.parametrize(
    "broken", [{"most": "x"}, {"low": [1.0]}, {"high": None}, {"columns": ["a", "a"]}, {"low": [float("nan")] * 40}]
)
def test_a_file_that_was_changed_is_refused(broken: dict[str, object]) -> None:
    known = json.loads(json.dumps(ranges_of(*_table(6, np.random.default_rng(5)))))
    assert check_about({"measured": known}, "here")["measured"] == known
    with pytest.raises(InputError, match="here: 'measured' must be columns, each with a low"):
        check_about({"measured": {**known, **broken}}, "here")
