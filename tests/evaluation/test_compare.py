"""Comparing runs: against slow plain loops, and by simulation with known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ser_experiments.errors import InputError
from ser_experiments.evaluation.compare import compare, detectable, paired_difference, selection_corrected
from ser_experiments.evaluation.group_scores import SCORES, group_sums, weighted
from ser_experiments.evaluation.metrics import expected_calibration_error, pooled_metrics, uar

CLASSES = ["anger", "happiness", "neutral", "sadness"]


def made_up(seed: int, n_groups: int = 6, n_rows: int = 24, skill: float = 1.0) -> pd.DataFrame:
    """Return predictions with unequal groups; the labels depend on the sizes alone, so runs can be paired."""
    labels_rng, rng = np.random.default_rng(99), np.random.default_rng(seed)
    parts = []
    for group in range(n_groups):
        truth = labels_rng.choice(4, n_rows + 3 * group)
        logits = rng.normal(size=(len(truth), 4)) + skill * np.eye(4)[truth]
        chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        part = pd.DataFrame(chances, columns=[f"p_{c}" for c in CLASSES])
        part["label"] = np.array(CLASSES)[truth]
        part["predicted"] = np.array(CLASSES)[chances.argmax(axis=1)]
        part["speaker"] = f"s{group}"
        part.index = [f"{group}-{i}" for i in range(len(truth))]
        parts.append(part)
    return pd.concat(parts)


def score_by_rows(frame: pd.DataFrame, metric: str) -> float:
    """Score rows the plain way."""
    return pooled_metrics(frame, CLASSES)[metric]


@pytest.mark.parametrize("metric", list(SCORES))
def test_sums_over_groups_score_as_rows_do(metric: str) -> None:
    frame = made_up(1)
    sums = group_sums(frame, CLASSES, "speaker", metric)
    names = sorted(frame["speaker"].unique())
    weights = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1], [2, 0, 0, 1, 3, 0]])
    for row in weights:
        repeated = pd.concat([frame[frame["speaker"] == n] for n, w in zip(names, row, strict=True) for _ in range(w)])
        assert weighted(sums, row[None], metric)[0] == pytest.approx(score_by_rows(repeated, metric), abs=1e-12)


def test_a_class_that_no_drawn_group_has_is_left_out() -> None:
    frame = made_up(1)
    frame = frame[(frame["speaker"] != "s0") | (frame["label"] != "anger")]
    sums = group_sums(frame, CLASSES, "speaker", "uar")
    alone = frame[frame["speaker"] == "s0"]
    expected = uar(alone["label"].to_numpy(dtype=str), alone["predicted"].to_numpy(dtype=str))
    assert weighted(sums, np.eye(6)[:1], "uar")[0] == pytest.approx(expected)


@pytest.mark.parametrize("metric", list(SCORES))
def test_comparison_against_plain_loops(metric: str) -> None:
    runs = {f"run{i}": made_up(i, skill=1 + i / 4) for i in range(3)}
    got = compare(runs, "speaker", metric=metric, draws=50)
    names = sorted(runs["run0"]["speaker"].unique())
    whole = {key: score_by_rows(frame, metric) for key, frame in runs.items()}
    best = max(whole, key=lambda key: SCORES[metric].sign * whole[key])
    assert got.best.key == best
    for row in got.rows:
        a, b = runs[row.key], runs[best]
        kept = [
            score_by_rows(a[a["speaker"] != n], metric) - score_by_rows(b[b["speaker"] != n], metric) for n in names
        ]
        error = np.sqrt(5 / 6 * sum((value - np.mean(kept)) ** 2 for value in kept))
        assert row.score == pytest.approx(whole[row.key])
        assert row.difference.value == pytest.approx(whole[row.key] - whole[best])
        assert row.difference.standard_error == pytest.approx(error, abs=1e-12)
        reach = stats.t.ppf(0.975, 5) * error
        assert row.difference.high - row.difference.low == pytest.approx(2 * reach, abs=1e-12)
        assert row.difference.n_groups == row.interval.n_groups == 6
    alone = paired_difference(runs["run0"], runs["run2"], "speaker", metric=metric)
    whole_difference = whole["run0"] - whole["run2"]
    assert alone.value == pytest.approx(whole_difference)


def test_selection_correction_against_a_plain_loop() -> None:
    """The same draws, scored row by row."""
    runs = [made_up(i) for i in range(4)]
    names = sorted(runs[0]["speaker"].unique())
    sums = [group_sums(frame, CLASSES, "speaker", "uar") for frame in runs]
    drawn = np.random.default_rng(7).multinomial(6, np.full(6, 1 / 6), size=40)
    outside = []
    for row in drawn:
        if (row > 0).all():
            continue
        repeats = [n for n, w in zip(names, row, strict=True) for _ in range(w)]
        inside = [score_by_rows(pd.concat([f[f["speaker"] == n] for n in repeats]), "uar") for f in runs]
        best = [i for i, value in enumerate(inside) if value > max(inside) - 1e-12]
        rest = [n for n, w in zip(names, row, strict=True) if w == 0]
        outside.append(np.mean([score_by_rows(runs[i][runs[i]["speaker"].isin(rest)], "uar") for i in best]))
    assert selection_corrected(sums, "uar", draws=40, seed=7) == pytest.approx(np.mean(outside), abs=1e-12)


def _simulated(rng: np.random.Generator, chance: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> pd.DataFrame:
    classes = np.array(list("abcd"))
    right = rng.random(len(truth)) < chance
    predicted = np.where(right, truth, np.roll(classes, 1)[np.searchsorted(classes, truth)])
    frame = pd.DataFrame({"label": truth, "predicted": predicted, "speaker": groups})
    return frame.assign(**{f"p_{c}": (predicted == c).astype(float) for c in classes})


def _speakers(n_groups: int, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    truth = np.tile(np.repeat(list("abcd"), n_rows // 4), n_groups)
    return truth, np.repeat(np.arange(n_groups).astype(str), n_rows)


@pytest.mark.parametrize("n_groups", [5, 10])
def test_coverage_of_the_paired_interval(n_groups: int) -> None:
    """Two runs share what makes a speaker hard, and differ by 0.04 with a spread over speakers."""
    rng = np.random.default_rng(n_groups)
    truth, groups = _speakers(n_groups, 40)
    n_trials, covered = 600, 0
    for _ in range(n_trials):
        hard = rng.normal(0.7, 0.08, (n_groups, 1))
        gain = 0.04 + rng.normal(0, 0.05, (n_groups, 1))
        pair = [_simulated(rng, p.repeat(40, axis=1).ravel(), truth, groups) for p in (hard + gain, hard)]
        found = paired_difference(*pair, "speaker")
        covered += found.low <= 0.04 <= found.high
    # Three standard errors of 600 trials about 0.95 are 0.027.
    assert covered / n_trials == pytest.approx(0.95, abs=0.03)


def test_pairing_is_what_makes_small_differences_seen() -> None:
    rng = np.random.default_rng(3)
    truth, groups = _speakers(10, 40)
    hard = rng.normal(0.65, 0.12, (10, 1)).repeat(40, axis=1).ravel()
    runs = {"a": _simulated(rng, hard + 0.1, truth, groups), "b": _simulated(rng, hard, truth, groups)}
    second = compare(runs, "speaker", draws=10).rows[1]
    apart = np.hypot(*(row.interval.standard_error for row in compare(runs, "speaker", draws=10).rows))
    assert second.difference.standard_error < 0.7 * apart


@pytest.mark.parametrize("n_groups", [2, 3, 5, 9, 60])
def test_the_detectable_difference_is_found_four_times_of_five(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    shift = detectable(1 / np.sqrt(n_groups), n_groups)
    draws = rng.normal(shift, 1, (20_000, n_groups))
    p = stats.ttest_1samp(draws, 0, axis=1).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.012)


def test_the_best_of_fifteen_equal_runs_is_corrected() -> None:
    """Fifteen runs of true UAR 0.80: the best looks like 0.825; corrected, the bias is gone."""
    rng = np.random.default_rng(1)
    n_groups, n_rows, n_runs = 10, 80, 15
    truth, groups = _speakers(n_groups, n_rows)
    best, corrected = [], []
    for _ in range(60):
        # Equally good on each speaker; the speakers' mean is 0.80 exactly, so that only luck of the rows is left.
        hard = rng.normal(0, 0.04, (n_groups, 1))
        hard += 0.8 - hard.mean()
        runs = {}
        for i in range(n_runs):
            runs[str(i)] = _simulated(rng, hard.repeat(n_rows, axis=1).ravel(), truth, groups)
        found = compare(runs, "speaker", draws=200)
        best.append(found.best.score)
        corrected.append(found.corrected)
    noise = np.std(corrected) / np.sqrt(len(corrected))
    assert np.mean(best) == pytest.approx(0.825, abs=0.005)
    assert np.mean(corrected) == pytest.approx(0.8, abs=3 * noise + 0.002)


def test_a_truly_better_run_keeps_its_score() -> None:
    rng = np.random.default_rng(2)
    truth, groups = _speakers(10, 40)
    runs = {str(i): _simulated(rng, np.full(len(truth), 0.6), truth, groups) for i in range(5)}
    runs["good"] = _simulated(rng, np.full(len(truth), 0.85), truth, groups)
    found = compare(runs, "speaker", draws=500)
    assert found.best.key == "good"
    assert found.corrected == pytest.approx(found.best.score, abs=0.005)


def test_calibration_error_is_that_of_the_metrics() -> None:
    frame = made_up(4)
    chances = frame[[f"p_{c}" for c in CLASSES]].to_numpy()
    right = chances.argmax(axis=1) == np.searchsorted(CLASSES, frame["label"])
    expected = expected_calibration_error(chances.max(axis=1), right)
    assert compare({"a": frame}, "speaker", metric="ece", draws=1).best.score == pytest.approx(expected)


def test_one_group_has_scores_and_no_intervals() -> None:
    frame = made_up(0, n_groups=1)
    found = compare({"a": frame, "b": made_up(1, n_groups=1)}, "speaker")
    assert np.isfinite(found.best.score)
    assert np.isnan([found.corrected, found.best.interval.low, found.rows[1].difference.low]).all()


def test_what_cannot_be_compared_is_refused() -> None:
    frame = made_up(0)
    with pytest.raises(InputError, match="unknown metric 'uarr'; did you mean 'uar'"):
        compare({"a": frame}, "speaker", metric="uarr")
    with pytest.raises(InputError, match="no runs"):
        compare({}, "speaker")
    with pytest.raises(InputError, match="not scored on the same utterances"):
        compare({"a": frame, "b": frame.iloc[1:]}, "speaker")
    other = frame.assign(label=frame["label"].to_numpy()[::-1])
    with pytest.raises(InputError, match="differ in labels or speakers"):
        compare({"a": frame, "b": other}, "speaker")
