"""What is written in ONNX answers as the estimator does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.ensemble import AverageOfMembers, StackOfMembers
from ser_experiments.models.number_ensemble import AverageOfNumbers, StackOfNumbers
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.remember import Remembered
from ser_experiments.models.shares import FromShares
from ser_experiments.serving import AudioModel

runtime = pytest.importorskip("onnxruntime", reason="pip install 'ser_experiments[onnx]' onnxruntime")
pytest.importorskip("onnx", reason="pip install 'ser_experiments[onnx]'")
from ser_experiments.serving.onnx import to_onnx  # noqa: E402

N, SETS = 110, ("classic199", "lld")
SMALL: Mapping[str, Mapping[str, object]] = {
    "xgboost": {"n_estimators": 12}, "lightgbm": {"n_estimators": 12}, "gradient_boosting": {"n_estimators": 12},
    "random_forest": {"n_estimators": 12}, "extra_trees": {"n_estimators": 12},
    "mlp": {"n_epochs": 2, "hidden": (16, 8)},
}  # fmt: skip


def table(n: int = N, seed: int = 0, sets: tuple[str, ...] = SETS) -> pd.DataFrame:
    names = [column for one in sets for column in get_extractor(one).column_names]
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.standard_normal((n, len(names))).astype(np.float32) * 3 + 1, columns=names)
    X.iloc[::7, ::11] = np.nan
    return X.assign(group=[f"g{i % 5}" for i in range(n)])


def words(n_classes: int = 4) -> np.ndarray:
    return np.array(CLASSES["targets"])[np.arange(N) % n_classes]


def learnable(X: pd.DataFrame, code: np.ndarray) -> pd.DataFrame:
    """Let some columns tell the truth, so that answers differ from row to row."""
    told = X.copy()
    told.iloc[:, 3:60:3] += code[:, None].astype(np.float32)
    return told


def ask(model: AudioModel, X: pd.DataFrame) -> np.ndarray:
    written = to_onnx(model)
    props = {one.key: json.loads(one.value) for one in written.metadata_props}
    assert props["targets"] == list(model.task.targets)
    session = runtime.InferenceSession(written.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"features": X[props["columns"]].to_numpy(dtype=np.float32)})[0]


def check(estimator: BaseEstimator, task: dict[str, Any], sets: tuple[str, ...] = SETS) -> None:
    model = AudioModel(estimator, [(one, {}) for one in sets], {"experiment": "x", "setting": "s", "task": task})
    new = learnable(table(200, 1, sets), np.arange(200) % 4)
    expected = model.task.response(estimator, new)
    assert expected.std(axis=0).min() > 1e-4
    np.testing.assert_allclose(ask(model, new), expected, rtol=0, atol=1e-5)


CLASSES = {"kind": "classes", "targets": ["angry", "happy", "neutral", "sad"]}
FAMILIES = ("svm", "logreg", "random_forest", "extra_trees", "gradient_boosting", "xgboost", "lightgbm", "mlp")


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_classes(family: str, n_classes: int) -> None:
    y = words(n_classes)
    calibrate = "temperature" if family == "svm" else "none"
    made = build_pipeline(family, SMALL.get(family, {}), sets=SETS, calibrate=calibrate)
    fitted = made.fit(learnable(table(), np.arange(N) % n_classes), y)
    check(fitted, {"kind": "classes", "targets": CLASSES["targets"][:n_classes]})


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_numbers(family: str, n_targets: int) -> None:
    truth = np.random.default_rng(2).standard_normal((N, n_targets)) + np.arange(N)[:, None] % 4
    y = truth[:, 0] if n_targets == 1 else truth
    fitted = build_pipeline(family, SMALL.get(family, {}), sets=SETS, learns="numbers").fit(
        learnable(table(), np.arange(N) % 4), y
    )
    check(fitted, {"kind": "dimensions", "targets": ["valence", "arousal", "dominance"][:n_targets]})


@pytest.mark.parametrize(
    "options",
    [
        {"scale": "robust", "balance": True, "calibrate": "temperature"},
        {"scale": "none", "select": 40},
        {"scale": "standard", "clip": 1.5, "select": 40, "calibrate": "temperature"},
    ],
    ids=str,
)
@pytest.mark.parametrize("family", ["logreg", "random_forest", "lightgbm"])
def test_steps(family: str, options: dict[str, Any]) -> None:
    fitted = build_pipeline(family, SMALL.get(family, {}), sets=SETS, **options)
    check(Remembered(fitted).fit(learnable(table(), np.arange(N) % 4), words()), CLASSES)


@pytest.mark.slow
def test_ensembles() -> None:
    def members(**more: Any) -> list[tuple[str, BaseEstimator]]:
        return [("svm", build_pipeline("svm", {"kernel": "linear"}, sets=["classic199"], **more)),
                ("forest", build_pipeline("random_forest", SMALL["random_forest"], sets=["lld"],
                                          **{**more, "calibrate": None}))]  # fmt: skip

    X = learnable(table(), np.arange(N) % 4)
    truth = np.random.default_rng(0).standard_normal((N, 2)) + np.arange(N)[:, None] % 4
    for kind in (AverageOfMembers, StackOfMembers):
        check(kind(members(calibrate="temperature")).fit(X, words()), CLASSES)
    for kind in (AverageOfNumbers, StackOfNumbers):
        check(kind(members(learns="numbers")).fit(X, truth), {"kind": "dimensions", "targets": ["valence", "arousal"]})


def test_the_floor() -> None:
    X = table(sets=("classic199",))
    fitted = build_pipeline("dummy", sets=["classic199"]).fit(X, words())
    model = AudioModel(fitted, [("classic199", {})], {"experiment": "x", "setting": "s", "task": CLASSES})
    np.testing.assert_allclose(ask(model, X), model.task.response(fitted, X), rtol=0, atol=1e-12)


def test_votes() -> None:
    shares = np.eye(4)[np.arange(N) % 4] * 0.6 + 0.1
    fitted = FromShares(build_pipeline("logreg", sets=SETS), tuple(CLASSES["targets"]))
    check(fitted.fit(learnable(table(), np.arange(N) % 4), shares), {"kind": "votes", "targets": CLASSES["targets"]})


@pytest.mark.parametrize(
    ("family", "params", "options", "said"),
    [
        ("logreg", {}, {"scale": "quantile"}, "QuantileTransformer cannot be written in ONNX; export without --onnx"),
        ("svm", {"kernel": "poly"}, {"calibrate": "temperature"}, "'poly' cannot be written in ONNX"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(
    family: str, params: dict[str, Any], options: dict[str, Any], said: str
) -> None:
    fitted = build_pipeline(family, params, sets=["classic199"], **options).fit(table(sets=("classic199",)), words())
    model = AudioModel(fitted, [("classic199", {})], {"experiment": "x", "setting": "s", "task": CLASSES})
    with pytest.raises(InputError, match=said):
        to_onnx(model)
