"""Every score of dimensions against audmetric, scikit-learn or SciPy on the rows, and what must hold of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import audmetric
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from ser_experiments.errors import InputError
from ser_experiments.evaluation.score import GroupSums
from ser_experiments.evaluation.scoring import by, get_score, interval, per_fold, pooled, scores_of
from ser_experiments.frames import Predictions
from ser_experiments.tasks.dimensions import Dimensions
from tests.scored import DIMENSIONS, of_dimensions, some

Oracle = Callable[[np.ndarray, np.ndarray], float]


def _where_it_is_defined(said: Oracle, truth: np.ndarray, predicted: np.ndarray, *, both: bool) -> float:
    """Leave out what audmetric would tell from rounding alone: nothing varies that could agree."""
    same = np.ptp(truth) == 0, np.ptp(predicted) == 0
    undefined = all(same) and truth[0] == predicted[0] if both else any(same)
    return np.nan if undefined else said(truth, predicted)


#: What another program says of one dimension.
ORACLES: dict[str, Oracle] = {
    "ccc": partial(_where_it_is_defined, audmetric.concordance_cc, both=True),
    "pearson": partial(_where_it_is_defined, audmetric.pearson_cc, both=False),
    "mae": oracle.mean_absolute_error,
    "rmse": oracle.root_mean_squared_error,
}
CORRELATIONS, ERRORS = ("ccc", "pearson"), ("mae", "rmse")


def numbers(truth: np.ndarray, predicted: np.ndarray, groups: object = "s") -> Predictions:
    """Return predictions of as many dimensions as the arrays of shape (n_rows, n_dimensions) have columns."""
    names = tuple(f"d{place}" for place in range(truth.shape[1]))
    columns = {name: truth[:, place] for place, name in enumerate(names)}
    columns |= {f"predicted_{name}": predicted[:, place] for place, name in enumerate(names)}
    index = pd.Index([f"u{i}" for i in range(len(truth))], name="utterance_id")
    frame = pd.DataFrame(columns, index=index).assign(speaker=groups, fold=groups, session="", group=groups)
    return Predictions(frame, Dimensions(names))


@st.composite
def tables(draw: st.DrawFn) -> Predictions:
    """Draw few or many rows on scales near and far from zero, in steps or not, some of which do not vary."""
    n_rows, n_dimensions = draw(st.integers(1, 40)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = rng.normal(0, draw(st.sampled_from([0.01, 1.0, 30.0])), (n_rows, n_dimensions))
    predicted = draw(st.floats(-1, 1)) * truth + rng.normal(0, draw(st.sampled_from([0.0, 0.1, 1.0])), truth.shape)
    truth, predicted = truth + draw(st.sampled_from([0, 3, 1e3])), predicted + draw(st.sampled_from([0, 3, 1e3]))
    if draw(st.booleans()):
        truth, predicted = truth.round(), predicted.round()
    for values in (truth, predicted):
        if draw(st.sampled_from([False, False, True])):
            values[:, 0] = values[0, 0]
    return numbers(truth, predicted, [f"s{i}" for i in rng.integers(0, draw(st.integers(1, 5)), n_rows)])


def test_every_score_of_dimensions_has_an_oracle() -> None:
    names = [score.name for score in scores_of(Dimensions(DIMENSIONS))]
    assert names == ["ccc", "mae", "pearson", "rmse"]
    assert set(ORACLES) == set(names)
    assert names == [score.name for score in scores_of(Dimensions(DIMENSIONS), values=False)], "all are for the table"


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=60, deadline=None)
@given(predictions=tables())
def test_pooled_and_its_parts_equal_the_oracle(name: str, predictions: Predictions) -> None:
    pairs = zip(predictions.truth.T, predictions.decided.T, strict=True)
    told = {f"{name}_d{i}": ORACLES[name](truth, predicted) for i, (truth, predicted) in enumerate(pairs)}
    known = {key: value for key, value in told.items() if np.isfinite(value)}
    got = pooled(predictions)
    assert {key: value for key, value in got.items() if key.startswith(f"{name}_")} == pytest.approx(known, abs=1e-9)
    expected = np.mean(list(known.values())) if known else np.nan
    assert got[name] == pytest.approx(expected, abs=1e-9, nan_ok=True)
    assert next(iter(got)) == "ccc"


def test_by_hand() -> None:
    got = pooled(numbers(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([[2.0], [2.0], [4.0], [4.0]])))
    # Means 2.5 and 3, variances 1.25 and 1, covariance 1.
    assert got["ccc"] == got["ccc_d0"] == pytest.approx(2 * 1 / (1.25 + 1 + 0.25))
    assert got["pearson"] == pytest.approx(1 / np.sqrt(1.25))
    assert got["mae"] == pytest.approx(0.5)
    assert got["rmse"] == pytest.approx(np.sqrt(0.5))


def test_the_score_is_the_mean_over_dimensions() -> None:
    got = pooled(of_dimensions(0.6, 0, 6, 24))
    for name in ORACLES:
        assert got[name] == pytest.approx((got[f"{name}_valence"] + got[f"{name}_arousal"]) / 2)
        assert got[f"{name}_valence"] != pytest.approx(got[f"{name}_arousal"], abs=1e-4)


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=40, deadline=None)
@given(predictions=tables(), shift=st.floats(-50, 50), factor=st.floats(0.1, 50))
def test_another_unit_of_both_changes_errors_by_it_and_correlations_not(
    name: str, predictions: Predictions, shift: float, factor: float
) -> None:
    of = [shift + factor * values for values in (predictions.truth, predictions.decided)]
    before, after = pooled(predictions), pooled(numbers(*of))
    assert set(after) >= {key for key in before if key.startswith(name)}
    scaled = before[name] * (factor if name in ERRORS else 1)
    assert after[name] == pytest.approx(scaled, rel=1e-6, abs=1e-6, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(predictions=tables())
def test_limits_and_order(predictions: Predictions) -> None:
    got = pooled(predictions)
    for place, name in enumerate(predictions.task.targets):
        ccc, pearson = got.get(f"ccc_{name}", np.nan), got.get(f"pearson_{name}", np.nan)
        assert np.isnan(ccc) or -1 <= ccc <= 1
        # A concordance is a correlation less what scale and mean cost (Lin 1989).
        assert np.isnan(pearson) or abs(ccc) <= abs(pearson) + 1e-9 <= 1 + 1e-9
        assert 0 <= got[f"mae_{name}"] <= got[f"rmse_{name}"] * (1 + 1e-12)
        gap = predictions.decided[:, place] - predictions.truth[:, place]
        assert got[f"rmse_{name}"] ** 2 == pytest.approx(gap.var() + gap.mean() ** 2, rel=1e-9)


def test_pearson_forgives_scale_and_mean_and_ccc_does_not() -> None:
    truth = np.random.default_rng(0).normal(3, 1, (200, 1))
    same, shrunk, high = (pooled(numbers(truth, values)) for values in (truth, 3 + 0.3 * (truth - 3), truth + 1))
    assert (same["ccc"], same["pearson"], same["mae"], same["rmse"]) == (1, pytest.approx(1), 0, 0)
    assert shrunk["pearson"] == pytest.approx(1)
    assert shrunk["ccc"] < 0.6
    assert high["pearson"] == pytest.approx(1)
    assert high["ccc"] == pytest.approx(2 * truth.var() / (2 * truth.var() + 1))
    turned = pooled(numbers(truth, 2 * truth.mean() - truth))
    assert (turned["ccc"], turned["pearson"]) == (pytest.approx(-1), pytest.approx(-1))


@pytest.mark.parametrize(
    ("truth", "predicted", "ccc", "pearson"),
    [
        ([1, 2, 3], [2, 2, 2], 0, np.nan),
        ([2, 2, 2], [1, 2, 3], 0, np.nan),
        ([0.1, 0.1, 0.1], [0.3, 0.3, 0.3], 0, np.nan),
        ([0.1, 0.1, 0.1], [0.1, 0.1, 0.1], np.nan, np.nan),
        ([1], [2], np.nan, np.nan),
        ([1], [1], np.nan, np.nan),
    ],
)
def test_what_does_not_vary(truth: list[float], predicted: list[float], ccc: float, pearson: float) -> None:
    """Where it does, too, elsewhere: a speaker who never varies is told from rounding."""
    # Ten times as much is a whole number, which audmetric does not round.
    ten = [10 * value for value in truth], [10 * value for value in predicted]
    assert audmetric.concordance_cc(*ten) == pytest.approx(ccc, abs=1e-12, nan_ok=True)
    some_row, other = np.random.default_rng(1).normal(7, 2, (2, 50, 1))
    both = numbers(np.vstack([np.c_[truth], some_row]), np.vstack([np.c_[predicted], other]),
                   ["a"] * len(truth) + ["b"] * 50)  # fmt: skip
    for name, expected in (("ccc", ccc), ("pearson", pearson)):
        alone = pooled(numbers(np.c_[truth].astype(float), np.c_[predicted].astype(float)))
        assert alone[name] == pytest.approx(expected, abs=1e-12, nan_ok=True)
        assert (f"{name}_d0" in alone) == np.isfinite(expected)
        assert by(both, "speaker", [name])[name]["a"] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_dimension_that_is_not_defined_is_left_out_of_the_mean() -> None:
    truth, predicted = np.random.default_rng(0).normal(3, 1, (2, 30, 2))
    truth[:10, 0] = predicted[:10, 0] = 2.0
    predictions = numbers(truth, predicted, ["a"] * 10 + ["b"] * 20)
    groups = get_score("ccc").on(predictions, "speaker")
    assert isinstance(groups, GroupSums)
    assert groups.alone()[0] == pytest.approx(audmetric.concordance_cc(truth[:10, 1], predicted[:10, 1]))
    assert np.isfinite(groups.each()).all()
    got = pooled(some(predictions, ["a"]))
    assert "ccc_d0" not in got
    assert got["ccc"] == got["ccc_d1"]


@pytest.mark.parametrize("name", CORRELATIONS)
@pytest.mark.parametrize(("offset", "of_predicted"), [(1e6, 1e6), (-1e8, -1e8), (1e7, 0.0), (0.0, 1e7)])
def test_a_large_offset_costs_no_digits(name: str, offset: float, of_predicted: float) -> None:
    rng = np.random.default_rng(0)
    # In steps that a number with that offset can hold.
    truth = rng.integers(0, 1 << 10, (400, 1)) / 256
    predicted = (truth + rng.integers(-256, 256, (400, 1)) / 256) / 2
    got = pooled(numbers(truth + offset, predicted + of_predicted))[name]
    if name == "pearson":
        assert got == pytest.approx(stats.pearsonr(truth[:, 0], predicted[:, 0]).statistic, rel=1e-9)
    else:
        t, p = (truth - truth.mean())[:, 0], (predicted - predicted.mean())[:, 0]
        gap = predicted.mean() - truth.mean() + (of_predicted - offset)
        assert got == pytest.approx(2 * (t @ p) / (t @ t + p @ p + 400 * gap**2), rel=1e-9)


@pytest.mark.parametrize("name", ORACLES)
@settings(max_examples=30, deadline=None)
@given(predictions=tables(), data=st.data())
def test_sums_of_groups_equal_the_rows_as_often(name: str, predictions: Predictions, data: st.DataObject) -> None:
    groups = get_score(name).on(predictions, "speaker")
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(groups), max_size=len(groups)).filter(any))
    drawn = [str(one) for one, n in zip(groups.names, weights, strict=True) for _ in range(n)]
    expected = pooled(some(predictions, drawn))[name]
    assert groups.under(np.array([weights]))[0] == pytest.approx(expected, abs=1e-7, nan_ok=True)


def test_by_fold_it_is_the_concordance_alone() -> None:
    table = per_fold(of_dimensions(0.6, 0, 6, 24))
    assert list(table.columns) == ["fold_ccc", "n_test"]


@pytest.mark.parametrize("name", CORRELATIONS)
def test_the_interval_is_taken_on_fishers_scale(name: str) -> None:
    predictions, score = of_dimensions(0.6, 0, 6, 24), get_score(name)
    groups = score.on(predictions, "speaker")
    without, whole = groups.without_each(), groups.whole()
    z = np.arctanh(without)
    reach = stats.t.ppf(0.975, 5) * np.sqrt(5 / 6 * ((z - z.mean()) ** 2).sum())
    got = interval(predictions, "speaker", name)
    assert got[:2] == pytest.approx((np.tanh(np.arctanh(whole) - reach), np.tanh(np.arctanh(whole) + reach)))
    assert got.standard_error == pytest.approx(np.sqrt(5 / 6 * ((without - without.mean()) ** 2).sum()))
    plain = interval(predictions, "speaker", replace(score, scale=None))
    assert plain[:2] != pytest.approx(got[:2], abs=1e-4)
    assert plain.standard_error == got.standard_error


def test_the_interval_of_what_is_perfect_and_of_what_is_not_defined() -> None:
    truth = np.random.default_rng(0).normal(3, 1, (60, 2))
    speakers = np.repeat(list("abc"), 20)
    perfect, opposite = numbers(truth, truth, speakers), numbers(truth, 2 * truth.mean(axis=0) - truth, speakers)
    assert interval(perfect, "speaker")[:3] == pytest.approx((1, 1, 0), abs=1e-12)
    assert interval(perfect, "speaker").high == 1
    assert interval(opposite, "speaker", "pearson")[:2] == pytest.approx((-1, -1), abs=1e-12)
    same = interval(numbers(np.ones((60, 2)), np.ones((60, 2)), speakers), "speaker")
    assert np.isnan(same[:2]).all()


def test_what_cannot_be_scored_is_refused() -> None:
    predictions = of_dimensions(0.6, 0, 2, 5)
    for column in ("arousal", "predicted_arousal"):
        frame = predictions.frame.copy()
        frame.loc["u0003", column] = np.nan
        for name in ORACLES:
            with pytest.raises(InputError, match=f"^predictions: {column} of 'u0003' is nan; must be a number$"):
                get_score(name).on(Predictions(frame, predictions.task))
    with pytest.raises(InputError, match="^predictions: no column 'predicted_arousal'; got "):
        Predictions(predictions.frame.drop(columns="predicted_arousal"), predictions.task)
    with pytest.raises(InputError, match="UAR is a score of classes and votes, got predictions of dimensions"):
        get_score("uar").on(predictions)
