"""What every family of models must do, found by its folder: a new file is tested without a line here."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.pipeline import make_pipeline
from skops import io

from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP
from ser_experiments.identity import libraries
from ser_experiments.models import pipeline
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.models.pipeline import build_model
from ser_experiments.models.remember import Remembered
from ser_experiments.models.spec import ModelSpec, families_of, get_model, model_names
from ser_experiments.models.trial import try_out

#: Small settings of families whose defaults take long; a family that is missing here is tested as it is.
SMALL: dict[str, dict[str, object]] = {
    "random_forest": {"n_estimators": 25},
    "extra_trees": {"n_estimators": 25},
    "gradient_boosting": {"n_estimators": 15, "learning_rate": 0.3},
    "xgboost": {"n_estimators": 15, "learning_rate": 0.3, "colsample_bytree": 0.5},
    "lightgbm": {"n_estimators": 15, "learning_rate": 0.3, "colsample_bytree": 0.5},
    "logreg": {"C": 1.0},
    "mlp": {"n_epochs": 12, "batch_size": 8, "lr": 0.01, "hidden": (16,), "dropout": 0.1},
    "lstm": {"n_epochs": 12, "batch_size": 8, "lr": 0.02, "hidden": 8, "crop_frames": 12},
    "attention": {"n_epochs": 12, "batch_size": 8, "lr": 0.01, "hidden": 8, "crop_frames": 12, "time_masks": 0},
    # Without blocks it needs no encoder; tests/models/test_tail.py has the rest.
    "tail": {"n_epochs": 12, "batch_size": 8, "lr": 0.02, "blocks": 0, "crop_frames": 12},
    "cnn": {"n_epochs": 10, "batch_size": 8, "lr": 0.01, "widths": (4, 8), "crop_frames": 12, "column_masks": 0},
    "resnet": {"n_epochs": 12, "batch_size": 16, "lr": 0.05, "width": 4, "crop_frames": 12, "column_masks": 0},
    "resnet18": {"n_epochs": 12, "batch_size": 16, "lr": 0.05, "width": 4, "crop_frames": 12, "column_masks": 0},
    "resnet34": {"n_epochs": 12, "batch_size": 16, "lr": 0.05, "width": 4, "crop_frames": 12, "column_masks": 0},
}
CLASSES = ["anger", "neutral", "sadness"]
FAMILIES = model_names()
#: One network with three numbers of layers, which takes most of the time.
DEEP = {"resnet", "resnet18", "resnet34"}
every_family = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in DEEP else name for name in FAMILIES]
)


def labels_of(*counts: int) -> NDArray[np.str_]:
    """Return labels with so many rows of each class, mixed."""
    return np.random.default_rng(1).permutation(np.repeat(CLASSES[: len(counts)], counts))


def rows_for(name: str, y: NDArray[np.str_], n_columns: int = 8, groups: NDArray[np.str_] | None = None) -> Any:
    """Return what the pipeline hands to a family: the classes differ in the mean of their columns."""
    rng = np.random.default_rng(2)
    means = rng.permutation(np.linspace(-2.0, 2.0, n_columns))
    centres = np.searchsorted(CLASSES, y)[:, None] * means
    spec = get_model(name)
    if spec.layout == "row":
        X = pd.DataFrame((centres + rng.normal(size=centres.shape)).astype(np.float32))
        X.columns = [f"c{i}" for i in range(n_columns)]
    else:
        cells = np.empty(len(y), dtype=object)
        for i, centre in enumerate(centres):
            cells[i] = (centre + rng.normal(size=(rng.integers(1, 25), n_columns))).astype(np.float16)
        X = pd.DataFrame({"arrays": cells})
    if not spec.reads_group:
        return X.to_numpy()
    X[GROUP] = groups if groups is not None else [f"s{i % 5}" for i in range(len(y))]
    return X


def build(name: str, **params: object) -> BaseEstimator:
    spec = get_model(name)
    seed = {"random_state": 3} if "random_state" in spec.params() else {}
    return spec.build(**{**SMALL.get(name, {}), **seed, **params})


def answers(fitted: BaseEstimator, X: Any) -> NDArray[np.float64]:
    """Return probabilities, or scores where the family has none."""
    if hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict_proba(X))
    return np.asarray(fitted.decision_function(X))


def test_families_are_found() -> None:
    assert {
        *("dummy", "logreg", "svm", "random_forest", "extra_trees", "gradient_boosting", "xgboost", "lightgbm"),
        *("mlp", "lstm", "cnn", "resnet", "resnet18", "resnet34", "attention", "tail"),
    } <= set(FAMILIES)


@every_family
def test_spec_and_parameters_by_name(name: str) -> None:
    spec = get_model(name)
    assert isinstance(spec, ModelSpec)
    names = list(spec.params())
    assert names
    assert len(names) == len(set(names))
    estimator = spec.build()
    params = estimator.get_params()
    assert set(names) <= set(params)
    copied = clone(estimator)
    assert copied is not estimator
    assert copied.get_params() == params
    for key in names:
        marker = object()
        assert getattr(clone(estimator).set_params(**{key: marker}), key) is marker
        assert spec.build(**{key: params[key]}).get_params() == params


@every_family
def test_string_labels_probabilities_and_repetition(name: str) -> None:
    y = labels_of(30, 30, 30)
    X = rows_for(name, y)
    fitted = build(name)
    assert fitted.fit(X, y) is fitted
    assert list(fitted.classes_) == CLASSES
    predicted = fitted.predict(X)
    assert set(predicted) <= set(CLASSES)
    scores = answers(fitted, X)
    assert scores.shape == (90, 3)
    assert np.isfinite(scores).all()
    if hasattr(fitted, "predict_proba"):
        np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-6)
        assert (scores >= 0).all()
    assert np.array_equal(fitted.classes_[scores.argmax(axis=1)], predicted)
    if name != "dummy":
        assert (predicted == y).mean() > 0.8
    assert np.array_equal(answers(clone(fitted).fit(X, y), X), scores)


@every_family
def test_it_says_which_class_it_builds_and_for_which_tasks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = get_model(name)
    assert name in families_of(type(spec.build()))
    if spec.regression is not None:
        bare = spec.regression.build()
        assert is_regressor(bare)
        assert name in families_of(type(bare))
        assert not {*spec.regression.without} & {*spec.regression.params()}
        assert {*spec.regression.without} <= {*spec.params()}
    for library in spec.libraries:
        assert libraries([library])[library] != "none"
    assert set(spec.without_effect) <= set(spec.build().get_params())
    with monkeypatch.context() as without:
        without.setattr(pipeline, "get_model", lambda asked: replace(spec, regression=None))
        with pytest.raises(InputError, match=f"'{name}' cannot learn numbers; families that can: .*logreg"):
            build_model(name, learns="numbers")


@every_family
def test_weights_of_rows_count(name: str) -> None:
    """Rows of weight zero are as good as absent; through pipelines and wrappers too."""
    y = labels_of(20, 20, 20)
    X = rows_for(name, y)
    weights = np.where(y == "sadness", 0.01, 1.0)
    plain, weighted = build(name).fit(X, y), build(name).fit(X, y, sample_weight=weights)
    assert not np.allclose(answers(plain, X), answers(weighted, X))
    if not hasattr(plain, "predict_proba"):
        return
    assert weighted.predict_proba(X)[:, 2].mean() < plain.predict_proba(X)[:, 2].mean()
    table = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X).add_prefix("c").assign(**{GROUP: "s"})
    taker = TakeColumns(layout=get_model(name).layout, keep_group=get_model(name).reads_group)
    wrapped = Remembered(make_pipeline(taker, build(name)))
    same = wrapped.fit(table, y, sample_weight=weights)
    np.testing.assert_allclose(same.predict_proba(table), weighted.predict_proba(X), atol=1e-6)


@every_family
def test_rows_answer_alone_as_they_do_together(name: str) -> None:
    y = labels_of(20, 20, 20)
    X = rows_for(name, y)
    fitted = build(name).fit(X, y)
    one_by_one = [answers(fitted, X.iloc[[i]] if isinstance(X, pd.DataFrame) else X[[i]]) for i in range(12)]
    np.testing.assert_allclose(np.vstack(one_by_one), answers(fitted, X)[:12], atol=1e-6)


@every_family
def test_persistence_holds_only_listed_types(name: str) -> None:
    y = labels_of(20, 20, 20)
    X = rows_for(name, y)
    fitted = build(name).fit(X, y)
    trusted = list(get_model(name).trusted_types)
    data = io.dumps(fitted)
    assert set(io.get_untrusted_types(data=data)) <= set(trusted)
    again = io.loads(data, trusted=trusted)
    assert np.array_equal(answers(again, X), answers(fitted, X))
    assert again.get_params() == fitted.get_params()
    assert np.array_equal(answers(pickle.loads(pickle.dumps(fitted)), X), answers(fitted, X))


@every_family
@pytest.mark.parametrize(("counts", "n_columns"), [((5, 5, 5), 200), ((150, 150, 150), 2)], ids=["wide", "tall"])
def test_wide_and_tall_tables(name: str, counts: tuple[int, ...], n_columns: int) -> None:
    y = labels_of(*counts)
    X = rows_for(name, y, n_columns)
    quick = {"n_epochs": 2} if "n_epochs" in get_model(name).params() else {}
    fitted = build(name, **quick).fit(X, y)
    assert answers(fitted, X).shape == (len(y), 3)
    assert np.isfinite(answers(fitted, X)).all()


@every_family
def test_imbalance_and_class_weights(name: str) -> None:
    y = labels_of(80, 10, 4)
    X = rows_for(name, y, n_columns=2)
    weighted = "class_weight" in get_model(name).params()
    plain = build(name).fit(X, y)
    assert list(plain.classes_) == CLASSES
    if not weighted:
        return
    balanced = build(name, class_weight="balanced").fit(X, y)
    by_hand = build(name, class_weight={"anger": 94 / 240, "neutral": 94 / 30, "sadness": 94 / 12}).fit(X, y)
    np.testing.assert_allclose(answers(balanced, X), answers(by_hand, X), atol=1e-6)
    assert not np.allclose(answers(balanced, X), answers(plain, X))
    if hasattr(plain, "predict_proba"):
        assert answers(balanced, X)[:, 2].mean() > answers(plain, X)[:, 2].mean()


@every_family
def test_a_class_that_one_group_alone_holds(name: str) -> None:
    """However rows are held out for early stopping, no class is lost, and none has to be there."""
    y = labels_of(30, 30, 6)
    groups = np.where(y == "sadness", "s0", np.array([f"s{1 + i % 3}" for i in range(len(y))]))
    X = rows_for(name, y, groups=groups)
    fitted = build(name).fit(X, y)
    assert list(fitted.classes_) == CLASSES
    assert np.isfinite(answers(fitted, X)).all()
    if get_model(name).reads_group:
        assert "valid_loss" in fitted.history_[0]


@every_family
def test_two_classes(name: str) -> None:
    y = labels_of(25, 25)
    X = rows_for(name, y)
    fitted = build(name).fit(X, y)
    if hasattr(fitted, "predict_proba"):
        assert fitted.predict_proba(X).shape == (50, 2)
        np.testing.assert_allclose(fitted.predict_proba(X).sum(axis=1), 1.0, atol=1e-6)
    if name != "dummy":
        assert (fitted.predict(X) == y).mean() > 0.8


@every_family
def test_fit_leaves_its_input_alone(name: str) -> None:
    y = labels_of(20, 20, 20)
    X = rows_for(name, y)
    before = pickle.dumps((X, y))
    build(name).fit(X, y).predict(X)
    now = pickle.loads(before)
    assert np.array_equal(now[1], y)
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_frame_equal(X, now[0])
    else:
        assert np.array_equal(X, now[0])


#: Parameters whose values may be anything.
ANYTHING = {("dummy", "constant")}


def built_and_tried(name: str, params: dict[str, Any]) -> None:
    build_model(name, params)
    try_out(name, params, ["angry", "happy", "sad"])


@pytest.mark.parametrize("name", model_names())
def test_nonsense_for_any_parameter_is_refused_before_a_fit(name: str) -> None:
    for parameter in get_model(name).params():
        if (name, parameter) in ANYTHING:
            continue
        for value in ("abc", [[1]], {"angri": 1.0}, float("nan")):
            # A family that cannot do without another parameter may ask for that one first.
            needed = {"encoder": "openai/whisper-base"} if name == "tail" and parameter != "encoder" else {}
            given = {**needed, parameter: value}
            with pytest.raises(InputError) as refused:
                built_and_tried(name, given)
            assert parameter in str(refused.value)
            assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("random_forest", "max_depth"), ("extra_trees", "n_estimators"), ("gradient_boosting", "learning_rate"),
        ("xgboost", "n_estimators"), ("lightgbm", "num_leaves"), ("svm", "C"), ("logreg", "C"), ("svm", "tol"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_are_no_numbers(name: str, parameter: str, value: bool) -> None:
    with pytest.raises(InputError, match=f"{parameter} = {str(value).lower()}; expected a number"):
        try_out(name, {parameter: value}, ["angry", "happy", "sad"])


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("svm", {"shrinking": False}), ("logreg", {"fit_intercept": False}), ("random_forest", {"bootstrap": True}),
        ("random_forest", {"bootstrap": False}), ("extra_trees", {"max_features": None}),
    ],
)  # fmt: skip
def test_true_and_false_where_they_belong(name: str, params: dict[str, object]) -> None:
    try_out(name, params, ["angry", "happy", "sad"])
