"""Withholding the least sure answers: against plain loops, over ties, weights and who is left without an answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_experiments.evaluation.plots import plot_risk_coverage
from ser_experiments.evaluation.scoring import get_score, interval, pooled
from ser_experiments.evaluation.selective import answered, coverage_by, risk_coverage, uar_at
from ser_experiments.frames import Predictions


def table(sure: list[float], right: list[bool], speaker: list[str] | None = None) -> Predictions:
    """Return answers about a class "a" beside "b": how sure, whether right, by whom."""
    p = np.asarray(sure)
    frame = pd.DataFrame({"label": np.where(right, "a", "b"), "predicted": "a", "p_a": p, "p_b": 1 - p})
    frame["speaker"] = speaker or "s"
    frame.index = pd.Index([f"u{i}" for i in range(len(frame))], name="utterance_id")
    return Predictions.of_classes(frame, ["a", "b"])


def test_the_area_is_the_mean_risk_over_the_numbers_of_answers() -> None:
    predictions = table([0.9, 0.8, 0.7, 0.6], [True, False, True, False])
    assert pooled(predictions)["aurc"] == pytest.approx(np.mean([0, 1 / 2, 1 / 3, 2 / 4]))
    assert risk_coverage(predictions)["risk"].tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert risk_coverage(predictions)["coverage"].tolist() == [0.25, 0.5, 0.75, 1]


@settings(max_examples=30, deadline=None)
@given(data=st.data(), n=st.integers(1, 12))
def test_equally_sure_answers_come_in_any_order(data: st.DataObject, n: int) -> None:
    sure = data.draw(st.lists(st.sampled_from([0.5, 0.6, 0.7, 0.9]), min_size=n, max_size=n))
    right = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    found = pooled(table(sure, right))["aurc"]
    rng = np.random.default_rng(0)
    means = []
    for _ in range(600):
        order = np.lexsort([rng.random(n), -np.array(sure)])
        means.append(np.mean(np.cumsum(~np.array(right)[order]) / np.arange(1, n + 1)))
    assert found == pytest.approx(np.mean(means), abs=6 * np.std(means) / np.sqrt(600) + 1e-9)


def test_a_row_that_counts_twice_is_two_rows() -> None:
    sure, right = [0.9, 0.8, 0.8, 0.7, 0.6], [True, True, False, False, True]
    twice = [0, 1, 1, 2, 4, 4]
    weights = np.bincount(twice, minlength=5)[None].astype(float)
    repeated = table([sure[i] for i in twice], [right[i] for i in twice])
    for name in ("aurc", "uar_at_50", "uar_at_70", "uar_at_90"):
        weighing = get_score(name).weighing
        assert weighing is not None
        assert weighing(table(sure, right))(weights) == pytest.approx(pooled(repeated)[name])


def test_the_surest_share_is_answered_and_of_equal_ones_a_part() -> None:
    predictions = table([0.9, 0.8, 0.8, 0.8, 0.6], [True] * 5)
    parts = answered(predictions, 0.6)(np.ones((1, 5)))
    np.testing.assert_allclose(parts, [[1, 2 / 3, 2 / 3, 2 / 3, 0]])
    assert answered(predictions, 1.0)(np.ones((1, 5))).tolist() == [[1] * 5]
    # Whoever is left out takes no room.
    np.testing.assert_allclose(answered(predictions, 0.5)(np.array([[0.0, 1, 1, 1, 1]]))[0, 1:], [2 / 3] * 3 + [0])


def test_silence_on_an_emotion_is_no_way_to_a_better_score() -> None:
    """All of class "b" is unsure: at half the coverage none of it is answered."""
    frame = pd.DataFrame(
        {
            "label": ["a", "a", "b", "b"],
            "predicted": ["a", "a", "b", "b"],
            "p_a": [0.9, 0.9, 0.4, 0.4],
            "p_b": [0.1, 0.1, 0.6, 0.6],
            "speaker": "s",
        },
        index=pd.Index(list("wxyz"), name="utterance_id"),
    )
    found = pooled(Predictions.of_classes(frame))
    assert found["uar"] == 1.0
    assert found["uar_at_50"] == 0.5


def test_all_that_is_answered_scores_as_ever() -> None:
    rng = np.random.default_rng(1)
    right = rng.random(200) < 0.6
    predictions = table(list(0.5 + 0.5 * rng.random(200)), list(right), [f"s{i % 8}" for i in range(200)])
    assert uar_at(1.0)(predictions)(np.ones((1, 200)))[0] == pytest.approx(pooled(predictions)["uar"])
    found = interval(predictions, "speaker", "aurc")
    assert found.low < pooled(predictions)["aurc"] < found.high


def test_who_is_left_without_an_answer_is_counted() -> None:
    sure = [0.9] * 10 + [0.6] * 10
    predictions = table(sure, [True] * 20, ["loud"] * 10 + ["soft"] * 10)
    found = coverage_by(predictions)
    assert found.loc["loud"].tolist() == [10, 1, 1, 1]
    assert found.loc["soft"].tolist() == pytest.approx([10, 0.8, 0.4, 0])
    figure = plot_risk_coverage(predictions, "title")
    left, right = figure.axes
    assert left.get_title().startswith("area 0.000")
    assert [tick.get_text() for tick in right.get_xticklabels()] == ["soft", "loud"]
