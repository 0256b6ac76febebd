"""Learning numbers: every family, standardised truth, matched spread, ensembles and search."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone, is_regressor
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.svm import SVR as PlainSVR

from ser_experiments.errors import InputError
from ser_experiments.models import number_ensemble, pairwise
from ser_experiments.models.augmented import Augmented
from ser_experiments.models.concordance import concordance
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.models.judged import JUDGES
from ser_experiments.models.number_ensemble import AverageOfNumbers, StackOfNumbers
from ser_experiments.models.numbers import EachTarget, Matched, matching
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered
from ser_experiments.models.report import report_of
from ser_experiments.models.selection import SelectColumns
from ser_experiments.models.spec import families, get_model
from ser_experiments.models.tuned import Tuned

audmetric = pytest.importorskip("audmetric")
#: Families that learn numbers from rows without torch, which has tests of its own.
FAMILIES = [name for name, spec in families() if spec.regression is not None and "torch" not in spec.libraries]


@pytest.fixture(scope="module")
def rows() -> tuple[pd.DataFrame, np.ndarray]:
    """Return 90 rows of six speakers, and two targets on scales of 1 to 5 and of 0 to 100 that columns tell of."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(90, 12)).astype(np.float32)).add_prefix("x")
    first = 3 + 0.8 * X["x0"] + 0.2 * rng.normal(size=90)
    second = 50 + 12 * X["x1"] - 9 * X["x2"] + 3 * rng.normal(size=90)
    X["group"] = np.resize(list("abcdef"), 90)
    X.index = pd.Index([f"u{i}" for i in range(90)], name="utterance_id")
    return X, np.column_stack([first, second])


def test_the_families_of_rows_are_those_the_project_names() -> None:
    wanted = {"dummy", "svm", "logreg", "random_forest", "extra_trees", "gradient_boosting", "xgboost", "lightgbm"}
    assert wanted <= set(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_learns_numbers_and_is_read_again(
    name: str, rows: tuple[pd.DataFrame, np.ndarray], tmp_path: Path
) -> None:
    X, Y = rows
    params = {"n_estimators": 40} if "n_estimators" in get_model(name).params() else {}
    pipeline = build_pipeline(
        name, {**params, **({} if name == "dummy" else {"class_weight": "balanced"})}, learns="numbers"
    )
    assert is_regressor(pipeline)
    fitted = clone(pipeline).fit(X, Y)
    told = fitted.predict(X)
    assert told.shape == Y.shape
    # Each on its own scale, and the floor knows nothing.
    assert abs(concordance(Y, told)) < 1e-12 if name == "dummy" else concordance(Y, told) > 0.7
    assert np.allclose(told.mean(axis=0), Y.mean(axis=0), atol=0.15 * Y.std(axis=0).max())
    save_estimator(fitted, tmp_path / "fitted.skops")
    assert np.array_equal(load_estimator(tmp_path / "fitted.skops").predict(X), told)
    # One target as scikit-learn hands it, and the same numbers where targets are learned one by one.
    one = clone(pipeline).fit(X, Y[:, 0]).predict(X)
    assert one.shape == (90,)
    if not get_model(name).regression.several:
        # To rounding, which boosting makes more of.
        assert np.corrcoef(one, told[:, 0])[0, 1] > 0.99


@pytest.mark.parametrize("name", ["svm", "logreg"])
def test_a_row_of_weight_two_is_two_rows(name: str, rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    often = np.resize([1, 2, 0, 3], 90)
    twice = np.repeat(np.arange(90), often)
    params = {"tol": 1e-6, **({"gamma": 0.1} if name == "svm" else {})}
    pipeline = build_pipeline(name, params, learns="numbers", calibrate="none", scale="none")
    weighted = clone(pipeline).fit(X, Y, model__sample_weight=often.astype(float)).predict(X)
    repeated = clone(pipeline).fit(X.iloc[twice], Y[twice]).predict(X)
    assert np.allclose(weighted, repeated, atol=1e-4 * Y.std(axis=0))


@pytest.mark.parametrize("name", ["random_forest", "extra_trees", "gradient_boosting", "xgboost", "lightgbm"])
def test_trees_meet_heavy_rows_better(name: str, rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    weights = np.where(np.arange(90) % 3 == 0, 3.0, 1e-3)
    plain, weighted = (
        build_pipeline(name, {"n_estimators": 30}, learns="numbers", calibrate="none", scale="none") for _ in range(2)
    )
    heavy = weighted.fit(X, Y, model__sample_weight=weights).predict(X)
    light = plain.fit(X, Y).predict(X)
    own = weights > 1
    assert np.abs(heavy - Y)[own].mean() < 0.95 * np.abs(light - Y)[own].mean()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 40), st.integers(1, 3), st.integers(0, 2**31 - 1), st.booleans())
def test_concordance_is_that_of_audmetric(n_rows: int, n_targets: int, seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, (n_rows, n_targets))
    told = truth + rng.normal(0, 1, truth.shape)
    often = rng.integers(1, 4, n_rows)
    repeated = np.repeat(np.arange(n_rows), often if weighted else 1)
    wanted = np.mean([audmetric.concordance_cc(truth[repeated, i], told[repeated, i]) for i in range(n_targets)])
    assert concordance(truth, told, often.astype(float) if weighted else None) == pytest.approx(wanted)


def test_concordance_of_what_does_not_vary_is_nothing() -> None:
    assert concordance(np.ones(4), np.ones(4)) == 0
    assert concordance(np.arange(4.0), np.full(4, 1.5)) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 60), st.integers(0, 2**31 - 1), st.floats(0.2, 3.0))
def test_the_matched_line_is_the_best_line(n_rows: int, seed: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, n_rows)
    told = 0.3 * truth + 0.1 * noise * rng.normal(size=n_rows)
    slope, intercept = matching(truth, told)
    matched = slope * told + intercept
    if np.corrcoef(truth, told)[0, 1] <= 0:
        assert slope == 1
        return
    assert matched.mean() == pytest.approx(truth.mean())
    assert matched.std() == pytest.approx(truth.std())
    # Then concordance is the correlation, which no line can exceed.
    best = concordance(truth, matched)
    assert best == pytest.approx(np.corrcoef(truth, told)[0, 1])
    for other, shift in ((0.8, 0.0), (1.25, 0.0), (1.0, 0.2)):
        assert concordance(truth, other * (matched - matched.mean()) + matched.mean() + shift) < best


def test_answers_that_tell_nothing_are_not_stretched() -> None:
    truth = np.arange(6.0)
    for told in (np.zeros(6), -truth, 1e-9 * truth):
        slope, intercept = matching(truth, told)
        assert slope == 1
        assert intercept == pytest.approx(truth.mean() - told.mean())


def test_spread_is_matched_on_people_who_were_not_learned_from(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    seen: list[tuple[set[str], set[str]]] = []

    class Watched(Ridge):
        def fit(self, X: pd.DataFrame, y: np.ndarray, sample_weight: object = None) -> Watched:
            self.groups_ = set(X["group"])
            return super().fit(X.drop(columns="group"), y)

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            seen.append((self.groups_, set(X["group"])))
            return super().predict(X.drop(columns="group"))

    matched = Matched(Watched(alpha=200.0)).fit(X, Y)
    assert len(seen) == 3
    assert all(not learned & asked for learned, asked in seen)
    assert (matched.slope_ > 1.5).all()
    plain = Watched(alpha=200.0).fit(X, Y)
    assert concordance(Y, matched.predict(X)) > concordance(Y, plain.predict(X)) + 0.2
    # Order is kept, but for what would lie beyond the scale.
    told, ends = matched.predict(X), (Y.min(axis=0), Y.max(axis=0))
    stretched = plain.predict(X) * matched.slope_ + matched.intercept_
    assert np.allclose(told, np.clip(stretched, *ends))
    assert (stretched > ends[1]).any()


def test_with_one_speaker_answers_stay_as_they_are(
    rows: tuple[pd.DataFrame, np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    X, Y = rows
    alone = Matched(build_pipeline("logreg", learns="numbers", calibrate="none")).fit(X.assign(group="a"), Y)
    assert (alone.slope_ == 1).all()
    assert "answers stay as they are" in caplog.text


def test_each_target_is_standardised(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    given: list[np.ndarray] = []

    class Watched(DummyRegressor):
        def fit(self, X: object, y: np.ndarray, sample_weight: object = None) -> Watched:
            given.append(y)
            return super().fit(X, y)

    weights = np.linspace(0.5, 2, 90)
    fitted = EachTarget(Watched()).fit(X, np.column_stack([Y, np.full(90, 7.0)]), weights)
    assert [one.shape for one in given] == [(90,)] * 3
    for one in given[:2]:
        assert np.average(one, weights=weights) == pytest.approx(0)
        assert np.average(one**2, weights=weights) == pytest.approx(1)
    assert (given[2] == 0).all()
    assert np.allclose(fitted.predict(X)[:, 2], 7)
    EachTarget(Watched(), several=True).fit(X, Y)
    assert given[-1].shape == (90, 2)


def test_a_wide_kernel_is_that_of_libsvm() -> None:
    rng = np.random.default_rng(3)
    X, other = rng.normal(size=(80, 120)), rng.normal(size=(20, 120))
    y = X[:, 0] + 0.1 * rng.normal(size=80)
    for kernel in ("linear", "rbf"):
        ours, plain = pairwise.SVR(kernel=kernel).fit(X, y), PlainSVR(kernel=kernel).fit(X, y)
        assert np.allclose(ours.predict(other), plain.predict(other), atol=1e-9)


def test_columns_are_chosen_by_the_target_they_go_with() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 6))
    X[:, 5] = 1.0
    Y = np.column_stack([X[:, 4] + 0.1 * rng.normal(size=100), X[:, 1] + 0.1 * rng.normal(size=100)])
    assert SelectColumns(2, learns="numbers").fit(X, Y).get_support().tolist() == [
        False,
        True,
        False,
        False,
        True,
        False,
    ]


def test_an_average_is_the_mean_of_its_members(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    members = [(name, build_pipeline(name, learns="numbers")) for name in ("logreg", "svm")]
    fitted = AverageOfNumbers(members).fit(X, Y)
    alone = [clone(one).fit(X, Y).predict(X) for _, one in members]
    assert np.allclose(fitted.predict(X), np.mean(alone, axis=0))
    assert list(fitted.members_) == ["logreg", "svm"]
    assert is_regressor(fitted)


def test_a_stack_trusts_the_member_that_knows(rows: tuple[pd.DataFrame, np.ndarray], tmp_path: Path) -> None:
    X, Y = rows
    members = [(name, build_pipeline(name, learns="numbers")) for name in ("logreg", "dummy")]
    fitted = StackOfNumbers(members).fit(X, Y)
    assert fitted.weights_[0] > 2 * fitted.weights_[1]
    assert (fitted.weights_ >= 0).all()
    shares = report_of(fitted).weights
    assert sum(shares.values()) == pytest.approx(1)
    assert fitted.predict(X).shape == Y.shape
    assert StackOfNumbers(members).fit(X, Y[:, 1]).predict(X).shape == (90,)
    save_estimator(fitted, tmp_path / "stack.skops")
    assert np.array_equal(load_estimator(tmp_path / "stack.skops").predict(X), fitted.predict(X))


def test_the_weights_of_a_stack_keep_speakers_apart(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    """A member that knows every speaker by heart is worth nothing for people that it has not met."""
    X, Y = rows
    voice = dict(zip("abcdef", np.linspace(-3, 3, 6), strict=True))
    truth = Y[:, 0] + X["group"].map(voice).to_numpy()

    class ByHeart(LinearRegression):
        def fit(self, X: pd.DataFrame, y: np.ndarray, sample_weight: object = None) -> ByHeart:
            self.known_ = pd.Series(y, X.index).groupby(X["group"]).mean().to_dict()
            self.mean_ = float(y.mean())
            return self

        def predict(self, X: pd.DataFrame) -> np.ndarray:
            return X["group"].map(lambda one: self.known_.get(one, self.mean_)).to_numpy()

    stack = StackOfNumbers([("heart", ByHeart()), ("line", build_pipeline("logreg", learns="numbers"))])
    assert stack.fit(X, truth).weights_[0] < 0.1


def test_a_search_chooses_by_concordance(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    recipe = {"model": "svm", "params": {"kernel": "linear"}, "learns": "numbers"}
    search = Tuned(recipe, {"model.C": [1e-6, 0.1]}, trials=5).fit(X, Y)
    assert search.best_params_ == {"model.C": 0.1}
    assert [sorted(one) for one in search.cv_results_] == [["ccc", "number", "params", "seconds"]] * 2
    assert search.best_score_ == max(one["ccc"] for one in search.cv_results_) > 0.7
    assert report_of(search).search.metric == "ccc"
    assert search.predict(X).shape == Y.shape
    assert is_regressor(search)


def test_a_search_judges_what_will_be_matched_as_matched(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Without that a strong penalty would lose by its small spread, which matching makes up for."""
    _, Y = rows
    judge = JUDGES["numbers"]
    shrunk = Y.mean(axis=0) + 0.1 * (Y - Y.mean(axis=0))
    assert judge.plain(Y, shrunk, None) < 0.25
    assert judge.calibrated(Y, shrunk, None) == pytest.approx(1)


def test_what_cannot_learn_numbers_says_so() -> None:
    with pytest.raises(InputError, match="unknown 'epsilo'"):
        build_pipeline("svm", {"epsilo": 1}, learns="numbers")
    with pytest.raises(InputError, match="unknown 'epsilon'"):
        build_pipeline("svm", {"epsilon": 1})


def test_wrappers_are_of_the_type_of_what_they_hold(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    kept = Remembered(build_pipeline("logreg", learns="numbers"))
    assert is_regressor(kept)
    assert kept.fit(X, Y).score(X, Y) > 0.5
    assert not hasattr(kept, "classes_")
    assert not hasattr(kept, "predict_proba")
    labels = np.where(Y[:, 0] > 3, "high", "low")
    assert Remembered(build_pipeline("logreg")).fit(X, labels).score(X, labels) > 0.5


def test_kinds_of_ensembles_are_those_of_classes() -> None:
    from ser_experiments.models import ensemble

    assert number_ensemble.ENSEMBLES.keys() == ensemble.ENSEMBLES.keys()


def test_views_learn_the_numbers_of_their_recordings(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, Y = rows
    names = [name for name in X if name != "group"]
    beside = X[names].add_suffix("@noise") * 0.9 + 0.1
    seen: list[tuple[int, ...]] = []

    class Named(TakeColumns):
        def input_columns(self, X: pd.DataFrame) -> list[str]:
            return names  # type: ignore[return-value]

    class Watched(Ridge):
        def fit(self, X: object, y: np.ndarray, sample_weight: object = None) -> Watched:
            seen.append(np.shape(y))
            return super().fit(X, y)

    learner = EachTarget(Watched(), several=True)
    pipeline = Augmented(Pipeline([("columns", Named()), ("model", learner)]), ("noise",))
    fitted = Matched(pipeline).fit(pd.concat([X, beside], axis=1), Y)
    # Three inner folds and the whole, each row twice.
    assert seen[-1] == (180, 2)
    assert [one[0] for one in seen[:-1]] == [120, 120, 120]
    assert concordance(Y, fitted.predict(X)) > 0.9
