"""Thresholds hold for speakers they were not taken from, on average, which those of rows do not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ser_experiments import conformal

Floats = NDArray[np.float64]
N_CLASSES = 4


def _speakers(n: int, apart: float, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Return probabilities, classes and speakers; voices differ in what they are taken for, and how surely."""
    sizes = rng.integers(10, 120, size=n)
    speaker = np.repeat(np.arange(n), sizes)
    truth = rng.integers(0, N_CLASSES, len(speaker))
    scores = rng.normal(size=(len(speaker), N_CLASSES)) + rng.normal(0, apart, (n, N_CLASSES))[speaker]
    scores[np.arange(len(truth)), truth] += rng.normal(1.6, apart, n)[speaker]
    scores /= 0.6 * np.exp(rng.normal(0, apart / 2, n))[speaker, None]
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True), truth, speaker


def _far(proba: Floats, truth: NDArray[np.intp]) -> Floats:
    return 1 - proba[np.arange(len(truth)), truth]


@pytest.mark.parametrize("n_speakers", [5, 10, 24])
@pytest.mark.parametrize("apart", [0.0, 0.3, 0.8])
def test_what_is_aimed_at_is_reached_on_new_speakers(n_speakers: int, apart: float) -> None:
    rng = np.random.default_rng(n_speakers)
    covered, answered, wrong = [], np.zeros(1), np.zeros(1)
    for _ in range(60):
        proba, truth, speaker = _speakers(n_speakers, apart, rng)
        far = conformal.covering(_far(proba, truth), speaker, [0.9])[0]
        least = conformal.sure(proba.max(axis=1), proba.argmax(axis=1) != truth, speaker, [0.2])[0]
        proba, truth, speaker = _speakers(40, apart, rng)
        weights = conformal.equal_groups(speaker)[1]
        covered.append(weights[_far(proba, truth) <= far].sum())
        given = proba.max(axis=1) >= least
        answered += weights[given].sum()
        wrong += weights[given & (proba.argmax(axis=1) != truth)].sum()
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)
    # At most: with few speakers who differ much, what is known of the next is so little that it may be a little more.
    assert wrong / answered <= (0.205 if apart < 0.8 else 0.24)
    assert answered > 0


def test_rows_promise_too_much_where_a_few_speakers_differ() -> None:
    """What conformal prediction says of exchangeable rows falls short for a voice that is not among them."""
    rng = np.random.default_rng(0)
    by_row, by_speaker = [], []
    for _ in range(300):
        scores, new = ([rng.normal(rng.normal(0, 2, n)[:, None], 1, (n, 50))] for n in (4, 40))
        known, heard = scores[0].ravel(), np.repeat(np.arange(4), 50)
        n = len(known)
        far = np.sort(known)[int(np.ceil(0.9 * (n + 1))) - 1]
        by_row.append((new[0] <= far).mean())
        by_speaker.append((new[0] <= conformal.covering(known, heard, [0.9])[0]).mean())
    assert np.mean(by_row) < 0.86
    assert np.mean(by_speaker) > np.mean(by_row) + 0.02


def test_the_level_is_the_one_that_would_have_held_for_each_speaker() -> None:
    """A plain loop: leave each speaker out, take the others' quantile at every level, and see whom it covers."""
    rng = np.random.default_rng(3)
    scores, speaker = rng.normal(size=90), np.repeat(np.arange(6), 15)
    scores += rng.normal(0, 1, 6)[speaker]
    far = conformal.covering(scores, speaker, [0.8])[0]

    def quantile(rows: NDArray[np.bool_], level: float) -> float:
        ordered, weights = np.sort(scores[rows]), np.full(rows.sum(), 1 / rows.sum())
        return ordered[min(np.searchsorted(np.cumsum(weights), level - 1e-9), len(ordered) - 1)]

    held = []
    for level in np.arange(1, 91) / 90:
        shares = [(scores[speaker == one] <= quantile(speaker != one, level)).mean() for one in range(6)]
        held.append(np.mean(shares) >= 0.8 - 1e-9)
    level = (np.arange(1, 91) / 90)[np.argmax(held)]
    neighbours = np.sort(scores)
    # Both are taken at levels between two rows, so that they may lie one row apart.
    assert abs(np.searchsorted(neighbours, far) - np.searchsorted(neighbours, quantile(speaker >= 0, level))) <= 1


def test_every_speaker_weighs_the_same() -> None:
    """A thousand utterances of one voice are one voice."""
    rng = np.random.default_rng(5)
    scores, speaker = rng.normal(size=80), np.repeat(np.arange(8), 10)
    often = np.concatenate([np.tile(np.flatnonzero(speaker == 0), 100), np.flatnonzero(speaker > 0)])
    coverages = [0.5, 0.8, 0.9]
    same = conformal.covering(scores, speaker, coverages)
    assert conformal.covering(scores[often], speaker[often], coverages) == pytest.approx(same)


def test_thresholds_rise_with_what_is_asked() -> None:
    rng = np.random.default_rng(6)
    proba, truth, speaker = _speakers(8, 0.4, rng)
    far = conformal.covering(_far(proba, truth), speaker, np.linspace(0.5, 0.99, 50))
    assert (np.diff(far) >= 0).all()
    least = conformal.sure(proba.max(axis=1), proba.argmax(axis=1) != truth, speaker, np.linspace(0.01, 0.5, 50))
    assert (np.diff(least[np.isfinite(least)]) <= 0).all()
    assert np.isfinite(least[-1])


def test_two_speakers_say_nothing_of_a_third() -> None:
    scores, speaker = np.linspace(0, 1, 20), np.repeat([0, 1], 10)
    assert np.isinf(conformal.covering(scores, speaker, [0.9])).all()
    assert np.isinf(conformal.sure(scores, scores > 2, speaker, [0.1])).all()


def test_who_is_always_wrong_never_answers() -> None:
    confidence, speaker = np.linspace(0.5, 1, 40), np.repeat(np.arange(4), 10)
    assert np.isinf(conformal.sure(confidence, np.ones(40, dtype=bool), speaker, [0.1, 0.3])).all()
    assert conformal.sure(confidence, np.zeros(40, dtype=bool), speaker, [0.01])[0] == 0.5


def test_many_speakers_are_left_out_in_twenty_parts() -> None:
    parts = conformal.parts_of(np.repeat(np.arange(90), 2))
    assert len(parts) == 20
    assert np.sum(parts, axis=0).tolist() == [1] * 180
