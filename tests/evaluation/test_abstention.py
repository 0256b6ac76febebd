"""What a run says of answers to speakers that nobody has heard is learned from the others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError
from ser_experiments.evaluation import abstention
from ser_experiments.frames import Predictions
from ser_experiments.tasks._probabilities import UNSURE
from ser_experiments.tasks.classes import Classes
from ser_experiments.tasks.dimensions import Dimensions
from ser_experiments.tasks.votes import Votes


def means(predictions: Predictions) -> dict[str, float]:
    return abstention.means(abstention.judged(predictions), predictions)


def by_speaker(predictions: Predictions) -> pd.DataFrame:
    return abstention.by_speaker(abstention.judged(predictions), predictions)


CLASSES, SCALES = Classes(("angry", "happy", "sad")), Dimensions(("valence", "arousal"))


def _frame(n_speakers: int = 8, n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, n_speakers * n)
    scores = rng.normal(size=(len(truth), 3))
    scores[np.arange(len(truth)), truth] += 2
    proba = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    speakers = np.repeat([f"s{one}" for one in range(n_speakers)], n)
    frame = pd.DataFrame(proba, columns=CLASSES.columns).assign(
        label=np.array(CLASSES.targets)[truth], predicted=CLASSES.decided(proba), speaker=speakers
    )
    return frame.set_index(pd.Index([f"u{one}" for one in range(len(frame))], name="utterance_id"))


def _numbers(n_speakers: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = _frame(n_speakers)
    truth = rng.normal(3, 1, (len(frame), 2))
    told = dict(
        zip([*SCALES.targets, *SCALES.columns], np.hstack([truth, truth + rng.normal(size=truth.shape)]).T, strict=True)
    )
    return frame.assign(**told)


def test_candidates_hold_what_they_are_to_hold() -> None:
    found = means(Predictions(_frame(), CLASSES))
    assert found["set_coverage_90"] == pytest.approx(0.9, abs=0.03)
    assert 1 <= found["set_size_90"] < 3
    assert 0 < found["answered_risk_10"] < 1
    assert found["wrong_risk_10"] <= 0.1


def test_a_speaker_is_judged_by_what_others_tell() -> None:
    """One whose answers are always surely wrong is not covered, and would be if it had been learned from."""
    frame = _frame()
    odd = (frame["speaker"] == "s3").to_numpy()
    values = np.full((odd.sum(), 3), 0.005)
    places = CLASSES.places(frame)[odd]
    values[np.arange(len(values)), (places + 1) % 3] = 0.99
    frame.loc[odd, CLASSES.columns] = values
    table = by_speaker(Predictions(frame.assign(predicted=CLASSES.decided(CLASSES.values(frame))), CLASSES))
    assert table.loc["s3", "set_coverage_90"] == 0
    assert table.loc["s3", "wrong_risk_10"] == 1
    assert table["n_utterances"].tolist() == [40] * 8
    assert table.drop(index="s3")["set_coverage_90"].min() > 0.5


def test_intervals_of_numbers_hold_nine_of_ten() -> None:
    found = means(Predictions(_numbers(), SCALES))
    assert found == {f"interval_coverage_90_{name}": pytest.approx(0.9, abs=0.04) for name in SCALES.targets}


def test_ties_of_votes_are_of_no_class() -> None:
    task = Votes(CLASSES.targets)
    frame = _frame()
    shares = pd.get_dummies(frame["label"])[list(task.targets)].to_numpy(dtype=float).copy()
    shares[::4] = [0.5, 0.5, 0.0]
    frame = frame.assign(**dict(zip(task.share_columns, shares.T, strict=True)))
    frame.loc[frame.index[::4], "label"] = ""
    rows = abstention.judged(Predictions(frame, task))
    assert rows["set_size_90"].isna().sum() == len(frame) / 4
    assert means(Predictions(frame, task))["set_coverage_90"] == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize("n_speakers", [1, 2, 3])
def test_too_few_speakers_say_nothing(n_speakers: int) -> None:
    for frame, task in ((_frame(n_speakers), CLASSES), (_numbers(n_speakers), SCALES)):
        predictions = Predictions(frame, task)
        assert means(predictions) == {}
        assert by_speaker(predictions).empty


def test_an_answer_that_is_bound() -> None:
    known = {**CLASSES.learned(_frame()), "risk": 0.1}
    sure = CLASSES.answer(np.array([0.01, 0.01, 0.98]), known)
    assert (sure["label"], sure["candidates"]) == ("sad", ["sad"])
    torn = CLASSES.answer(np.array([0.3, 0.36, 0.34]), known)
    assert (torn["label"], torn["candidates"]) == (UNSURE, ["happy", "sad"])
    assert CLASSES.answer(np.array([0.01, 0.01, 0.98]), {**known, "doubted": True})["label"] == UNSURE
    assert "candidates" not in CLASSES.answer(np.array([0.3, 0.36, 0.34]), CLASSES.learned(_frame()))


def test_less_risk_means_fewer_answers_and_more_candidates() -> None:
    frame = _frame()
    known, values = CLASSES.learned(frame), CLASSES.values(frame)
    answers = {risk: [CLASSES.answer(row, {**known, "risk": risk}) for row in values] for risk in (0.02, 0.1, 0.3, 0.9)}
    given = [sum(one["label"] != UNSURE for one in told) for told in answers.values()]
    among = [sum(len(one["candidates"]) for one in told) for told in answers.values()]
    assert given == sorted(given)
    assert among == sorted(among, reverse=True)
    assert given[0] < given[-1]
    assert all(one["label"] in (UNSURE, one["candidates"][0]) for told in answers.values() for one in told)


@pytest.mark.parametrize(
    ("task", "known", "risk", "said"),
    [
        (CLASSES, CLASSES.learned(_frame()), 0.0, "a risk of 0; must be between 0 and 1, e.g. 0.1"),
        (CLASSES, CLASSES.learned(_frame()), 1.5, "a risk of 1.5; must be"),
        (CLASSES, CLASSES.learned(_frame()), float("nan"), "a risk of nan; must be"),
        (CLASSES, CLASSES.learned(_frame()), 0.001, "a risk of 0.001; the least is 0.01"),
        (CLASSES, CLASSES.learned(_frame(2)), 0.1, "fewer than 3 speakers; run and register it again"),
        (SCALES, SCALES.learned(_numbers()), 0.1, "--abstain is for classes, this model answers dimensions"),
    ],
)
def test_what_cannot_be_bound(task: Classes | Dimensions, known: dict[str, object], risk: float, said: str) -> None:
    with pytest.raises(InputError, match=said):
        task.check_risk(known, risk)
