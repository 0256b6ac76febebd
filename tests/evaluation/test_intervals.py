"""The interval covers what it says, with the few groups that speech corpora have."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_experiments.evaluation.intervals import jackknife, uar_interval
from ser_experiments.evaluation.metrics import uar


def test_of_a_mean_it_is_the_textbook_interval() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0.5, 0.05, 8)
    got = jackknife(lambda rows: float(values[rows].mean()), np.arange(8).astype(str))
    low, high = stats.t.interval(0.95, 7, values.mean(), values.std(ddof=1) / np.sqrt(8))
    assert (got.low, got.high) == (pytest.approx(low), pytest.approx(high))
    assert got.n_groups == 8


def test_one_group_gives_no_interval() -> None:
    got = jackknife(lambda rows: 0.5, np.array(["a", "a"]))
    assert np.isnan(got.low)
    assert got.n_groups == 1


def test_it_is_cut_at_the_limits() -> None:
    got = jackknife(lambda rows: float((rows % 2).mean()), np.array(list("aabbccc")))
    assert got.low >= 0
    assert got.high <= 1


@pytest.mark.parametrize("n_groups", [5, 10])
def test_coverage_over_speakers(n_groups: int) -> None:
    """Speakers differ in how well they are recognised; 95 % intervals must hold the truth about as often."""
    rng = np.random.default_rng(n_groups)
    classes = np.array(list("abcd"))
    n_trials, n_rows, covered = 600, 40, 0
    truth = np.tile(np.repeat(classes, n_rows // 4), n_groups)
    groups = np.repeat(np.arange(n_groups).astype(str), n_rows)
    for _ in range(n_trials):
        hit = rng.normal(0.7, 0.1, (n_groups, 1)) + rng.normal(0, 0.1, (n_groups, 4))
        chance = np.clip(hit, 0.02, 0.98).repeat(n_rows // 4, axis=1).ravel()
        right = rng.random(len(truth)) < chance
        predicted = np.where(right, truth, np.roll(classes, 1)[np.searchsorted(classes, truth)])
        frame = pd.DataFrame({"label": truth, "predicted": predicted, "speaker": groups})
        interval = uar_interval(frame, "speaker")
        covered += interval.low <= 0.7 <= interval.high
    # Three standard errors of 600 trials about 0.95 are 0.027.
    assert covered / n_trials == pytest.approx(0.95, abs=0.03)


def test_rows_as_units_would_be_far_too_narrow() -> None:
    rng = np.random.default_rng(1)
    truth = np.tile(np.repeat(list("ab"), 100), 6)
    groups = np.repeat(np.arange(6).astype(str), 200)
    right = rng.random(len(truth)) < np.repeat([0.9, 0.5, 0.8, 0.6, 0.95, 0.55], 200)
    predicted = np.where(right, truth, np.where(truth == "a", "b", "a"))
    frame = pd.DataFrame({"label": truth, "predicted": predicted, "speaker": groups, "row": range(len(truth))})
    by_speaker, by_row = uar_interval(frame, "speaker"), uar_interval(frame.astype({"row": str}), "row")
    assert uar(truth, predicted) == pytest.approx(np.mean([0.9, 0.5, 0.8, 0.6, 0.95, 0.55]), abs=0.05)
    assert by_speaker.high - by_speaker.low > 4 * (by_row.high - by_row.low)
