"""Learning shares of votes: weights reach every family through every wrapper, and groups stay together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from ser_experiments.errors import InputError
from ser_experiments.features.views import on_view
from ser_experiments.models.augmented import Augmented
from ser_experiments.models.ensemble import AverageOfMembers, StackOfMembers
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered
from ser_experiments.models.report import members_of, report_of
from ser_experiments.models.shares import FromShares
from ser_experiments.models.tuned import Tuned

CLASSES = ("angry", "happy", "sad")
#: How raters vote on recordings of either kind: of one and the same kind not all say the same.
LEFT, RIGHT = np.array([0.8, 0.2, 0.0]), np.array([0.0, 0.3, 0.7])
TABLE = ["x0", "x1", "x2"]


def rows(n: int = 120, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table of two kinds of recordings by six speakers, and the shares of the votes on each."""
    rng = np.random.default_rng(seed)
    left = np.arange(n) % 2 == 0
    X = pd.DataFrame(rng.normal(0, 0.3, (n, 3)), columns=TABLE, dtype=np.float32)
    X["x0"] += np.where(left, -2.0, 2.0).astype(np.float32)
    X["group"] = [f"s{i // 2 % 6}" for i in range(n)]
    X.index = pd.Index([f"u{i}" for i in range(n)], name="utterance_id")
    return X, np.where(left[:, None], LEFT, RIGHT)


#: Small fits of every family of rows that learns.
FAMILIES: dict[str, dict[str, Any]] = {
    "svm": {"kernel": "linear"},
    "logreg": {"C": 10.0},
    "xgboost": {"n_estimators": 60, "learning_rate": 0.3},
    "lightgbm": {"n_estimators": 60, "learning_rate": 0.3},
    "random_forest": {"n_estimators": 60},
    "extra_trees": {"n_estimators": 60},
    "gradient_boosting": {"n_estimators": 120},
    "mlp": {"n_epochs": 25, "lr": 0.02},
}


def pipeline(family: str, calibrate: str = "none") -> BaseEstimator:
    params = {**FAMILIES[family], **({"class_weight": None} if family != "mlp" else {})}
    return build_pipeline(family, params, calibrate="temperature" if family == "svm" else calibrate)


def answers(fitted: FromShares, X: pd.DataFrame) -> np.ndarray:
    """Return the mean answer on recordings of either kind."""
    proba = fitted.predict_proba(X)
    assert proba.shape == (len(X), 3)
    assert proba.sum(axis=1) == pytest.approx(np.ones(len(X)))
    return np.array([proba[::2].mean(axis=0), proba[1::2].mean(axis=0)])


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_learned_is_how_raters_vote(family: str) -> None:
    X, shares = rows()
    fitted = FromShares(pipeline(family), CLASSES).fit(X, shares)
    tested, _ = rows(seed=1)
    # Without the weights each class that was ever said would have half of either.
    # One temperature cannot fit a support vector machine's margins to three classes: it comes near.
    assert answers(fitted, tested) == pytest.approx(np.array([LEFT, RIGHT]), abs=0.16 if family == "svm" else 0.1)
    assert set(fitted.predict(tested[::2])) == {"angry"}
    assert list(fitted.classes_) == list(CLASSES)


def _remembered(inner: BaseEstimator) -> BaseEstimator:
    return Remembered(inner)


def _average(inner: BaseEstimator) -> BaseEstimator:
    return AverageOfMembers([("one", Remembered(inner)), ("two", Remembered(clone(inner)))])


def _stack(inner: BaseEstimator) -> BaseEstimator:
    return StackOfMembers([("one", Remembered(inner)), ("two", Remembered(pipeline("random_forest")))])


def _tuned(inner: BaseEstimator) -> BaseEstimator:
    return Tuned({"model": "logreg", "params": {"class_weight": None}}, {"model.C": [1.0, 10.0]}, trials=2, folds=2)


def _calibrated(inner: BaseEstimator) -> BaseEstimator:
    return build_pipeline("logreg", {"C": 1e3, "class_weight": None}, calibrate="temperature")


WRAPPERS: dict[str, Callable[[BaseEstimator], BaseEstimator]] = {
    "remembered": _remembered, "average": _average, "stack": _stack, "tuned": _tuned, "calibrated": _calibrated,
}  # fmt: skip


@pytest.mark.parametrize("name", WRAPPERS)
def test_weights_pass_through_every_wrapper(name: str) -> None:
    X, shares = rows()
    fitted = FromShares(WRAPPERS[name](pipeline("logreg")), CLASSES).fit(X, shares)
    assert answers(fitted, rows(seed=1)[0]) == pytest.approx(np.array([LEFT, RIGHT]), abs=0.1)
    assert report_of(fitted) == report_of(fitted.estimator_)
    assert list(members_of(fitted)) == (["one", "two"] if name in {"average", "stack"} else [])


def test_weights_pass_through_views() -> None:
    X, shares = rows()
    views = X[TABLE].rename(columns=lambda name: on_view(name, "noise"))
    estimator = Augmented(make_pipeline(TakeColumns(), LogisticRegression(C=10)), ("noise",))
    estimator.estimator.steps[0] = ("takecolumns", _Taking(TABLE))
    fitted = FromShares(estimator, CLASSES).fit(X.join(views), shares)
    assert answers(fitted, X.join(views)) == pytest.approx(np.array([LEFT, RIGHT]), abs=0.1)


class _Taking(TakeColumns):
    """Take columns that are named here instead of by sets."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names

    def input_columns(self, X: pd.DataFrame) -> list[str]:
        return list(self.names)


class _Seen(ClassifierMixin, BaseEstimator):
    """Keep what it is fitted on."""

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> _Seen:
        self.X_, self.y_, self.weights_ = X, y, sample_weight
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))


def test_a_row_stands_there_once_for_each_class_with_its_id_and_group() -> None:
    X, shares = rows(4)
    seen = FromShares(_Seen(), CLASSES).fit(X, shares, groups=["a", "a", "b", "b"]).estimator_
    assert seen.X_.index.tolist() == ["u0", "u0", "u1", "u1", "u2", "u2", "u3", "u3"]
    assert seen.X_["group"].tolist() == list("aaaabbbb")
    assert seen.y_.tolist() == ["angry", "happy", "happy", "sad"] * 2
    assert seen.weights_.tolist() == [0.8, 0.2, 0.3, 0.7] * 2
    twice = FromShares(_Seen(), CLASSES).fit(X, shares, np.array([1.0, 2.0, 0.5, 0.0])).estimator_
    assert twice.weights_ == pytest.approx([0.8, 0.2, 0.6, 1.4, 0.4, 0.1, 0.0, 0.0])
    assert twice.X_["group"].tolist() == X["group"].repeat(2).tolist()


def test_a_class_that_nobody_said_has_no_probability() -> None:
    X, shares = rows(20)
    fitted = FromShares(_Seen(), (*CLASSES, "unheard")).fit(X, np.column_stack([shares, np.zeros(20)]))
    assert fitted.predict_proba(X)[0] == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    only = FromShares(_Seen(), ("a", "b")).fit(X, np.tile([0.0, 1.0], (20, 1)))
    assert only.predict_proba(X)[0].tolist() == [0, 1]
    assert set(only.predict(X)) == {"b"}


def test_whole_shares_are_labels() -> None:
    X, _ = rows()
    y = np.array(CLASSES)[np.random.default_rng(2).integers(0, 3, len(X))]
    one_hot = np.eye(3)[np.searchsorted(CLASSES, y)]
    ours = FromShares(pipeline("logreg"), CLASSES).fit(X, one_hot)
    assert ours.predict_proba(X) == pytest.approx(pipeline("logreg").fit(X, y).predict_proba(X), abs=1e-6)


def test_shares_of_the_log_loss_are_the_cross_entropy() -> None:
    """Ten raters' votes as rows of their own are learned like the shares of ten."""
    X, shares = rows(40)
    votes = np.rint(shares * 10).astype(int)
    each = X.iloc[np.repeat(np.arange(40), 10)]
    words = np.concatenate([np.repeat(CLASSES, counts) for counts in votes])
    one = make_pipeline(TakeColumns(), LogisticRegression(C=1.0, tol=1e-8))
    other = make_pipeline(TakeColumns(), LogisticRegression(C=0.1, tol=1e-8))  # ten times the rows, a tenth of the pull
    expected = other.fit(each, words).predict_proba(X)
    assert FromShares(one, CLASSES).fit(X, shares).predict_proba(X) == pytest.approx(expected, abs=1e-4)


def test_what_takes_no_weights_is_refused_in_one_line() -> None:
    X, shares = rows(40)
    near = make_pipeline(TakeColumns(), KNeighborsClassifier())
    for one in (near, Remembered(near), AverageOfMembers([("near", Remembered(near))])):
        with pytest.raises(InputError, match="KNeighborsClassifier takes no weights of rows; choose a model that does"):
            FromShares(one, CLASSES).fit(X, shares)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (np.ones((4, 2)) / 2, r"numbers of shape \(4, 3\), one column for each of angry, happy, sad; got float64 of"),
        (np.full((4, 3), 0.5), r"shares of row 0 are \[0.5, 0.5, 0.5\]; they must sum to 1"),
        (np.array([[1, 0, 0]] * 3 + [[1.5, -0.5, 0]]), r"shares of row 3 are \[1.5, -0.5, 0.0\]"),
        (np.array([[np.nan, 0, 1]] * 4), "shares of row 0"),
        (np.array(["angry"] * 4), "got <U5 of shape"),
    ],
)
def test_what_are_no_shares_is_refused(shares: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        FromShares(_Seen(), CLASSES).fit(rows(4)[0], shares)


def test_a_saved_model_answers_the_same(tmp_path: Path) -> None:
    X, shares = rows(60)
    fitted = FromShares(_stack(pipeline("logreg")), CLASSES).fit(X, shares)
    save_estimator(fitted, tmp_path / "model.skops")
    again = load_estimator(tmp_path / "model.skops")
    assert isinstance(again, FromShares)
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert again.classes_.tolist() == list(CLASSES)


def test_what_can_change_a_fit_is_in_its_key() -> None:
    X, shares = rows(20)
    one = fit_key(FromShares(pipeline("logreg"), CLASSES), X, shares)
    assert one == fit_key(FromShares(pipeline("logreg"), CLASSES), X, shares.copy())
    others = [
        fit_key(FromShares(pipeline("logreg"), ("a", "b", "c")), X, shares),
        fit_key(FromShares(pipeline("svm"), CLASSES), X, shares),
        fit_key(FromShares(pipeline("logreg"), CLASSES), X, shares[::-1]),
    ]
    assert len({one, *others}) == 4
    inner = FromShares(Remembered(pipeline("logreg")), CLASSES).fit(X, shares).estimator_
    assert inner.reused_ is False


@pytest.mark.parametrize("calibrate", ["none", "temperature"])
def test_a_network_hears_each_utterance_once(calibrate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated ids reach a network through a pipeline, and through the folds of a calibration."""
    from ser_experiments.models.nets import classes as nets
    from ser_experiments.models.nets import inputs

    seen: list[tuple[int, int]] = []

    def once(X: pd.DataFrame) -> tuple[Any, Any]:
        found = inputs.one_row_each(X)
        seen.append((len(X), len(found[0])))
        return found

    monkeypatch.setattr(nets, "one_row_each", once)
    X, shares = rows(48)
    inner = build_pipeline("mlp", {"n_epochs": 2}, calibrate=calibrate)
    FromShares(inner, CLASSES).fit(X, shares)
    assert (96, 48) in seen
    assert all(given == 2 * kept for given, kept in seen)
    assert len(seen) == (1 if calibrate == "none" else 4)
