"""Layers of an encoder are chosen inside the training folds, among what is measured in one pass."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments.errors import InputError
from ser_experiments.evaluation.plots import plot_choices
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.experiment import run_experiment
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.experiment.estimator import build_estimator, features_of
from ser_experiments.features.extractor import get_extractor, get_extractors
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.search_space import fixed, flat_space, grid
from tests.checkpoints import N_LAYERS, WIDTH

SEARCHED = """
[features]
sets = ["encoder"]
[model]
type = "logreg"
C = 0.01
[search]
trials = {trials}
folds = 2
[search.space.features.encoder]
layers = {layers}
"""


def define(name: str, layers: str, trials: int = 20, more: str = "") -> None:
    Path("experiments", f"{name}.toml").write_text(SEARCHED.format(layers=layers, trials=trials) + more)


def planted(*informative: int, n_rows: int = 120) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a table of all layers in which some tell the class and the others are noise."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["anger", "joy", "sadness"], n_rows // 3))
    parts = []
    for layer, one in enumerate(get_extractors("encoder", layers="all")):
        values = rng.standard_normal((n_rows, len(one.columns)))
        if layer in informative:
            values += 1.5 * np.searchsorted(["anger", "joy", "sadness"], y)[:, None]
        parts.append(pd.DataFrame(values.astype(np.float32), columns=one.column_names))
    table = pd.concat(parts, axis=1)
    table["group"] = [f"s{i % 6}" for i in range(n_rows)]
    return table, y


def noises(folder: Path) -> Path:
    """Write a corpus of noise, two classes of different colour by four speakers, and return its manifest."""
    rng = np.random.default_rng(0)
    lines = ["path,label,speaker"]
    for speaker, label, take in product("abcd", ("calm", "angry"), range(3)):
        noise = rng.standard_normal(8_000)
        colour = noise if label == "angry" else np.cumsum(noise) / 30
        soundfile.write(folder / f"{speaker}{label}{take}.wav", 0.1 * colour / np.abs(colour).max(), 16_000)
        lines.append(f"{speaker}{label}{take}.wav,{label},{speaker}")
    (folder / "metadata.csv").write_text("\n".join(lines))
    return folder / "metadata.csv"


@pytest.mark.parametrize("layer", range(N_LAYERS + 1))
def test_the_layer_that_tells_is_chosen(project_folder: Path, layer: int) -> None:
    define("layers", '"each"')
    table, y = planted(layer)
    fitted = build_estimator(load_experiment("layers")).fit(table, y)
    report = fitted.fit_report_.search
    assert report is not None
    assert report.best_params == {"features.encoder.layers": layer}
    # Every layer had one trial, and no more.
    assert sorted(trial["params"]["features.encoder.layers"] for trial in report.trials) == list(range(N_LAYERS + 1))
    assert (fitted.predict(table) == y).mean() > 0.9


def test_layers_side_by_side_are_a_choice_as_well(project_folder: Path) -> None:
    define("layers", '[0, [1, 2], "all"]', more="[search.space.model]\nC = [0.001, 0.01]\n")
    table, y = planted(1, 2)
    report = build_estimator(load_experiment("layers")).fit(table, y).fit_report_.search
    assert report is not None
    assert len(report.trials) == 6
    assert report.best_params["features.encoder.layers"] in ([1, 2], "all")


def test_a_table_holds_what_any_choice_takes_and_no_more(project_folder: Path) -> None:
    define("layers", "[0, [2, 3]]")
    experiment = load_experiment("layers")
    # Those of the definition itself, the middle, are 1 and 2.
    assert sorted(features_of(experiment)) == [f"encoder/layer_{k}" for k in range(N_LAYERS + 1)]
    define("layers", "[1, [1, 2]]")
    assert sorted(features_of(load_experiment("layers"))) == ["encoder/layer_1", "encoder/layer_2"]


def test_layers_and_functionals_are_chosen_together(project_folder: Path) -> None:
    define("layers", "[1, 2]", more='functionals = ["moments", "percentiles"]\n')
    experiment = load_experiment("layers")
    outputs = [get_extractor(name, **params) for name, params in features_of(experiment).items()]
    assert sorted(one.name for one in outputs) == [
        f"encoder/{kind}_{layer}" for kind in ("layer", "percentiles") for layer in (1, 2)
    ]
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["anger", "joy", "sadness"], 40))
    table = pd.concat(
        [pd.DataFrame(rng.standard_normal((120, len(one.columns))), columns=one.column_names) for one in outputs],
        axis=1,
    )
    table.loc[:, [name for name in table if name.startswith("encoder_l02") and name.endswith("p90")]] += (  # type: ignore[attr-defined]
        1.5 * np.searchsorted(["anger", "joy", "sadness"], y)[:, None]
    )
    table["group"] = [f"s{i % 6}" for i in range(120)]
    report = build_estimator(experiment).fit(table, y).fit_report_.search
    assert report is not None
    assert len(report.trials) == 4
    assert report.best_params == {"features.encoder.layers": 2, "features.encoder.functionals": "percentiles"}


def test_a_fit_depends_on_the_layers_that_may_be_chosen_and_on_no_others(project_folder: Path) -> None:
    define("layers", "[1, [1, 2]]")
    estimator = build_estimator(load_experiment("layers"))
    table, y = planted(1)
    key = fit_key(estimator, table, y)
    other = table.copy()
    other["encoder_l03_0000__mean"] += 1
    assert fit_key(estimator, other, y) == key
    other["encoder_l02_0000__mean"] += 1
    assert fit_key(estimator, other, y) != key


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ("[1, 99]", "search: space: features.encoder.layers = 99: feature set 'encoder': no layer 99"),
        ("[[]]", "expected choices"),
        ("{ low = 1, high = 3 }", "features.encoder.layers"),
        ('"eech"', "expected choices"),
        ("[[[1]]]", "expected choices"),
    ],
)
def test_choices_that_are_none(project_folder: Path, layers: str, words: str) -> None:
    define("layers", layers)
    with pytest.raises(InputError, match=words.replace("[", r"\[")) as told:
        build_estimator(load_experiment("layers"))
    assert "\n" not in str(told.value)


def test_what_changes_numbers_is_not_searched(project_folder: Path) -> None:
    define("layers", "[1]")
    path = Path("experiments", "layers.toml")
    path.write_text(path.read_text().replace("layers = [1]", "silence_s = [0.0, 2.0]"))
    with pytest.raises(InputError, match="features has no 'encoder.silence_s'; did you mean 'encoder.layers'"):
        build_estimator(load_experiment("layers"))


def test_spaces() -> None:
    allowed = {"model": ["C"], "features": ["encoder.layers"]}
    raw: dict[str, Any] = {"model": {"C": [1, 2]}, "features": {"encoder": {"layers": [0, [1, 2]]}}}
    space = dict(flat_space(raw, allowed))
    assert space == {"model.C": [1, 2], "features.encoder.layers": [0, [1, 2]]}
    every = grid(space, 4)
    assert every is not None
    assert len(every) == 4
    assert every[1] == {"model.C": 1, "features.encoder.layers": [1, 2]}
    assert fixed(space, every[1]) == {"model.C": 1, "features.encoder.layers": "[1, 2]"}
    assert grid(space, 3) is None
    assert grid({"model.C": {"low": 1, "high": 2}}, 100) is None


def test_the_picture_shows_every_choice() -> None:
    trials = [{"params": {"features.encoder.layers": k}, "uar": 0.5 + 0.1 * k} for k in range(3)]
    chosen = [{"features.encoder.layers": 2}, {"features.encoder.layers": 1}, {"features.encoder.layers": 2}]
    figure = plot_choices([(trials, one) for one in chosen], "features.encoder.layers", "probe", get_score("uar"))
    (axis,) = figure.axes
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["0", "1", "2"]
    assert [text.get_text() for text in axis.texts] == ["1x", "2x"]
    np.testing.assert_allclose(axis.lines[0].get_ydata(), [0.5, 0.6, 0.7])
    assert axis.get_xlabel() == "layers"
    assert axis.get_ylabel() == "UAR on inner folds"


@pytest.mark.slow
def test_a_run_says_and_draws_what_was_chosen(
    tmp_path: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    define("layers", "[1, 2]")
    result = run_experiment("layers", corpus="manifest", root=noises(tmp_path))
    (drawn,) = Path("mlruns").rglob("choices.png")
    assert drawn.stat().st_size > 5_000
    (fits,) = Path("mlruns").rglob("fits.json")
    told = json.loads(fits.read_text())
    assert set(told) == set(result.folds.index)
    assert all(one["best_params"]["features.encoder.layers"] in (1, 2) for one in told.values())


def test_members_of_an_ensemble_share_what_they_choose_from(project_folder: Path) -> None:
    define("one", "[1]")
    define("two", "[[2, 3]]")
    Path("experiments", "both.toml").write_text('members = ["one", "two"]\n[model]\ntype = "average"\n')
    assert sorted(features_of(load_experiment("both"))) == ["encoder/layer_1", "encoder/layer_2", "encoder/layer_3"]
    changed = load_experiment("both", overrides={"members.features.params.encoder.silence_s": 1.0})
    assert {params["silence_s"] for params in features_of(changed).values()} == {1.0}
    assert "silence_s=1.0" in changed.changes
    with pytest.raises(InputError, match="one has no members; leave out 'members.'"):
        load_experiment("one", overrides={"members.model.C": 1.0})
    path = Path("experiments", "two.toml")
    path.write_text(
        path.read_text().replace('sets = ["encoder"]', 'sets = ["encoder"]\nparams = {encoder = {silence_s = 2.0}}')
    )
    with pytest.raises(InputError, match="members want 'encoder/layer_[123]' with different parameters"):
        features_of(load_experiment("both"))


def test_a_change_concerns_the_members_that_take_the_set(project_folder: Path) -> None:
    define("one", "[1]")
    Path("experiments", "both.toml").write_text('members = ["one", "svm_lld"]\n[model]\ntype = "average"\n')
    changed = load_experiment("both", overrides={"members.features.params.encoder.silence_s": 1.0})
    assert features_of(changed)["lld"] == {}
    assert len(get_extractors("encoder", layers=[1])[0].columns) == 2 * WIDTH
