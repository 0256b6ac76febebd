"""Definitions: read once, frozen, with unknown keys refused by the nearest name."""

from __future__ import annotations

import contextlib
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ser_experiments.errors import InputError
from ser_experiments.experiment import build_estimator, experiment_names, load_experiment
from ser_experiments.experiment.definition import Experiment
from ser_experiments.experiment.sections import Definition, parse_definition
from ser_experiments.experiment.suited import check_task
from ser_experiments.tasks.classes import Classes

SHIPPED = Path(__file__).parents[2] / "experiments"
GOOD = 'description = "x"\n[features]\nsets = ["lld"]\n[model]\ntype = "xgboost"\nmax_depth = 3\n'


def write(folder: Path, text: str) -> Path:
    (folder / "mine.toml").write_text(text)
    return folder


@pytest.mark.parametrize("name", experiment_names(SHIPPED))
def test_every_shipped_definition_can_be_built(name: str) -> None:
    experiment = load_experiment(name, SHIPPED)
    assert experiment.definition.description
    definition = experiment.definition
    alone = bool(definition.features.sets or definition.members)
    assert hasattr(build_estimator(experiment, from_table=not alone), "fit")


def test_there_are_shipped_definitions() -> None:
    assert {"dummy", "svm_lld", "rf_lld", "xgb_lld", "lgbm_lld"} <= set(experiment_names(SHIPPED))


def test_read_and_frozen(tmp_path: Path) -> None:
    experiment = load_experiment("mine", write(tmp_path, GOOD))
    assert experiment.definition.features.sets == ("lld",)
    assert experiment.definition.model.params == {"max_depth": 3}
    assert experiment.text == GOOD
    with pytest.raises(ValidationError):
        experiment.definition.description = "y"  # type: ignore[misc]


def test_overrides_are_read_as_toml_and_kept_in_the_text(tmp_path: Path) -> None:
    folder = write(tmp_path, GOOD)
    experiment = load_experiment("mine", folder, ["model.max_depth=7", "pipeline.scale=robust"])
    assert experiment.definition.model.params == {"max_depth": 7}
    assert experiment.definition.pipeline.scale == "robust"
    assert "--set model.max_depth=7" in experiment.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            GOOD.replace("max_depth", "max_dept"),
            "mine.toml: model: unknown 'max_dept' for 'xgboost'; did you mean 'max_depth'",
        ),
        (GOOD.replace("xgboost", "xgbost"), "mine.toml: model: unknown type 'xgbost'; did you mean 'xgboost'"),
        (GOOD.replace("[features]", "[feature]"), "unknown key 'feature'; did you mean 'features'"),
        (GOOD.replace("sets", "set"), "features: unknown key 'set'; did you mean 'sets'"),
        (GOOD.replace('"lld"', '"ldl"'), "features: unknown feature set 'ldl'; did you mean 'lld'"),
        (GOOD.replace('"lld"', '"lld/nothing"'), "features: feature set 'lld': unknown output 'nothing'"),
        (GOOD.replace('"lld"', '"lld@nois"'), "features: unknown view 'nois'; did you mean 'noise'"),
        (
            GOOD + "[features.params.mfcc]\nn_mfc = 3\n",
            "features: feature set 'mfcc': unknown parameter 'n_mfc'; did you mean 'n_mfcc'",
        ),
        (GOOD.replace('["lld"]', '"lld"'), "features.sets"),
        (GOOD.replace('["lld"]', "[1]"), "features.sets"),
        (GOOD.replace('type = "xgboost"', ""), "model: 'type' is missing"),
        (GOOD + "[pipeline]\nscale = 'standart'\n", "pipeline.scale"),
        (GOOD + "[pipeline]\nselect = 0\n", "pipeline.select"),
        (GOOD.replace('["lld"]', "[]"), "features: no sets"),
        ("= 3", "not TOML"),
        ("", "'model' is missing"),
    ],
)
def test_refused_with_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match="mine.toml") as caught:
        build_estimator(load_experiment("mine", write(tmp_path, text)))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value).split("not TOML")[0]


@pytest.mark.parametrize(
    ("name", "message"),
    [("xgb_ldd", "unknown experiment 'xgb_ldd'; did you mean 'xgb_lld'"), ("../x", "unknown experiment '../x'")],
)
def test_unknown_experiment(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_experiment(name, SHIPPED)


@pytest.mark.parametrize("change", ["model", "=3", "model.type.x=3"])
def test_wrong_overrides(tmp_path: Path, change: str) -> None:
    with pytest.raises(InputError, match="--set"):
        load_experiment("mine", write(tmp_path, GOOD), [change])


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["description", "features", "pipeline", "model", "x"]),
        _values
        | st.dictionaries(st.sampled_from(["sets", "params", "scale", "select", "type", "C"]), _values, max_size=4),
        max_size=5,
    )
)
def test_no_definition_leads_to_a_traceback(raw: dict[str, object]) -> None:
    with contextlib.suppress(InputError):
        assert isinstance(parse_definition(raw, "some.toml"), Definition)


FITTED = {
    "dummy": {"strategy": ["prior", "stratified"]},
    "logreg": {"C": [0.1, 1.0], "class_weight": ["balanced"]},
    "svm": {"C": [0.1, 1], "kernel": ["linear", "rbf"], "class_weight": ["balanced", {"angry": 2.0, "sad": 1.0}]},
    "random_forest": {"n_estimators": [3], "max_depth": [2]},
    "extra_trees": {"n_estimators": [3]},
    "gradient_boosting": {"n_estimators": [2], "subsample": [0.9]},
    "xgboost": {"n_estimators": [2], "max_depth": [1]},
    "lightgbm": {"n_estimators": [2], "num_leaves": [3]},
    "mlp": {"n_epochs": [2], "hidden": [[4]]},
}


@st.composite
def _definitions(draw: st.DrawFn) -> dict[str, object]:
    """Draw a definition of words that exist; values are good ones, and now and then anything."""
    model = draw(st.sampled_from(sorted(FITTED)))
    good = {key: st.sampled_from(values) for key, values in FITTED[model].items()}  # type: ignore[attr-defined]
    params = draw(st.fixed_dictionaries(good))
    if draw(st.integers(0, 3)) == 0:
        params[draw(st.sampled_from([*good, "random_state", "class_weight"]))] = draw(_values)
    pipeline = st.fixed_dictionaries(
        {},
        optional={
            "scale": st.sampled_from(["none", "standard", "robust", "quantile"]),
            "select": st.integers(1, 200),
            "calibrate": st.sampled_from(["none", "temperature"]),
            "balance": st.booleans(),
            "clip": st.floats(0.1, 20),
        },
    )
    raw: dict[str, object] = {"model": {"type": model, **params}, "pipeline": draw(pipeline)}
    if draw(st.booleans()):
        spaces = {f"model.{key}": values for key, values in FITTED[model].items()} | {"pipeline.select": [1, 5]}  # type: ignore[attr-defined]
        if draw(st.integers(0, 3)) == 0:
            spaces[draw(st.sampled_from([*spaces, "pipeline.scale", "pipeline.balance"]))] = draw(_values)
        raw["search"] = {"trials": 2, "folds": 2, "space": spaces}
    return raw


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(_definitions(), st.integers(0, 3))
def test_a_definition_that_is_accepted_is_fitted_and_answers(raw: dict[str, object], seed: int) -> None:
    """Nothing is found out in the middle of a run: one line before anything is measured, or probabilities."""
    rng = np.random.default_rng(seed)
    try:
        definition = parse_definition(raw, "some.toml")
        experiment = Experiment(name="some", definition=definition, text="", folder=SHIPPED)
        estimator = build_estimator(experiment, seed=seed, from_table=True)
        check_task(experiment, Classes.of(["angry", "sad"]))
    except InputError as error:
        if "\n" in str(error):
            pytest.fail(f"more than one line: {error}")
        return
    y = np.array(["angry", "sad"] * 6)
    X = pd.DataFrame(rng.normal(size=(12, 6)).astype(np.float32), columns=list("abcdef"))
    # Of four speakers each has one emotion, so that inner folds lack the other.
    X["group"] = [f"s{i % (3 + seed % 2)}" for i in range(12)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        proba = estimator.fit(X, y).predict_proba(X)
    assert proba.shape == (12, 2)
    assert np.isfinite(proba).all()


def test_what_gives_no_probabilities_is_refused_before_anything_is_measured() -> None:
    message = "model: 'svm' gives no probabilities by itself; say [pipeline] calibrate = 'temperature'"
    with pytest.raises(InputError, match=re.escape(message)):
        build_estimator(load_experiment("svm_lld", SHIPPED, ["pipeline.calibrate=none"]))
    with pytest.raises(InputError, match=re.escape(message)):
        build_estimator(load_experiment("svm_lld_views", SHIPPED, ["pipeline.calibrate=none"]))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("svm_lld", "model.C=-1", "model: The 'C' parameter of SVC must be a float in the range (0.0, inf]. Got -1"),
        ("xgb_lld", "model.subsample=3", "The 'subsample' parameter of XGBoostClassifier must be a float"),
        ("lgbm_lld", "model.num_leaves=0", "The 'num_leaves' parameter of LGBMClassifier must be an int"),
        ("mlp_mfcc", "model.lr=-1", "model: lr must be a number above 0, got -1"),
        ("svm_lld_tuned", 'search.space={"model.C" = [1.0, -1]}', "search: space: model.C = -1: model: The 'C'"),
        ("svm_lld_tuned", 'search.space={"pipeline.select" = [5, 0]}', "search: space: pipeline.select = 0: pipeline"),
        ("svm_lld_tuned", "model.gamma=few", "The 'gamma' parameter of SVC must be"),
    ],
)
def test_a_value_that_no_fit_takes_is_refused_before_anything_is_measured(name: str, change: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        build_estimator(load_experiment(name, SHIPPED, [change]))
