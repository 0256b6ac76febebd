"""Groups travel in the table, through any nesting, and never cross a split."""

from __future__ import annotations

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ser_experiments.errors import InputError, LeakError
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.ensemble import StackOfMembers
from ser_experiments.models.grouping import (
    BalanceBlocks,
    ByColumn,
    OnFeatures,
    TakeColumns,
    assert_disjoint,
    columns_of,
    groups_of,
    input_columns,
)
from ser_experiments.models.temperature import TemperatureScaled


@pytest.fixture
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.choice(list("abc"), 240)
    X = pd.DataFrame(rng.normal(size=(240, 5)) + (y == "a")[:, None] + 2 * (y == "b")[:, None], columns=list("vwxyz"))
    X["group"] = [f"s{i % 8}" for i in range(240)]
    return X, y


def test_no_group_on_both_sides_and_every_row_once(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    tested = []
    for train, test in ByColumn(3).split(X, y):
        assert not set(X["group"].iloc[train]) & set(X["group"].iloc[test])
        tested += list(test)
    assert sorted(tested) == list(range(len(X)))


def test_fewer_groups_than_folds(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    two = X[X["group"].isin(["s0", "s1"])]
    assert ByColumn(5).get_n_splits(two) == len(list(ByColumn(5).split(two))) == 2
    with pytest.raises(InputError, match="at least two groups"):
        list(ByColumn(3).split(X[X["group"] == "s0"]))
    with pytest.raises(InputError, match="no column 'group'"):
        list(ByColumn(3).split(X.drop(columns="group")))


@pytest.mark.parametrize("seed", [None, 0, 1, 7])
def test_groups_are_dealt_as_scikit_learn_deals_them(table: tuple[pd.DataFrame, np.ndarray], seed: int | None) -> None:
    X, y = table
    folds = GroupKFold(3) if seed is None else GroupKFold(3, shuffle=True, random_state=seed)
    expected = [tuple(map(tuple, pair)) for pair in folds.split(X, y, X["group"])]
    assert [tuple(map(tuple, pair)) for pair in ByColumn(seed=seed).split(X)] == expected
    assert ByColumn().get_n_splits() == 3, "how many are wanted, where there is no table to look at"
    assert ByColumn(4).get_n_splits() == 4


def test_groups_are_read_as_text(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    numbers = groups_of(X.assign(group=np.arange(len(X)) % 3))
    assert list(numbers[:4]) == ["0", "1", "2", "0"]
    assert numbers.dtype.kind == "U"
    with pytest.raises(InputError, match="with the speaker or session of each row"):
        groups_of(X.to_numpy())


def test_the_assertion_fires() -> None:
    with pytest.raises(LeakError, match="'b' stands in the training and in the test rows"):
        assert_disjoint(np.array(["a", "b"]), np.array(["b"]))


@pytest.mark.slow
def test_a_search_of_a_stack_of_calibrated_pipelines_in_outer_folds(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    seen: list[tuple[frozenset[str], frozenset[str]]] = []

    class Spy(ByColumn):
        def split(self, X, y=None, groups=None):  # type: ignore[no-untyped-def]
            for train, test in super().split(X, y, groups):
                seen.append((frozenset(X["group"].iloc[train]), frozenset(X["group"].iloc[test])))
                yield train, test

    def member() -> TemperatureScaled:
        return TemperatureScaled(make_pipeline(TakeColumns(), StandardScaler(), SVC()), cv=Spy(2))

    stack = StackingClassifier([("one", member()), ("two", member())], LogisticRegression(), cv=Spy(2))
    search = GridSearchCV(stack, {"one__estimator__svc__C": [0.1, 1.0]}, cv=Spy(2))
    scores = cross_val_score(search, X, y, groups=X["group"], cv=GroupKFold(3))
    assert scores.mean() > 0.6
    assert len(seen) > 50
    assert all(not train & test for train, test in seen)


def test_on_features_keeps_the_group(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    out = OnFeatures(StandardScaler()).fit_transform(X)
    assert list(out["group"]) == list(X["group"])
    assert np.allclose(out.drop(columns="group").mean(), 0, atol=1e-5)
    assert "group" not in OnFeatures(StandardScaler()).fit(X).transform(X.drop(columns="group"))


def test_on_features_is_the_transformer_on_the_features(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    X.index = pd.Index([f"u{i}" for i in range(len(X))], name="utterance_id")
    learned = OnFeatures(LinearDiscriminantAnalysis()).fit(X, y)
    out = learned.transform(X)
    expected = LinearDiscriminantAnalysis().fit_transform(X.drop(columns="group"), y)
    assert np.allclose(out[["f0", "f1"]], expected, atol=1e-5)
    assert list(out.columns) == ["f0", "f1", "group"]
    assert out.index.equals(X.index)
    assert set(out[["f0", "f1"]].dtypes) == {np.dtype(np.float32)}
    without = X.drop(columns="group")
    assert OnFeatures(LinearDiscriminantAnalysis()).fit(without, y).transform(without).equals(out[["f0", "f1"]])


def test_take_columns(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    taken = TakeColumns().fit(X)
    assert taken.transform(X).shape == (240, 5)
    assert taken.transform(X).dtype == np.float32
    assert list(taken.get_feature_names_out()) == list("vwxyz")
    assert taken.get_feature_names_out().dtype == object
    assert taken.n_features_in_ == 6
    only = X.drop(columns="group")
    assert np.array_equal(TakeColumns().fit(only).transform(only), only.to_numpy(dtype=np.float32))
    assert TakeColumns().fit(only).transform(only).dtype == np.float32
    # A file holds an array of texts as one thing, a list of them as a thousand.
    assert taken.columns_.dtype.kind == "U"
    assert TakeColumns().fit(X[["group"]]).columns_.dtype.kind == "U"
    with pytest.raises(InputError, match="the table has no column"):
        TakeColumns(("lld",)).fit(X)


def test_take_columns_of_sets(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    plain, few = ([*get_extractor("mfcc", **params).column_names] for params in ({}, {"n_mfcc": 2}))
    measured = pd.DataFrame(0.0, index=X.index, columns=[*reversed(plain), "other"]).assign(group=X["group"])
    measured[few[0]] = 1.0
    assert list(TakeColumns(("mfcc",)).fit(measured).get_feature_names_out()) == plain
    taken = TakeColumns(("mfcc",), params={"mfcc": {"n_mfcc": 2}}).fit(measured)
    assert list(taken.get_feature_names_out()) == few
    assert taken.transform(measured)[0].tolist() == [1.0] + [0.0] * (len(few) - 1)
    # A number of numpy's is a number, and says the same as Python's.
    assert columns_of(["mfcc"], {"mfcc": {"n_mfcc": np.int64(2)}}) == [tuple(few)]
    grouped = TakeColumns(("mfcc",), keep_group=True).fit(measured)
    assert list(grouped.transform(measured).columns) == [*plain, "group"]
    assert list(grouped.transform(measured.drop(columns="group")).columns) == plain
    missing = f"the table has no column '{few[1]}' (1 missing); extract ['mfcc']"
    with pytest.raises(InputError) as refused:
        TakeColumns(("mfcc",)).fit(measured.drop(columns=few[1]))
    assert str(refused.value) == missing


def test_take_columns_of_arrays(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    measured = X.assign(melspec=[np.full((i % 5 + 1, 3), i) for i in range(len(X))])
    taken = TakeColumns(("melspec",), layout="array").fit(measured).transform(measured)
    assert list(taken.columns) == ["melspec"]
    assert taken["melspec"].iloc[7] is measured["melspec"].iloc[7]
    kept = TakeColumns(("melspec",), layout="array", keep_group=True).fit(measured).transform(measured)
    assert list(kept.columns) == ["melspec", "group"]


def test_a_fit_depends_on_the_columns_that_any_part_of_it_takes(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table

    def of(*sets: str) -> BaseEstimator:
        return make_pipeline(TakeColumns(sets, layout="array"), StandardScaler(), SVC())

    one, two = of("melspec", "frames"), TemperatureScaled(of("frames", "encoder/frames"))
    stack = StackOfMembers([("one", one), ("two", two)], cv=ByColumn(2))
    arrays = ["melspec", "frames", "encoder/frames_1", "encoder/frames_2"]
    assert input_columns(GridSearchCV(stack, {}), X) == arrays
    assert input_columns(TakeColumns(("melspec",), layout="array"), X) == ["melspec"]
    assert input_columns(make_pipeline(StandardScaler(), SVC()), X) == [*"vwxyz", "group"], "nobody says: all of them"
    assert input_columns(make_pipeline(TakeColumns(), SVC()), X) == list("vwxyz")
    # A class is no part that looks at columns, though it has the method.
    assert input_columns(GridSearchCV(SVC(), {}, scoring=TakeColumns), X) == [*"vwxyz", "group"]


@pytest.mark.parametrize("sizes", [(2, 3), (1, 4), (5,), (1, 1, 3)])
def test_balanced_blocks_add_the_same_to_a_distance(
    table: tuple[pd.DataFrame, np.ndarray], sizes: tuple[int, ...]
) -> None:
    standard = StandardScaler().fit_transform(table[0][list("vwxyz")])
    weighed = BalanceBlocks(sizes).fit(standard).transform(standard)
    assert weighed.dtype == np.float32
    ends = np.cumsum(sizes)
    # Between standardised rows the mean squared distance is twice the number of columns.
    added = [
        np.mean(euclidean_distances(weighed[:, end - size : end], squared=True))
        for size, end in zip(sizes, ends, strict=True)
    ]
    assert added == pytest.approx([2 * 5 / len(sizes)] * len(sizes), rel=1e-4)
    assert weighed.var(axis=0).mean() == pytest.approx(1, rel=1e-4)
    with pytest.raises(InputError, match=r"blocks of \[2, 2\] columns, but the table has 5"):
        BalanceBlocks((2, 2)).fit(standard)


def test_a_search_in_a_pipeline_chooses_on_other_groups() -> None:
    """Each speaker has one class, so a nearest neighbour knows everybody that it was fitted on and nobody else."""
    rng = np.random.default_rng(3)
    speakers = np.repeat([f"s{i}" for i in range(12)], 20)
    voices = dict(zip(sorted(set(speakers)), rng.normal(size=(12, 5)), strict=True))
    X = pd.DataFrame([voices[one] for one in speakers] + rng.normal(scale=0.01, size=(240, 5)), columns=list("vwxyz"))
    y = np.where(pd.Series(speakers).isin([f"s{i}" for i in range(0, 12, 2)]), "a", "b")
    model = make_pipeline(TakeColumns(), KNeighborsClassifier(1))
    blind = GridSearchCV(model, {}, cv=KFold(3, shuffle=True, random_state=0)).fit(X.assign(group=speakers), y)
    apart = GridSearchCV(model, {}, cv=ByColumn(3)).fit(X.assign(group=speakers), y)
    assert blind.best_score_ > 0.99
    assert apart.best_score_ < 0.75


def test_temperature_is_the_one_that_minimises_the_loss(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    svm = make_pipeline(TakeColumns(), StandardScaler(), SVC(C=0.01))
    scaled = TemperatureScaled(svm).fit(X, y)
    fresh = np.random.default_rng(9).choice(240, 120, replace=False)
    chances = scaled.predict_proba(X)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (scaled.predict(X) == scaled.classes_[chances.argmax(axis=1)]).all()
    plain = clone(scaled).fit(X, y)
    plain.temperature_ = 1.0
    assert log_loss(y[fresh], chances[fresh]) < log_loss(y[fresh], plain.predict_proba(X)[fresh])


def test_temperature_where_an_inner_fold_lacks_a_class(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    y = y.copy()
    y[y == "c"] = "a"
    y[(X["group"] == "s0").to_numpy()] = "c"
    scaled = TemperatureScaled(make_pipeline(TakeColumns(), StandardScaler(), SVC())).fit(X, y)
    assert list(scaled.classes_) == ["a", "b", "c"]
    assert np.isfinite(scaled.predict_proba(X)).all()


def test_temperature_with_two_classes_and_with_one_group(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    two = np.where(y == "a", "a", "b")
    scaled = TemperatureScaled(make_pipeline(TakeColumns(), SVC())).fit(X, two)
    assert (scaled.predict(X) == scaled.estimator_.predict(X)).all()
    alone = TemperatureScaled(make_pipeline(TakeColumns(), SVC())).fit(X.assign(group="s"), two)
    assert alone.temperature_ == 1.0


@st.composite
def grouped(draw: st.DrawFn) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw a table of two to seven groups of any sizes in any order, and two or three classes dealt out anyhow."""
    n_groups = draw(st.integers(2, 7))
    groups = [f"s{i}" for i in range(n_groups) for _ in range(draw(st.integers(1, 9)))]
    groups = draw(st.permutations(groups))
    labels = np.array(draw(st.lists(st.sampled_from("abc"), min_size=len(groups), max_size=len(groups))))
    labels[:2] = ["a", "b"]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    X = pd.DataFrame(rng.normal(size=(len(groups), 2)), columns=["x", "y"], index=[f"u{i}" for i in range(len(groups))])
    return X.assign(group=groups), labels


@settings(max_examples=150, deadline=None)
@given(grouped(), st.integers(2, 9), st.none() | st.integers(0, 5))
def test_whatever_the_groups_they_stay_apart_and_every_row_is_tested_once(
    drawn: tuple[pd.DataFrame, np.ndarray], n_splits: int, seed: int | None
) -> None:
    X, y = drawn
    splitter = ByColumn(n_splits, seed)
    splits = list(splitter.split(X, y))
    assert len(splits) == splitter.get_n_splits(X) == min(n_splits, X["group"].nunique())
    assert sorted(row for _, test in splits for row in test) == list(range(len(X)))
    for train, test in splits:
        assert set(train) | set(test) == set(range(len(X)))
        assert not set(X["group"].iloc[train]) & set(X["group"].iloc[test])


class Watched(ClassifierMixin, BaseEstimator):
    """Answer the class frequencies, and note the groups of every fit and of every question in ``SEEN``."""

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Watched:
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        self.fitted_on_ = frozenset(X["group"])
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        SEEN.append((self.fitted_on_, frozenset(X["group"])))
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


SEEN: list[tuple[frozenset[str], frozenset[str]]] = []


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(grouped(), st.sampled_from(["calibration", "stack of calibrations", "search", "search of a stack"]))
def test_inner_folds_of_any_nesting_ask_about_groups_that_were_not_fitted(
    drawn: tuple[pd.DataFrame, np.ndarray], nesting: str
) -> None:
    X, y = drawn
    calibrated = TemperatureScaled(Watched(), cv=ByColumn(2))
    stack = StackOfMembers([("one", calibrated), ("two", Watched())], cv=ByColumn(2))
    estimator = {
        "calibration": calibrated,
        "stack of calibrations": stack,
        "search": GridSearchCV(Watched(), {}, cv=ByColumn(3)),
        "search of a stack": GridSearchCV(stack, {"one__cv__seed": [0, 1]}, cv=ByColumn(2)),
    }[nesting]
    SEEN.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Inner folds may lack a class, which scikit-learn's stacking and scoring fill or warn about.
        with contextlib.suppress(InputError, ValueError):
            estimator.fit(X, y)
    assert all(not fitted & asked for fitted, asked in SEEN)
    event(f"{nesting}: {'asked' if SEEN else 'nothing asked'}")
