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
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ser_experiments.errors import InputError, LeakError
from ser_experiments.models.ensemble import StackOfMembers
from ser_experiments.models.grouping import ByColumn, OnFeatures, TakeColumns, assert_disjoint
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


def test_the_assertion_fires() -> None:
    with pytest.raises(LeakError, match="'b' stands in the training and in the test rows"):
        assert_disjoint(np.array(["a", "b"]), np.array(["b"]))


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


def test_take_columns(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, _ = table
    taken = TakeColumns().fit(X)
    assert taken.transform(X).shape == (240, 5)
    assert taken.transform(X).dtype == np.float32
    assert list(taken.get_feature_names_out()) == list("vwxyz")
    with pytest.raises(InputError, match="the table has no column"):
        TakeColumns(("lld",)).fit(X)


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
