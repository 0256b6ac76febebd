"""The search inside a fit: against a plain loop, deterministic, resumed, blind to the test side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import GroupKFold

from ser_experiments.errors import InputError
from ser_experiments.frames import TRIED_ON
from ser_experiments.models.grouping import ByColumn, development_of, groups_of
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered
from ser_experiments.models.search_space import flat_space
from ser_experiments.models.tuned import Tuned

RECIPE = {"model": "svm", "params": {"C": 1.0, "class_weight": "balanced"}, "calibrate": "temperature"}
SPACE: dict[str, Any] = {
    "model.C": {"low": 1e-3, "high": 1e2, "log": True},
    "model.kernel": ["rbf", "linear"],
    "pipeline.scale": ["standard", "robust"],
    "pipeline.select": [3, 6],
}


@pytest.fixture
def rows() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.array(["angry", "happy", "sad"])[np.arange(120) % 3]
    X = pd.DataFrame(rng.normal(size=(120, 8)).astype(np.float32), columns=[f"x{i}" for i in range(8)])
    X["x0"] += (y == "angry") * 1.2
    X["x1"] += (y == "sad") * 1.2
    X["group"] = [f"s{i // 20}" for i in range(120)]
    return X, y


def test_trials_equal_a_plain_loop(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = rows
    tuned = Tuned(RECIPE, SPACE, trials=10, folds=3).fit(X, y)
    assert len(tuned.cv_results_) == 10
    for trial in tuned.cv_results_:
        chosen = trial["params"]
        predicted = np.empty(len(y), dtype=object)
        for train, test in GroupKFold(3).split(X, groups=X["group"]):
            pipeline = build_pipeline(
                "svm",
                {"C": chosen["model.C"], "kernel": chosen["model.kernel"], "class_weight": "balanced"},
                scale=chosen["pipeline.scale"],
                select=chosen["pipeline.select"],
            )
            predicted[test] = pipeline.fit(X.iloc[train], y[train]).predict(X.iloc[test])
        assert trial["uar"] == pytest.approx(balanced_accuracy_score(y, predicted.astype(str)))
    scores = [trial["uar"] for trial in tuned.cv_results_]
    assert tuned.best_params_ == tuned.cv_results_[int(np.argmax(scores))]["params"]
    assert len({tuple(sorted(t["params"].items())) for t in tuned.cv_results_}) > 5


def test_the_best_is_fitted_on_all_rows_and_calibrated(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = rows
    tuned = Tuned(RECIPE, SPACE, trials=4).fit(X, y)
    best = tuned.best_params_
    alone = build_pipeline(
        "svm",
        {**RECIPE["params"], "C": best["model.C"], "kernel": best["model.kernel"]},  # type: ignore[dict-item]
        scale=best["pipeline.scale"],
        select=best["pipeline.select"],
        calibrate="temperature",
    ).fit(X, y)
    np.testing.assert_array_equal(tuned.predict_proba(X), alone.predict_proba(X))
    assert list(tuned.predict(X)) == list(alone.predict(X))
    np.testing.assert_allclose(tuned.predict_proba(X).sum(axis=1), 1)


def test_the_first_trial_is_the_recipe(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    tuned = Tuned(RECIPE, {**SPACE, "pipeline.scale": ["standard"]}, trials=1).fit(*rows)
    assert tuned.best_params_["model.C"] == 1.0


def test_same_seed_same_search_in_any_number_of_sittings(
    rows: tuple[pd.DataFrame, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Tuned(RECIPE, SPACE, trials=12).fit(*rows)
    assert [t["params"] for t in Tuned(RECIPE, SPACE, trials=12).fit(*rows).cv_results_] == [
        t["params"] for t in whole.cv_results_
    ]
    other = Tuned(RECIPE, SPACE, trials=12, seed=1).fit(*rows)
    assert [t["params"] for t in other.cv_results_] != [t["params"] for t in whole.cv_results_]

    calls = []
    original = Tuned._score

    def interrupted(self: Tuned, *args: Any) -> float:
        calls.append(args[0])
        if len(calls) in (4, 9):
            raise KeyboardInterrupt
        return original(self, *args)

    monkeypatch.setattr(Tuned, "_score", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            Tuned(RECIPE, SPACE, trials=12, folder=str(tmp_path)).fit(*rows)
    again = Tuned(RECIPE, SPACE, trials=12, folder=str(tmp_path)).fit(*rows)
    assert [(t["params"], t["uar"]) for t in again.cv_results_] == [(t["params"], t["uar"]) for t in whole.cv_results_]
    assert len(calls) == 12 + 2


def test_other_rows_are_another_search(rows: tuple[pd.DataFrame, np.ndarray], tmp_path: Path) -> None:
    X, y = rows
    tuned = Tuned(RECIPE, SPACE, trials=2, folder=str(tmp_path))
    clone(tuned).fit(X, y)
    clone(tuned).fit(X.iloc[:100], y[:100])
    assert len(list(tmp_path.glob("*.trials"))) == 2


def test_groups_stay_apart_in_every_trial(
    rows: tuple[pd.DataFrame, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that names the speaker, whose labels are skewed, would pay only where groups are mixed."""
    X, _ = rows
    y = np.where(X["group"].isin(["s0", "s1", "s2"]), "angry", "sad")
    X = pd.DataFrame(
        {f"is_{g}": (X["group"] == g).astype(np.float32) for g in X["group"].unique()} | {"group": X["group"]}
    )
    tuned = Tuned({"model": "svm", "params": {}}, {"model.C": [1.0, 10.0]}, trials=2).fit(X, y)
    assert max(t["uar"] for t in tuned.cv_results_) <= 0.5


def test_a_development_side_is_what_parameters_are_tried_on(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = rows
    tried_on = X["group"].isin(["s4", "s5"]).to_numpy()
    marked = X.assign(group=X["group"].where(~tried_on, TRIED_ON + X["group"]))
    tuned = Tuned(RECIPE, SPACE, trials=6).fit(marked, y)
    for trial in tuned.cv_results_:
        pipeline = tuned._pipeline(trial["params"], calibrate=False).fit(X[~tried_on], y[~tried_on])
        assert trial["uar"] == pytest.approx(balanced_accuracy_score(y[tried_on], pipeline.predict(X[tried_on])))
    # The best is fitted on both sides, and what calibrates it keeps the speakers apart as always.
    alone = clone(tuned._pipeline(tuned.best_params_)).fit(X, y)
    np.testing.assert_array_equal(tuned.predict_proba(X), alone.predict_proba(X))
    # The other way round it is another search.
    other = X.assign(group=X["group"].where(tried_on, TRIED_ON + X["group"]))
    again = Tuned(RECIPE, SPACE, trials=6).fit(other, y)
    assert [t["uar"] for t in again.cv_results_] != [t["uar"] for t in tuned.cv_results_]


def test_inner_folds_know_a_speaker_of_both_sides(rows: tuple[pd.DataFrame, np.ndarray]) -> None:
    """Training and development may share speakers; what calibrates deals each to one fold."""
    X, _ = rows
    half = np.arange(len(X)) % 2 == 0
    marked = X.assign(group=X["group"].where(half, TRIED_ON + X["group"]))
    assert set(groups_of(marked)) == set(X["group"])
    for train, test in ByColumn(3).split(marked):
        assert not set(X["group"].iloc[train]) & set(X["group"].iloc[test])
    assert development_of(X) is None
    assert development_of(marked[half]) is None
    assert development_of(marked[~half]) is None


def test_remembered_and_saved(rows: tuple[pd.DataFrame, np.ndarray], tmp_path: Path) -> None:
    X, y = rows
    fitted = Remembered(Tuned(RECIPE, SPACE, trials=3)).fit(X, y)
    save_estimator(fitted, tmp_path / "model.skops")
    loaded = load_estimator(tmp_path / "model.skops")
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.fit_report_.search == fitted.fit_report_.search is not None


def test_spaces() -> None:
    allowed = {"model": ["C", "gamma"], "pipeline": ["scale"]}
    raw = {"model": {"C": {"low": 1, "high": 3}, "gamma": [0.1, "scale"]}, "pipeline.scale": ["robust"]}
    assert dict(flat_space(raw, allowed)) == {
        "model.C": {"low": 1, "high": 3},
        "model.gamma": [0.1, "scale"],
        "pipeline.scale": ["robust"],
    }


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"model": {"gama": [1]}}, "model has no 'gama'; did you mean 'gamma'"),
        ({"modle": {"C": [1]}}, "unknown section 'modle'; did you mean 'model'"),
        ({"model": {"C": 3}}, "model.C is 3; expected choices"),
        ({"model": {"C": []}}, "expected choices"),
        ({"model": {"C": [[1]]}}, "expected choices"),
        ({"model": {"C": {"low": 3, "high": 1}}}, "low < high"),
        ({"model": {"C": {"low": 0, "high": 1, "log": True}}}, "above 0 with log"),
        ({"model": {"C": {"low": 0, "hi": 1}}}, "expected choices"),
    ],
)
def test_wrong_spaces(raw: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dict(flat_space(raw, {"model": ["C", "gamma"], "pipeline": ["scale"]}))
