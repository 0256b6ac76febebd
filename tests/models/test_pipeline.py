"""Every family stands in a pipeline on a table, is saved without unknown types, and answers the same afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest, f_classif

from ser_experiments.errors import InputError
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.models.pipeline import build_model, build_pipeline
from ser_experiments.models.selection import SelectColumns
from ser_experiments.models.spec import get_model, model_names

FAST: dict[str, dict[str, object]] = {
    "random_forest": {"n_estimators": 10},
    "extra_trees": {"n_estimators": 10},
    "gradient_boosting": {"n_estimators": 5},
    "xgboost": {"n_estimators": 5},
    "lightgbm": {"n_estimators": 5},
    "mlp": {"n_epochs": 3},
}
ROWS = [name for name in model_names() if get_model(name).layout == "row"]


@pytest.fixture
def table() -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(1)
    y = rng.choice(["angry", "happy", "sad"], 90)
    X = pd.DataFrame(rng.normal(size=(90, 12)).astype(np.float32) + (y == "sad")[:, None])
    X.columns = [f"c{i}" for i in range(12)]
    X["group"] = [f"s{i % 6}" for i in range(90)]
    X.iloc[0, 0] = np.nan
    return X, y


def test_there_are_families() -> None:
    assert {"dummy", "svm", "random_forest", "xgboost", "lightgbm"} <= set(ROWS)


@pytest.mark.parametrize("calibrate", ["none", "temperature"])
@pytest.mark.parametrize("name", ROWS)
def test_saved_and_read_again(
    name: str, calibrate: str, table: tuple[pd.DataFrame, np.ndarray], tmp_path: Path
) -> None:
    X, y = table
    fitted = build_pipeline(name, FAST.get(name), scale="quantile", select=8, calibrate=calibrate).fit(X, y)
    save_estimator(fitted, tmp_path / "m.skops")
    again = load_estimator(tmp_path / "m.skops")
    method = "predict_proba" if hasattr(fitted, "predict_proba") else "decision_function"
    assert np.array_equal(getattr(again, method)(X), getattr(fitted, method)(X))
    assert list(again.classes_) == ["angry", "happy", "sad"]


@pytest.mark.parametrize("scale", ["standard", "robust", "quantile", "none"])
def test_scaling_is_learned_from_training_rows_alone(scale: str, table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    fitted = build_pipeline("logreg", scale=scale).fit(X.iloc[:60], y[:60])
    alone = fitted.predict_proba(X.iloc[60:61])
    shifted = X.iloc[60:].copy()
    shifted.iloc[1:, :12] += 100
    assert np.allclose(fitted.predict_proba(shifted)[0], alone[0], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model": "xgbost"}, "unknown model 'xgbost'; did you mean 'xgboost'"),
        ({"model": "svm", "params": {"gama": 1}}, "unknown 'gama' for 'svm'; did you mean 'gamma'"),
        ({"model": "svm", "scale": "standart"}, "scale is 'standart'; did you mean 'standard'"),
        ({"model": "svm", "calibrate": "yes"}, "calibrate is 'yes'"),
        ({"model": "svm", "clip": 0}, "clip must be a number of standard deviations above 0, got 0"),
        ({"model": "svm", "clip": True}, "clip must be a number of standard deviations above 0, got True"),
        ({"model": "svm", "clip": 3, "scale": "none"}, "clip is for functionals that are scaled"),
        ({"model": "lstm", "clip": 3}, "clip is for functionals that are scaled"),
    ],
)
def test_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_pipeline(**arguments)  # type: ignore[arg-type]


def test_what_lies_far_outside_of_the_training_counts_as_its_edge(table: tuple[pd.DataFrame, np.ndarray]) -> None:
    X, y = table
    fitted = build_pipeline("svm", {"kernel": "linear"}, clip=2.0).fit(X, y)
    column = X.columns[0]
    far, farther = (X.assign(**{column: X[column].mean() + n * X[column].std()}) for n in (10, 1e6))
    np.testing.assert_array_equal(fitted.decision_function(far), fitted.decision_function(farther))
    scaled = fitted[:-1].transform(X)
    assert np.abs(scaled).max() == 2.0
    plain = build_pipeline("svm", {"kernel": "linear"}).fit(X, y)[:-1].transform(X)
    np.testing.assert_array_equal(scaled, plain.clip(-2.0, 2.0))


def test_seed_reaches_the_model() -> None:
    assert build_model("random_forest", random_state=7).random_state == 7


def test_a_file_with_foreign_types_is_not_loaded(tmp_path: Path) -> None:
    from sklearn.preprocessing import FunctionTransformer
    from skops import io

    io.dump(FunctionTransformer(Path.unlink), tmp_path / "m.skops")
    with pytest.raises(InputError, match="does not trust"):
        load_estimator(tmp_path / "m.skops")


def test_a_type_that_is_not_in_the_lists_is_not_saved(tmp_path: Path) -> None:
    from sklearn.preprocessing import FunctionTransformer

    with pytest.raises(InputError, match="trusted_types"):
        save_estimator(FunctionTransformer(Path.unlink), tmp_path / "m.skops")  # type: ignore[arg-type]
    assert not (tmp_path / "m.skops").exists()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gaps_are_filled_as_scikit_learn_fills_them(dtype: type) -> None:
    from sklearn.impute import SimpleImputer

    from ser_experiments.models.missing import FillMissing

    rng = np.random.default_rng(0)
    values = rng.standard_normal((31, 200)).astype(dtype)
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:, 7] = np.nan
    values[:, 64:128] = np.nan_to_num(values[:, 64:128])
    ours, theirs = FillMissing().fit(values), SimpleImputer(strategy="median", keep_empty_features=True).fit(values)
    np.testing.assert_allclose(ours.transform(values), theirs.transform(values), rtol=1e-6)
    whole = np.nan_to_num(values)
    assert ours.transform(whole) is whole
    assert np.isnan(values).sum() > 0, "what was handed in stays as it is"
    gap = whole[:1].copy()
    gap[0, 3] = np.nan
    np.testing.assert_allclose(ours.transform(gap), theirs.transform(gap), rtol=1e-6)


def test_checks_of_scikit_learn_for_what_fills_gaps() -> None:
    from sklearn.utils.estimator_checks import check_estimator

    from ser_experiments.models.missing import FillMissing

    check_estimator(FillMissing())


def test_selection_is_scikit_learns_and_says_nothing_of_constant_columns(recwarn: pytest.WarningsRecorder) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(["angry", "sad"], 30)
    X = rng.standard_normal((60, 12)) + (np.arange(12) % 4 == 0) * (y == "sad")[:, None]
    X[:, 5] = 3.0
    chosen = SelectColumns(k=4).fit(X, y)
    assert not recwarn.list
    kept = SelectKBest(f_classif, k=4).fit(np.delete(X, 5, axis=1), y).get_support(indices=True)
    np.testing.assert_array_equal(chosen.get_support(indices=True), kept + (kept >= 5))
    recwarn.clear()
    assert clone(chosen).set_params(k=100).fit_transform(X, y).shape == X.shape
    assert not recwarn.list
