"""The interval covers what it says, with the few groups that speech corpora have."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ser_experiments.evaluation.intervals import jackknife
from ser_experiments.evaluation.score import GroupSums
from ser_experiments.evaluation.scoring import get_score
from tests.simulated import confusions, numbers


def test_of_a_mean_it_is_the_textbook_interval() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(0.5, 0.05, 8)
    without = (values.sum() - values) / 7
    for level in (0.95, 0.8):
        got = jackknife(float(values.mean()), without, level=level)
        error = values.std(ddof=1) / np.sqrt(8)
        low, high = stats.t.interval(level, 7, values.mean(), error)
        assert (got.low, got.high, got.standard_error) == pytest.approx((low, high, error))
        assert got.n_groups == 8
    assert jackknife(0.5, without) == jackknife(0.5, without, level=0.95)


def test_one_group_gives_no_interval_and_two_do() -> None:
    got = jackknife(0.5, np.array([np.nan]))
    assert np.isnan([got.low, got.high, got.standard_error]).all()
    assert got.n_groups == 1
    assert np.isfinite(jackknife(0.5, np.array([0.4, 0.6])).low)


def test_it_is_cut_at_the_limits_alone() -> None:
    without = np.array([0.1, 0.9, 0.5])
    free = jackknife(0.5, without)
    assert free.low < 0
    assert free.high > 1
    assert jackknife(0.5, without, limits=(0.0, np.inf))[:2] == (0.0, free.high)
    assert jackknife(0.5, without, limits=(-np.inf, 1.0))[:2] == (free.low, 1.0)


def test_the_ends_are_named_after_the_score() -> None:
    found = jackknife(0.5, np.array([0.4, 0.6]))
    assert found.metrics("wa") == {"wa_ci_low": found.low, "wa_ci_high": found.high}


@pytest.mark.parametrize("n_groups", [5, 10])
def test_coverage_over_speakers(n_groups: int) -> None:
    """Speakers differ in how well they are recognised; 95 % intervals must hold the truth about as often."""
    rng = np.random.default_rng(n_groups)
    n_trials, covered, score = 2000, 0, get_score("uar")
    for _ in range(n_trials):
        hit = rng.normal(0.7, 0.1, (n_groups, 1)) + rng.normal(0, 0.1, (n_groups, 4))
        groups = confusions(rng, np.clip(hit, 0.02, 0.98), 10, score)
        found = jackknife(groups.whole(), groups.without_each(), limits=score.limits)
        covered += found.low <= 0.7 <= found.high
    # Three standard errors of 2000 trials about 0.95 are 0.015.
    assert covered / n_trials == pytest.approx(0.95, abs=0.016)


def test_rows_as_units_would_be_far_too_narrow() -> None:
    rng = np.random.default_rng(1)
    score = get_score("uar")
    by_speaker = confusions(rng, np.repeat([[0.9], [0.5], [0.8], [0.6], [0.95], [0.55]], 2, axis=1), 100, score)
    counts = by_speaker.sums.sum(axis=0).astype(int)
    one_hot = np.eye(counts.size)[np.repeat(np.arange(counts.size), counts.ravel())].reshape(-1, *counts.shape)
    by_row = GroupSums(score, np.arange(len(one_hot)).astype(str), one_hot)
    wide, narrow = (jackknife(groups.whole(), groups.without_each()) for groups in (by_speaker, by_row))
    assert by_row.whole() == pytest.approx(by_speaker.whole())
    assert by_row.whole() == pytest.approx(np.mean([0.9, 0.5, 0.8, 0.6, 0.95, 0.55]), abs=0.05)
    assert wide.high - wide.low > 4 * (narrow.high - narrow.low)


def _covered(name: str, ccc: float, n_groups: int, *, equal: bool, own: float = 0.5, scaled: bool = True) -> float:
    """Return in which share of simulated corpora the interval of a score of numbers holds the truth."""
    rng, n_trials, score = np.random.default_rng(n_groups), 2000, get_score(name)
    drawn = np.exp(rng.uniform(np.log(20), np.log(501), (n_trials, n_groups))).astype(int)
    sums, true = numbers(rng, ccc, np.full_like(drawn, 100) if equal else drawn, own=own)
    all_of_them = sums.sum(axis=1)
    assert score.value is not None
    whole = score.value(all_of_them)
    without = score.value((all_of_them[:, None] - sums).reshape(-1, 1, 7)).reshape(n_trials, n_groups)
    scale = score.scale if scaled else None
    found = (jackknife(*one, limits=score.limits, scale=scale) for one in zip(whole, without, strict=True))
    return float(np.mean([one.low <= true[name] <= one.high for one in found]))


@pytest.mark.parametrize("name", ["ccc", "pearson"])
@pytest.mark.parametrize(("n_groups", "ccc"), [(5, 0.0), (5, 0.8), (10, 0.5), (24, 0.2)])
def test_coverage_of_numbers_over_speakers(name: str, n_groups: int, ccc: float) -> None:
    """Speakers differ in their mean, in the offset they are predicted with, and in how well they are followed."""
    assert _covered(name, ccc, n_groups, equal=True) == pytest.approx(0.95, abs=0.016)


@pytest.mark.parametrize("name", ["ccc", "pearson"])
@pytest.mark.parametrize(("n_groups", "ccc"), [(5, 0.5), (10, 0.8)])
def test_speakers_of_unequal_size_cost_some_coverage(name: str, n_groups: int, ccc: float) -> None:
    """With 20 to 500 rows a speaker, a few speakers decide: fewer than they are counted as."""
    assert 0.9 <= _covered(name, ccc, n_groups, equal=False) <= 0.95


def test_fishers_scale_is_why() -> None:
    on_its_own = _covered("pearson", 0.8, 5, equal=True, own=0.6, scaled=False)
    assert on_its_own < 0.925
    assert _covered("pearson", 0.8, 5, equal=True, own=0.6) > on_its_own + 0.02
