"""The key of a fit changes with everything that can change the fit, each alone, and with nothing else."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from ser_experiments import identity
from ser_experiments.features import feature_table
from ser_experiments.features.store.references import ArrayRef, Place
from ser_experiments.models import fit_key as module
from ser_experiments.models import remember, source, spec
from ser_experiments.models.ensemble import AverageOfMembers, StackOfMembers
from ser_experiments.models.fit_key import fit_key, identity_of
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered
from ser_experiments.models.spec import get_model
from ser_experiments.models.tuned import Tuned

N = 8
KINDS = ("number", "whole", "text", "array", "reference")


def refer(key: int, *, folder: str = "/cache/tables/melspec/0123", shard: str = "a") -> ArrayRef:
    return ArrayRef(folder, bytes([key]), Place(shard, 0, 5), 4, "float16")


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    cells = {
        "array": [rng.normal(size=(5, 4)).astype(np.float16) for _ in range(N)],
        "reference": [refer(i) for i in range(N)],
    }
    columns: dict[str, Any] = {
        "number": rng.normal(size=N).astype(np.float32),
        "whole": np.arange(N),
        "text": [f"w{i}" for i in range(N)],
    }
    for name, held in cells.items():
        columns[name] = np.empty(N, dtype=object)
        for place, cell in enumerate(held):
            columns[name][place] = cell
    frame = pd.DataFrame(columns, index=[f"u{i}" for i in range(N)])
    frame["group"] = [f"s{i % 4}" for i in range(N)]
    return frame


def other_cell(kind: str, cell: Any, place: int) -> Any:
    """Return a cell that differs as little as one of its kind can."""
    if kind == "array":
        changed = cell.copy()
        changed[place % 5, place % 4] = np.nextafter(changed[place % 5, place % 4], np.float16(9))
        return changed
    return {
        "number": lambda: np.nextafter(np.float32(cell), np.float32(9)),
        "whole": lambda: cell + 1,
        "text": lambda: cell + " ",
        "reference": lambda: refer(place + 100),
    }[kind]()


def member(**changes: Any) -> Remembered:
    return Remembered(build_pipeline("logreg", {"C": 0.5}, **changes))


def tuned(**changes: Any) -> Tuned:
    recipe = {"model": "svm", "params": {"C": 1.0}, "calibrate": "temperature"}
    return Tuned(recipe, {"model.C": [1.0, 2.0]}, **{"trials": 2, **changes})


ESTIMATORS: dict[str, Callable[[], BaseEstimator]] = {
    "svm": lambda: build_pipeline("svm", {"C": 1.0}, calibrate="temperature"),
    "xgboost": lambda: build_pipeline("xgboost"),
    "lightgbm": lambda: build_pipeline("lightgbm"),
    "mlp": lambda: build_pipeline("mlp"),
    "tuned": tuned,
    "stack": lambda: StackOfMembers([("a", member()), ("b", Remembered(build_pipeline("dummy")))]),
    "average": lambda: AverageOfMembers([("a", member()), ("b", Remembered(build_pipeline("dummy")))]),
}
TRUTHS: dict[str, Any] = {
    "classes": np.array(["angry", "sad"] * 4),
    "numbers": np.linspace(0, 1, N),
    "shares": np.random.default_rng(1).dirichlet(np.ones(3), N),
}
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(
    st.sampled_from(sorted(ESTIMATORS)), st.sampled_from(KINDS), st.integers(0, N - 1), st.sampled_from(sorted(TRUTHS))
)
def test_what_stands_in_the_rows_changes_the_key(name: str, kind: str, place: int, truth: str) -> None:
    estimator, X, y = ESTIMATORS[name](), table(), TRUTHS[truth]
    cells = X.copy()
    cells[kind] = cells[kind].astype(object)
    cells.iat[place, cells.columns.get_loc(kind)] = other_cell(kind, X[kind].iloc[place], place)
    cells[kind] = cells[kind].astype(X[kind].dtype)
    group = X.assign(group=X["group"].where(np.arange(N) != place, "s9"))
    index = X.set_axis(["v" if i == place else one for i, one in enumerate(X.index)])
    labels = y.copy()
    labels[place] = labels[place - 1] if truth != "numbers" else labels[place] + 1e-12
    weights = np.ones(N)
    more = np.where(np.arange(N) == place, 1 + 1e-12, weights)
    keys = [
        fit_key(estimator, X, y),
        fit_key(estimator, cells, y),
        fit_key(estimator, group, y),
        fit_key(estimator, index, y),
        fit_key(estimator, X, labels),
        fit_key(estimator, X, y, weights),
        fit_key(estimator, X, y, more),
        fit_key(estimator, X.drop(index=X.index[place]), np.delete(y, place, axis=0)),
        fit_key(estimator, X.iloc[::-1], y),
        fit_key(estimator, X.rename(columns={kind: "other"}), y),
        fit_key(estimator, X.drop(columns=kind), y),
    ]
    assert len(set(keys)) == len(keys)
    assert fit_key(clone(estimator), X.copy(), y.copy()) == keys[0]


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_every_parameter_changes_the_key(name: str) -> None:
    X, y = table(), TRUTHS["classes"]
    usual = fit_key(ESTIMATORS[name](), X, y)
    told = {usual}
    plain = {
        path: value
        for path, value in ESTIMATORS[name]().get_params(deep=True).items()
        if isinstance(value, bool | int | float | str) and path.split("__")[-1] not in INDIFFERENT
    }
    for path, value in plain.items():
        changed = ESTIMATORS[name]().set_params(**{path: f"{value}x" if isinstance(value, str) else not value})
        told.add(fit_key(changed, X, y))
    assert len(told) == len(plain) + 1


INDIFFERENT = ("folder", "n_jobs", "verbose", "cache_size", "verbosity")


@pytest.mark.parametrize("name", sorted(ESTIMATORS))
def test_what_changes_no_number_does_not_change_the_key(name: str) -> None:
    X, y = table(), TRUTHS["classes"]
    estimator = ESTIMATORS[name]()
    usual = fit_key(estimator, X, y)
    for path in estimator.get_params(deep=True):
        if path.split("__")[-1] in INDIFFERENT:
            value = "/elsewhere" if path.endswith("folder") else 3
            assert fit_key(ESTIMATORS[name]().set_params(**{path: value}), X, y) == usual, path
    moved = X.copy()
    moved["reference"] = np.empty(N, dtype=object)
    for place in range(N):
        moved.iat[place, moved.columns.get_loc("reference")] = refer(  # type: ignore[assignment]
            place, folder="/mnt/tables/melspec/0123", shard="merged"
        )
    assert fit_key(estimator, moved, y) == usual
    assert fit_key(estimator, X, y.astype("<U30")) == fit_key(estimator, X, list(y)) == usual


def test_columns_of_others_and_the_order_of_words_do_not_count() -> None:
    rng = np.random.default_rng(0)
    y = TRUTHS["classes"]
    taken = build_pipeline("svm", {"C": 1, "class_weight": {"a": 1, "b": 2}}, sets=("covariance",))
    (names,) = [step.input_columns(pd.DataFrame()) for _, step in taken.steps[:1]]
    X = pd.DataFrame(rng.normal(size=(N, len(names))), columns=names).assign(group="s")
    again = build_pipeline("svm", {"class_weight": {"b": 2, "a": 1}, "C": 1}, sets=("covariance",))
    assert fit_key(taken, X, y) == fit_key(again, X.assign(other=1.0), y)
    assert fit_key(taken, X, y) == fit_key(taken, X[["group", *names[::-1]]], y)
    assert fit_key(taken, X, y) != fit_key(taken, X.assign(**{names[3]: 0.0}), y)


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("svm", "scikit-learn"), ("svm", "numpy"), ("svm", "scipy"), ("xgboost", "xgboost-cpu|xgboost"),
        ("lightgbm", "lightgbm"), ("mlp", "torch"), ("tuned", "optuna"), ("tuned", "scikit-learn"),
    ],
)  # fmt: skip
def test_a_version_of_a_library_changes_the_key(name: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, estimator = table(), TRUTHS["classes"], ESTIMATORS[name]()
    usual, real = fit_key(estimator, X, y), identity._version
    assert identity_of(estimator)["libraries"][library] != "none"
    monkeypatch.setattr(identity, "_version", lambda one: "99" if one == library else real(one))
    assert fit_key(estimator, X, y) != usual


def test_a_library_that_does_not_compute_here_does_not_count() -> None:
    assert set(identity_of(ESTIMATORS["svm"]())["libraries"]) == {"scikit-learn", "numpy", "scipy"}


def test_a_version_of_a_family_and_of_a_wrapper_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y, estimator = table(), TRUTHS["classes"], ESTIMATORS["stack"]()
    keys = [fit_key(estimator, X, y)]
    monkeypatch.setattr(Remembered, "version", "2")
    keys.append(fit_key(estimator, X, y))
    real = get_model("logreg")
    changed = spec.ModelSpec(**{**vars(real), "version": "2"})
    monkeypatch.setattr("ser_experiments.models.zoo.logreg.SPEC", changed)
    spec.families_of.cache_clear()  # type: ignore[attr-defined]
    try:
        keys.append(fit_key(estimator, X, y))
    finally:
        monkeypatch.undo()
        spec.families_of.cache_clear()  # type: ignore[attr-defined]
    assert len(set(keys)) == 3


def test_what_has_no_identity_is_refused() -> None:
    X, y = table(), TRUTHS["classes"]
    with pytest.raises(TypeError, match="has no identity"):
        fit_key(build_pipeline("svm", {"kernel": np.dot}), X, y)
    with pytest.raises(TypeError, match="has no identity"):
        fit_key(build_pipeline("svm"), X.assign(odd=[object()] * N), y)


BEFORE = '''"""Doc."""
from sklearn.neighbors import KNeighborsClassifier
class Near(KNeighborsClassifier):
    """Doc."""
    def fit(self, X, y):
        return super().fit(2 * X, y)
'''


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (BEFORE, True),
        (BEFORE.replace("Doc.", "Other words."), True),
        (BEFORE.replace("    def", "    # A comment.\n\n    def"), True),
        (BEFORE.replace("2 * X", "3 * X"), False),
        (BEFORE + "STEP = 1\n", False),
    ],
)
def test_the_source_of_a_plug_in_counts(tmp_path: Path, after: str, same: bool) -> None:
    keys = []
    for text in (BEFORE, after):
        path = tmp_path / "near.py"
        path.write_text(text)
        loaded = importlib.util.spec_from_file_location("a_plug_in_of_tests", path)
        assert loaded is not None
        assert loaded.loader is not None
        module = sys.modules["a_plug_in_of_tests"] = importlib.util.module_from_spec(loaded)
        loaded.loader.exec_module(module)
        source._read.cache_clear()  # type: ignore[attr-defined]
        keys.append(fit_key(make_pipeline(TakeColumns(), module.Near()), table(), TRUTHS["classes"]))
    del sys.modules["a_plug_in_of_tests"]
    assert (keys[0] == keys[1]) is same


@pytest.mark.parametrize(
    ("top", "distributed"),
    # A distribution of its own name, of another name, and none; pip's distribution "pytest-cov" is no module.
    [("lightgbm", True), ("sklearn", True), ("yaml", True), ("a_module_of_nobody", False), ("pytest-cov", False)],
)
def test_whose_a_module_is_is_found_without_reading_every_distribution(
    top: str, distributed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module._is_distributed.__wrapped__(top) == distributed
    assert module._is_distributed.__wrapped__(top) == (top in module._installed())
    if top == "lightgbm":
        monkeypatch.setattr(module, "_installed", lambda: pytest.fail("all distributions were read"))
        assert module._is_distributed.__wrapped__(top)


def test_the_source_is_that_of_the_estimators_modules_and_of_what_they_import() -> None:
    svm, cnn = (identity_of(build_pipeline(name))["source"] for name in ("svm", "cnn"))
    assert {"ser_experiments.models.grouping", "ser_experiments.models.missing"} <= set(svm)
    assert not any("nets" in module or "zoo" in module for module in svm)
    assert {f"ser_experiments.models.nets.{name}" for name in ("estimator", "training", "batches", "augment")} <= set(
        cnn
    )
    assert "none" not in {*svm.values(), *cnn.values()}
    assert identity_of(KNeighborsClassifier())["source"] == {}


def test_a_network_is_not_served_for_other_recordings_of_the_same_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remember, "WORTH_S", 0.0)
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    y = np.array(["angry", "sad"] * 6)

    def measure(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        for i in range(len(y)):
            soundfile.write(tmp_path / f"u{i:02d}.wav", rng.uniform(-0.5, 0.5, 8000), 16_000, subtype="PCM_16")
        utterances = pd.DataFrame(
            {"path": [str(tmp_path / f"u{i:02d}.wav") for i in range(len(y))], "start_s": np.nan, "end_s": np.nan},
            index=pd.Index([f"u{i:02d}" for i in range(len(y))], name="utterance_id"),
        ).assign(speaker=[f"s{i % 3}" for i in range(len(y))])
        return feature_table(["melspec"], utterances, jobs=1)

    params = {"n_epochs": 1, "widths": (2, 2), "crop_frames": 8, "device": "cpu"}

    def fitted(X: pd.DataFrame, folder: str | None) -> Remembered:
        return Remembered(build_pipeline("cnn", params, sets=("melspec",)), folder).fit(X, y)

    first = measure(1)
    answers = fitted(first, str(tmp_path / "fits")).predict_proba(first)
    again = fitted(first, str(tmp_path / "fits"))
    assert again.reused_
    assert np.array_equal(again.predict_proba(first), answers)
    second = measure(2)
    assert [repr(cell) for cell in second["melspec"]] == [repr(cell) for cell in first["melspec"]]
    other = fitted(second, str(tmp_path / "fits"))
    assert not other.reused_
    assert np.array_equal(other.predict_proba(second), fitted(second, None).predict_proba(second))
