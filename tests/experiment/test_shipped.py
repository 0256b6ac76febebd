"""Every shipped experiment runs from recordings to a score, at small settings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import load_experiment, run_experiment
from ser_experiments.experiment import experiment_names
from tests.iemocap_tree import add_dialog, small_tree

SHIPPED = Path(__file__).parents[2] / "experiments"
CODES = ["neu", "hap", "ang", "sad"]


@pytest.mark.slow
@pytest.mark.parametrize("name", experiment_names(SHIPPED))
def test_runs_on_a_small_tree(name: str, tmp_path: Path, project_folder: Path) -> None:
    tree = small_tree(tmp_path / "IEMOCAP_full_release")
    dialog = "Ses02F_impro01"  # inner folds need two sessions beside the one that is left out
    add_dialog(tree, 2, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES)})
    definition = load_experiment(name).definition
    small: dict[str, object] = {}
    if definition.model.type in {"mlp", "lstm", "cnn", "resnet18", "resnet34"}:
        small["model.n_epochs"] = 2
    if definition.search is not None:
        small["search.trials"] = 2
    table = None
    if not definition.features.sets and not definition.members:
        plain = run_experiment("dummy", corpus="iemocap", root=tree, log_run=False)
        values = np.random.default_rng(0).normal(size=(len(plain.predictions), 6))
        table = tmp_path / "table.csv"
        pd.DataFrame(values, index=plain.predictions.index, columns=list("abcdef")).to_csv(table)
    result = run_experiment(name, corpus="iemocap", root=tree, overrides=small, table=table, log_run=False)
    chances = result.predictions.filter(like="p_")
    assert len(result.predictions) == 48
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    assert 0 <= result.metrics["uar_ci_low"] <= result.metrics["uar"] <= result.metrics["uar_ci_high"] <= 1
