"""Ensembles: the stack is what a slow plain loop gives, groups stay apart, and fits are reused, never predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from ser_experiments.errors import InputError
from ser_experiments.evaluation.crossval import cross_validate
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.rows import Rows
from ser_experiments.evaluation.scoring import pooled
from ser_experiments.models import remember
from ser_experiments.models.ensemble import AverageOfMembers, LogLinearPool, StackOfMembers
from ser_experiments.models.grouping import ByColumn, TakeColumns
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered, keeping_nothing
from ser_experiments.models.tuned import Tuned
from ser_experiments.tasks.classes import Classes


def corpus(n_classes: int = 3, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    classes = np.array(["angry", "happy", "sad"][:n_classes])
    y = rng.choice(classes, 180)
    X = pd.DataFrame(rng.normal(size=(180, 6)), columns=list("abcdef"), index=[f"u{i}" for i in range(180)])
    X["a"] += y == "angry"
    X["b"] += 1.5 * (y == "happy")
    X["group"] = [f"s{i % 6}" for i in range(180)]
    return X.astype(dict.fromkeys("abcdef", np.float32)), y


def members() -> list[tuple[str, Remembered]]:
    return [
        ("svm", Remembered(build_pipeline("svm", {"C": 0.5}, calibrate="temperature"))),
        ("logreg", Remembered(build_pipeline("logreg"))),
        ("dummy", Remembered(build_pipeline("dummy"))),
    ]


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_stack_equals_a_slow_plain_loop(n_classes: int) -> None:
    X, y = corpus(n_classes)
    stack = StackOfMembers(members()).fit(X, y)
    classes = np.unique(y)
    blocks = []
    for _, member in members():
        block = np.zeros((len(y), n_classes))
        for train, test in ByColumn(3).split(X, y):
            fitted = clone(member).fit(X.iloc[train], y[train])
            block[test] = fitted.predict_proba(X.iloc[test])
        blocks.append(block)
    pool = LogLinearPool(3).fit(np.hstack(blocks), y)
    refitted = [clone(member).fit(X, y).predict_proba(X) for _, member in members()]
    assert stack.predict_proba(X) == pytest.approx(pool.predict_proba(np.hstack(refitted)), abs=1e-6)
    assert list(stack.classes_) == list(classes)
    assert (stack.predict(X) == classes[stack.predict_proba(X).argmax(axis=1)]).all()


def test_the_average_is_the_mean_of_the_members() -> None:
    X, y = corpus()
    average = AverageOfMembers(members()).fit(X, y)
    each = [clone(member).fit(X, y).predict_proba(X) for _, member in members()]
    assert average.predict_proba(X) == pytest.approx(np.mean(each, axis=0))
    assert set(average.predict(X)) <= set(y)


def test_weights_are_not_negative_and_a_useless_member_gets_less() -> None:
    X, y = corpus()
    weights = StackOfMembers(members()).fit(X, y).fit_report_.weights
    assert min(weights.values()) >= 0
    assert weights["dummy"] < max(weights.values())


def test_the_pool_is_where_the_loss_is_least() -> None:
    rng = np.random.default_rng(3)
    y = rng.choice(list("abc"), 300)
    good = 0.4 * np.eye(3)[np.searchsorted(list("abc"), y)] + rng.dirichlet(np.ones(3), 300)
    blocks = np.hstack([good / good.sum(axis=1, keepdims=True), rng.dirichlet(np.ones(3), 300)])
    pool = LogLinearPool(2, pull=0.0).fit(blocks, y)
    best = log_loss(y, pool.predict_proba(blocks))
    for change in ([0.05, 0], [-0.05, 0], [0, 0.05]):
        other = clone(pool).fit(blocks, y)
        other.weights_ = pool.weights_ + change
        assert log_loss(y, other.predict_proba(blocks)) >= best - 1e-9


def test_the_same_stack_every_time() -> None:
    X, y = corpus()
    one, two = (StackOfMembers(members()).fit(X, y).predict_proba(X) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.slow
def test_a_feature_that_only_names_the_speaker_does_not_help() -> None:
    """Speakers' labels are skewed, so the name of a speaker foretells labels of the training speakers alone."""
    rng = np.random.default_rng(5)
    rows = []
    for s in range(10):
        skew = rng.dirichlet([0.5, 0.5, 0.5])
        for _ in range(40):
            rows.append((f"s{s}", rng.choice(["angry", "happy", "sad"], p=0.9 * skew + 0.1 / 3)))
    ids = pd.Index([f"u{i}" for i in range(len(rows))], name="utterance_id")
    people = pd.DataFrame(rows, columns=["speaker", "label"], index=ids)
    people["session"] = None
    useful = pd.DataFrame({"x": rng.normal(size=400) + (people["label"] == "angry").to_numpy()}, index=people.index)
    named = useful.join(pd.get_dummies(people["speaker"]).astype(float) * 3)
    folds, task = make_folds(people, "leave-one-speaker-out"), Classes.of(people["label"])
    scores = {}
    for name, table in (("useful", useful), ("named", named)):
        each = [
            ("forest", build_pipeline("random_forest", {"n_estimators": 40})),
            ("logreg", build_pipeline("logreg", {"class_weight": "balanced"})),
        ]
        predictions, _ = cross_validate(StackOfMembers(each), Rows.align(table, people, folds, task), jobs=1)
        scores[name] = pooled(predictions)["uar"]
    random, leaky = make_folds(people, "random"), {}
    for name, table in (("useful", useful), ("named", named)):
        predictions, _ = cross_validate(build_pipeline("logreg"), Rows.align(table, people, random, task), jobs=1)
        leaky[name] = pooled(predictions)["uar"]
    assert leaky["named"] > leaky["useful"] + 0.05  # where speakers are on both sides, the name does foretell labels
    assert scores["named"] <= scores["useful"] + 0.02


def test_a_stack_takes_the_fits_of_earlier_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "WORTH_S", 0.0)
    X, y = corpus()
    wide = X.assign(other=1.0)  # the columns of another member

    def member(folder: Path | None) -> Remembered:
        return Remembered(build_pipeline("logreg", sets=()), None if folder is None else str(folder))

    alone = member(tmp_path).fit(X, y)
    assert not alone.reused_
    stack = StackOfMembers([("logreg", member(tmp_path))]).fit(X, y)
    assert stack.fit_report_.members["logreg"].reused
    again = StackOfMembers([("logreg", member(None))]).fit(X, y)
    assert stack.predict_proba(X) == pytest.approx(again.predict_proba(X))
    assert not member(tmp_path).fit(wide, y).reused_  # without sets every column counts


@pytest.mark.parametrize(
    "estimator",
    [
        StackOfMembers(members()),
        AverageOfMembers(members()),
        build_pipeline("svm", calibrate="temperature"),
        Remembered(build_pipeline("logreg")),
        Tuned({"model": "logreg", "params": {}}, {"model.C": [0.01, 1.0]}, trials=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_every_wrapper_hands_weights_of_rows_on(estimator: BaseEstimator) -> None:
    """A class whose rows weigh next to nothing is hardly answered, and equal weights are none."""
    X, y = corpus()
    plain = clone(estimator).fit(X, y)
    even = clone(estimator).fit(X, y, sample_weight=np.ones(len(y)))
    light = clone(estimator).fit(X, y, sample_weight=np.where(y == "sad", 1e-3, 1.0))
    assert even.predict_proba(X) == pytest.approx(plain.predict_proba(X), abs=1e-4)
    assert light.predict_proba(X)[:, 2].mean() < 0.5 * plain.predict_proba(X)[:, 2].mean()


def test_weights_for_a_model_that_takes_none_are_refused() -> None:
    X, y = corpus()
    without = make_pipeline(TakeColumns(), KNeighborsClassifier())
    with pytest.raises(InputError, match="KNeighborsClassifier takes no weights of rows"):
        Remembered(without).fit(X, y, sample_weight=np.ones(len(y)))


def test_what_is_shuffled_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "WORTH_S", 0.0)
    X, y = corpus()
    recipe = {"model": "logreg", "params": {}}
    stack = StackOfMembers(
        [("a", Remembered(Tuned(recipe, {"model.C": [1.0]}, 1, folder=str(tmp_path)), str(tmp_path)))]
    )
    keeping_nothing(stack).fit(X, y)
    assert not list(tmp_path.iterdir())
    clone(stack).fit(X, y)
    assert {path.suffix for path in tmp_path.iterdir()} == {".skops", ".trials"}


def test_a_damaged_fit_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remember, "WORTH_S", 0.0)
    X, y = corpus()
    made = Remembered(build_pipeline("logreg"), str(tmp_path)).fit(X, y)
    (file,) = tmp_path.glob("*.skops")
    file.write_bytes(file.read_bytes()[:100])
    again = Remembered(build_pipeline("logreg"), str(tmp_path)).fit(X, y)
    assert not again.reused_
    assert np.array_equal(made.predict_proba(X), again.predict_proba(X))


@pytest.mark.parametrize("kind", [AverageOfMembers, StackOfMembers])
def test_saved_and_read_again_without_paths(kind: type, tmp_path: Path) -> None:
    X, y = corpus()
    each = [(name, Remembered(m.estimator, str(tmp_path / "secret"))) for name, m in members()]
    fitted = kind(each).fit(X, y)
    save_estimator(fitted, tmp_path / "m.skops")
    again = load_estimator(tmp_path / "m.skops")
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    fitted_members = again.estimators_
    assert all(member.folder is None for member in fitted_members)
