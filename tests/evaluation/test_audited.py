"""What an audit found: verdicts, what is read again of it, and parts of a score that are held against chance."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from ser_experiments.errors import InputError
from ser_experiments.evaluation.audit_file import as_dict, as_json, of_dict
from ser_experiments.evaluation.audited import Heard, Robustness
from ser_experiments.evaluation.compare import Difference
from ser_experiments.evaluation.fairness import FAILED, PASSED, UNKNOWN, fairness
from ser_experiments.evaluation.scoring import pooled
from ser_experiments.frames import Predictions
from tests.audits import made_up
from tests.scored import MAKERS, of_classes


@pytest.mark.parametrize("kind", MAKERS)
def test_what_is_kept_is_read_again(kind: str) -> None:
    found = made_up(kind, run_id="r", program="p 1", when="2026-01-01T00:00:00Z", changes="model.C=1")
    again = of_dict(json.loads(as_json(found)), "audit.json")
    assert as_json(again) == as_json(found)
    assert again.findings == found.findings
    assert again.failed == found.failed == ["white noise 0 dB", "hall"]
    told = as_dict(found)
    assert told[found.metric] == found.score
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["n_utterances"] == len(MAKERS[kind](0.8, 1, 12, 12))
    parts = {part["name"] for one in told["fairness"] for part in one["parts"]}
    expected = {
        "classes": {f"recall of {name}" for name in ("anger", "happiness", "neutral", "sadness")},
        "dimensions": {"CCC of valence", "CCC of arousal"},
        "votes": set(),
    }
    assert parts == expected[kind]


@pytest.mark.parametrize("told", [None, [], {}, {"format": "ser-audit/0"}, {"format": "ser-audit/1", "metric": "uar"}])
def test_what_is_no_audit(told: object) -> None:
    with pytest.raises(InputError, match="audit.json: is no "):
        of_dict(told, "audit.json")


@pytest.mark.parametrize("number", ["x", [], {}])
def test_a_damaged_number_is_said(number: object) -> None:
    told = as_dict(made_up())
    told["robustness"][0]["fall"] = number
    with pytest.raises(InputError, match="is no whole audit"):
        of_dict(told, "audit.json")


@pytest.mark.parametrize(
    ("low", "high", "better", "verdict"),
    [
        (-0.02, 0.04, 1, PASSED),
        (0.01, 0.04, 1, PASSED),
        (0.01, 0.3, 1, FAILED),
        (-0.01, 0.3, 1, UNKNOWN),
        (-0.3, -0.01, 1, PASSED),
        (-0.3, -0.01, -1, FAILED),
        (-0.04, 0.02, -1, PASSED),
        (math.nan, math.nan, 1, UNKNOWN),
    ],
)
def test_verdicts(low: float, high: float, better: int, verdict: str) -> None:
    fall = Difference((low + high) / 2, low, high, 0.1, 0.1, 5, better)
    assert Robustness(Heard("hall"), 0.5, fall, 1.0, 0).verdict == verdict


def test_an_earlier_audit_is_not_forgotten() -> None:
    """Whoever audits one condition again does not lose, or hide, the others."""
    whole = made_up()
    better = replace(whole.robustness[1], fall=Difference(0.0, 0.0, 0.01, 0.0, 0.0, 12, 1))
    joined = replace(whole, robustness=[better]).joined(whole)
    assert [one.condition.name for one in joined.robustness] == ["20 dB quieter", "hall", "white noise 0 dB"]
    assert joined.failed == ["hall"]


def _worse_for_men(anger: float) -> Predictions:
    """Return predictions of twelve speakers; of the anger of men, so much is taken for sadness, and the other way."""
    found = of_classes(0.9, 3, 12, 40)
    frame, rng = found.frame.copy(), np.random.default_rng(0)
    men = frame["speaker"].str[1:].astype(int) % 2 == 1
    for label, other in (("anger", "sadness"),):
        moved = men & (frame["label"] == label) & (rng.random(len(frame)) < anger)
        frame.loc[moved, "predicted"] = other
    return Predictions.of_classes(frame, list(found.task.targets))


def test_a_class_that_is_recognised_of_one_group_alone_fails() -> None:
    predictions = _worse_for_men(0.6)
    groups = {one: "fm"[int(one[1:]) % 2] for one in set(predictions.units("speaker"))}
    found = fairness(predictions, "gender", groups)
    assert found is not None
    parts = {part.name: part for part in found.parts}
    assert parts["recall of anger"].verdict == FAILED
    assert [name for name, part in parts.items() if part.verdict == FAILED] == ["recall of anger"]
    for name, part in parts.items():
        for group in "fm":
            own = predictions.rows((predictions.frame["speaker"].map(groups) == group).to_numpy())
            assert part.scores[group] == pytest.approx(pooled(own)[name.replace(" of ", "_")])
        assert part.difference == pytest.approx(abs(part.scores["f"] - part.scores["m"]))


@pytest.mark.slow
def test_of_many_classes_none_fails_by_chance_more_often_than_one_in_twenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ser_experiments.evaluation.fairness.DRAWS", 500)
    alarms = 0
    for seed in range(120):
        predictions = of_classes(0.5, seed, 10, 20)
        groups = {f"s{one}": "fm"[one % 2] for one in range(10)}
        found = fairness(predictions, "gender", groups)
        assert found is not None
        alarms += any(part.verdict == FAILED for part in found.parts)
    assert alarms <= 12  # at a rate of 0.05, more come in one of 150 tries


def test_with_few_speakers_parts_are_told_and_not_judged() -> None:
    predictions = of_classes(0.5, 0, 4, 20)
    found = fairness(predictions, "gender", {"s0": "f", "s1": "f", "s2": "m", "s3": "m"})
    assert found is not None
    assert {part.verdict for part in found.parts} == {UNKNOWN}
    assert all(math.isnan(part.threshold) and part.difference >= 0 for part in found.parts)
