"""Comparing runs: against slow plain loops, and by simulation with known truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ser_experiments.errors import InputError
from ser_experiments.evaluation.compare import (
    Difference,
    compare,
    detectable,
    difference,
    paired_difference,
    selection_corrected,
)
from ser_experiments.evaluation.intervals import jackknife
from ser_experiments.evaluation.scoring import get_score, interval, pooled
from ser_experiments.frames import Predictions
from tests.scored import SCORES, predictions_for, some
from tests.simulated import confusions

UAR = get_score("uar")
NAMES = [f"s{i}" for i in range(6)]


@pytest.mark.parametrize("metric", SCORES)
def test_comparison_against_plain_loops(metric: str) -> None:
    score = get_score(metric)
    runs = {f"run{i}": predictions_for(metric, seed=i, skill=0.4 + i / 10) for i in range(3)}
    got = compare(runs, "speaker", metric=metric, draws=50)
    whole = {key: pooled(one)[metric] for key, one in runs.items()}
    kept = {
        key: np.array([pooled(some(one, [other for other in NAMES if other != name]))[metric] for name in NAMES])
        for key, one in runs.items()
    }
    order = sorted(whole, key=lambda key: -score.better * whole[key])
    assert [row.key for row in got.rows] == order
    assert got.metric == metric
    assert got.n_groups == 6
    for row in got.rows:
        without = kept[row.key] - kept[order[0]]
        error = np.sqrt(5 / 6 * sum((value - without.mean()) ** 2 for value in without))
        reach = stats.t.ppf(0.975, 5) * error
        assert row.score == pytest.approx(whole[row.key])
        assert row.interval == pytest.approx(interval(runs[row.key], "speaker", metric))
        assert row.difference.value == pytest.approx(whole[row.key] - whole[order[0]], abs=1e-12)
        assert row.difference.standard_error == pytest.approx(error, abs=1e-12)
        assert row.difference.low == pytest.approx(row.difference.value - reach, abs=1e-12)
        assert row.difference.high == pytest.approx(row.difference.value + reach, abs=1e-12)
        assert row.difference.detectable == pytest.approx(detectable(error, 6), abs=1e-12)
        assert (row.difference.n_groups, row.difference.better) == (6, score.better)
    alone = paired_difference(runs["run0"], runs["run2"], "speaker", metric=metric)
    assert alone.value == pytest.approx(whole["run0"] - whole["run2"])
    rows = {row.key: row for row in got.rows}
    if order[0] == "run2":
        assert alone == pytest.approx(rows["run0"].difference, abs=1e-12)


@pytest.mark.parametrize("metric", SCORES)
def test_which_way_is_better(metric: str) -> None:
    """What a gate needs: clearly better is better, whichever way the score goes."""
    good, poor = (predictions_for(metric, skill=skill, n_rows=40) for skill in (0.9, 0.2))
    assert paired_difference(good, poor, "speaker", metric=metric).clearly_better
    assert not paired_difference(poor, good, "speaker", metric=metric).clearly_better
    assert not paired_difference(good, good, "speaker", metric=metric).clearly_better
    like = predictions_for(metric, skill=0.9, n_rows=40, seed=1)
    there, back = (paired_difference(*pair, "speaker", metric=metric) for pair in ((good, like), (like, good)))
    assert not there.clearly_better
    assert not back.clearly_better


def test_clearly_better_leaves_zero_out_on_the_better_side() -> None:
    def made(low: float, high: float, better: int) -> Difference:
        return Difference((low + high) / 2, low, high, 0.1, 0.1, 5, better)

    assert made(0.1, 0.2, 1).clearly_better
    assert made(-0.2, -0.1, -1).clearly_better
    for low, high, better in ((-0.2, -0.1, 1), (0.1, 0.2, -1), (0.0, 0.2, 1), (-0.2, 0.0, -1), (-0.1, 0.2, 1)):
        assert not made(low, high, better).clearly_better
    nan = float("nan")
    assert not any(Difference(5.0, nan, nan, nan, nan, 1, better).clearly_better for better in (1, -1))


def test_selection_correction_against_a_plain_loop() -> None:
    """The same draws, scored row by row, for a score of which more is better and for one of which less is."""
    runs = [predictions_for("uar", seed=i, n_rows=12) for i in range(3)]
    drawn = np.random.default_rng(7).multinomial(6, np.full(6, 1 / 6), size=15)
    for metric in ("uar", "log_loss"):
        score, outside = get_score(metric), []
        for row in drawn:
            if (row > 0).all():
                continue
            repeats = [n for n, w in zip(NAMES, row, strict=True) for _ in range(w)]
            inside = [score.better * score.on(some(run, repeats)).whole() for run in runs]
            best = [i for i, value in enumerate(inside) if value > max(inside) - 1e-12]
            rest = [n for n, w in zip(NAMES, row, strict=True) if w == 0]
            outside.append(np.mean([score.on(some(runs[i], rest)).whole() for i in best]))
        groups = [score.on(run, "speaker") for run in runs]
        assert selection_corrected(groups, draws=15, seed=7) == pytest.approx(np.mean(outside), abs=1e-12)


@pytest.mark.parametrize("n_groups", [5, 10])
def test_coverage_of_the_paired_interval(n_groups: int) -> None:
    """Two runs share what makes a speaker hard, and differ by 0.04 with a spread over speakers."""
    rng = np.random.default_rng(n_groups)
    n_trials, covered = 2000, 0
    for _ in range(n_trials):
        hard = rng.normal(0.7, 0.08, (n_groups, 1))
        gain = 0.04 + rng.normal(0, 0.05, (n_groups, 1))
        pair = [confusions(rng, chance.repeat(4, axis=1), 10, UAR) for chance in (hard + gain, hard)]
        found = difference(*pair)
        covered += found.low <= 0.04 <= found.high
    # Three standard errors of 2000 trials about 0.95 are 0.015.
    assert covered / n_trials == pytest.approx(0.95, abs=0.016)


def test_pairing_is_what_makes_small_differences_seen() -> None:
    rng = np.random.default_rng(3)
    hard = rng.normal(0.65, 0.12, (10, 1)).repeat(4, axis=1)
    pair = [confusions(rng, chance, 10, UAR) for chance in (hard + 0.1, hard)]
    apart = np.hypot(*(jackknife(one.whole(), one.without_each()).standard_error for one in pair))
    assert difference(*pair).standard_error < 0.7 * apart


@pytest.mark.parametrize("n_groups", [2, 3, 5, 9, 60])
def test_the_detectable_difference_is_found_four_times_of_five(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    shift = detectable(1 / np.sqrt(n_groups), n_groups)
    draws = rng.normal(shift, 1, (20_000, n_groups))
    p = stats.ttest_1samp(draws, 0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.012)
    assert detectable(2.0, n_groups) == pytest.approx(2 * detectable(1.0, n_groups))
    assert detectable(1.0, n_groups, power=0.9) > detectable(1.0, n_groups) > detectable(1.0, n_groups, alpha=0.1)


def test_the_best_of_fifteen_equal_runs_is_corrected() -> None:
    """Fifteen runs of true UAR 0.80: the best looks like 0.825; corrected, the bias is gone."""
    rng = np.random.default_rng(1)
    n_groups, best, corrected = 10, [], []
    for _ in range(200):
        # Equally good on each speaker; the speakers' mean is 0.80 exactly, so that only luck of the rows is left.
        hard = rng.normal(0, 0.04, (n_groups, 1))
        hard += 0.8 - hard.mean()
        runs = [confusions(rng, hard.repeat(4, axis=1), 20, UAR) for _ in range(15)]
        best.append(max(run.whole() for run in runs))
        corrected.append(selection_corrected(runs, draws=200))
    noise = np.std(corrected) / np.sqrt(len(corrected))
    assert np.mean(best) == pytest.approx(0.825, abs=0.004)
    assert np.mean(corrected) == pytest.approx(0.8, abs=3 * noise + 0.002)


def test_a_truly_better_run_keeps_its_score() -> None:
    rng = np.random.default_rng(2)
    runs = [confusions(rng, np.full((10, 4), skill), 10, UAR) for skill in (0.85, *[0.6] * 5)]
    assert selection_corrected(runs, draws=500) == pytest.approx(runs[0].whole(), abs=0.005)
    worst_first = [confusions(rng, np.full((10, 4), skill), 10, UAR) for skill in (0.6, 0.85)]
    assert selection_corrected(worst_first, draws=500) == pytest.approx(worst_first[1].whole(), abs=0.005)


def test_a_board_is_the_same_every_time_and_says_its_draws() -> None:
    runs = {str(i): predictions_for("uar", seed=i) for i in range(3)}
    one, two = (compare(runs, "speaker", draws=30) for _ in range(2))
    assert one == two
    assert one.corrected != compare(runs, "speaker", draws=30, seed=1).corrected
    groups = [UAR.on(run, "speaker") for run in runs.values()]
    assert one.corrected == pytest.approx(selection_corrected(groups, draws=30, seed=0), abs=1e-12)
    assert selection_corrected(groups) == selection_corrected(groups, draws=2000, seed=0)
    assert compare(runs, "speaker").corrected == pytest.approx(
        selection_corrected(groups, draws=2000, seed=0), abs=1e-12
    )


def test_the_order_of_the_rows_and_the_default_do_not_matter() -> None:
    runs = {str(i): predictions_for("uar", seed=i) for i in range(2)}
    turned = runs | {"1": runs["1"].rows(np.arange(len(runs["1"]))[::-1])}
    assert compare(turned, "speaker", draws=10) == compare(runs, "speaker", draws=10)
    assert compare(runs, "speaker", draws=10) == compare(runs, "speaker", metric="uar", draws=10)
    assert compare(runs, "speaker", draws=10) == compare(runs, "speaker", metric=UAR, draws=10)
    assert paired_difference(runs["0"], runs["1"], "speaker") == paired_difference(
        runs["0"], turned["1"], "speaker", metric="uar"
    )


def test_one_group_has_scores_and_no_intervals() -> None:
    runs = {str(i): predictions_for("uar", seed=i, n_groups=1) for i in range(2)}
    found = compare(runs, "speaker")
    assert np.isfinite(found.best.score)
    second = found.rows[1].difference
    assert np.isfinite(second.value)
    assert np.isnan([found.corrected, found.best.interval.low, *second[1:5]]).all()
    assert second.n_groups == 1


def test_two_groups_suffice_and_intervals_are_cut() -> None:
    runs = {str(i): predictions_for("uar", seed=i, n_groups=2, skill=1.15, n_rows=8) for i in range(2)}
    found = compare(runs, "speaker", draws=20)
    assert np.isfinite([found.corrected, found.best.interval.low, found.rows[1].difference.low]).all()
    assert found.best.interval.high == 1.0


def test_what_cannot_be_compared_is_refused() -> None:
    whole = predictions_for("uar")
    frame, task = whole.frame, whole.task
    with pytest.raises(InputError, match="unknown metric 'uarr'; did you mean 'uar'"):
        compare({"a": whole}, "speaker", metric="uarr")
    with pytest.raises(InputError, match="^nothing to compare: no runs$"):
        compare({}, "speaker")
    for rows in (whole.rows(slice(1, None)), Predictions(frame.rename(index={"u0000": "other"}), task)):
        with pytest.raises(InputError, match="runs a and b were not scored on the same utterances"):
            compare({"a": whole, "b": rows}, "speaker")
    others = (frame.assign(label=frame["label"].to_numpy()[::-1]), frame.assign(speaker=frame["speaker"] + "x"))
    for other in others:
        with pytest.raises(InputError, match="runs a and b differ in label or speaker; compare one setting"):
            compare({"a": whole, "b": Predictions(other, task)}, "speaker")
    more = Predictions.of_classes(frame.assign(p_other=0.0), [*task.targets, "other"])
    with pytest.raises(InputError, match="runs a and b do not predict the same"):
        compare({"a": whole, "b": more}, "speaker")
