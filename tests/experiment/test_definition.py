"""Definitions: read once, frozen, with unknown keys refused by the nearest name."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ser_experiments.errors import InputError
from ser_experiments.experiment import build_estimator, experiment_names, load_experiment
from ser_experiments.experiment.definition import Definition, parse_definition

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


def test_no_folder_of_experiments(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run from the project's folder"):
        load_experiment("xgb_lld", tmp_path / "experiments")


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
