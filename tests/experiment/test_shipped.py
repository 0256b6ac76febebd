"""Every shipped experiment runs from recordings to a score: on a part of the demo corpus, at small settings."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import load_experiment, run_experiment
from ser_experiments.corpora._demo import build
from ser_experiments.experiment import experiment_names

SHIPPED = Path(__file__).parents[2] / "experiments"
#: Of three sessions, dialogs that hold all four classes between them.
NETWORKS = {"mlp", "lstm", "cnn", "resnet18", "resnet34", "attention", "tail"}
# Folds in folds in folds: a stack of members that search needs four sessions.
SESSIONS, DIALOGS = (1, 2, 3, 5), ("F_impro03", "F_script01_1", "F_impro04")


@pytest.fixture(scope="session")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a part of the demo corpus."""
    pytest.importorskip("espeakng_loader", reason="the demo corpus speaks with espeakng-loader")
    whole = build(tmp_path_factory.mktemp("whole"), seed=0)
    root = tmp_path_factory.mktemp("part") / "IEMOCAP_full_release"
    for session in SESSIONS:
        shutil.copytree(whole / f"Session{session}", root / f"Session{session}")
        for path in (root / f"Session{session}").rglob(f"Ses0{session}*"):
            if path.exists() and not path.name.startswith(tuple(f"Ses0{session}{dialog}" for dialog in DIALOGS)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return root


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store that all experiments share, as they do in a project."""
    return tmp_path_factory.mktemp("cache")


def shorten_networks(members: Sequence[str], folder: Path) -> None:
    """Put networks that are members beside the project, where they stand before the shipped ones, at two epochs."""
    for name in members:
        if load_experiment(name).definition.model.type in NETWORKS:
            text = re.sub(r"^n_epochs = .*\n", "", (SHIPPED / f"{name}.toml").read_text(), flags=re.MULTILINE)
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.toml").write_text(text.replace("[model]\n", "[model]\nn_epochs = 2\n"))


@pytest.mark.slow
@pytest.mark.parametrize("name", experiment_names(SHIPPED))
def test_runs_on_the_demo(
    name: str, part: Path, cache: Path, tmp_path: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_CACHE", str(cache))
    definition = load_experiment(name).definition
    small: dict[str, object] = {}
    if definition.model.type in NETWORKS:
        small["model.n_epochs"] = 2
    shorten_networks(definition.members, project_folder / "experiments")
    if definition.search is not None:
        small["search.trials"] = 2
    table = None
    if not definition.features.sets and not definition.members:
        plain = run_experiment("dummy", corpus="iemocap", root=part, log_run=False)
        values = np.random.default_rng(0).normal(size=(len(plain.predictions), 6))
        table = tmp_path / "table.csv"
        pd.DataFrame(values, index=plain.predictions.index, columns=list("abcdef")).to_csv(table)
    result = run_experiment(name, corpus="iemocap", root=part, overrides=small, table=table, log_run=False)
    chances = result.predictions.filter(like="p_")
    assert len(result.predictions) > 80
    assert set(result.predictions["label"]) == {"angry", "happy", "neutral", "sad"}
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert 0 <= result.metrics["uar_ci_low"] <= result.metrics["uar"] <= result.metrics["uar_ci_high"] <= 1
