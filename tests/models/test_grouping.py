"""Groups travel in the table, through any nesting, and never cross a split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ser_experiments.errors import InputError, LeakError
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
