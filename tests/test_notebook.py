"""The package in a notebook: its tables and estimators in scikit-learn's own tools, with groups beside the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict, cross_val_score

from ser_experiments import build_estimator, feature_table, load_corpus, load_experiment
from ser_experiments.errors import InputError
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.run import prepare
from ser_experiments.features import read_table, write_table
from ser_experiments.project import Project
from tests.corpora.trees import manifest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory):
    return load_corpus("manifest", manifest.build(tmp_path_factory.mktemp("corpus")), "4class")


@pytest.fixture(scope="module")
def table(corpus, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return feature_table(["mfcc", "lld"], corpus.utterances, cache=tmp_path_factory.mktemp("cache"), jobs=1)


def test_a_table_in_hand_holds_numbers_and_nothing_of_the_speaker(corpus, table: pd.DataFrame, tmp_path: Path) -> None:
    assert (table.dtypes == np.float32).all()
    assert "group" not in table
    assert "speaker" not in table
    write_table(table, tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet", corpus.utterances)
    assert list(read.columns) == list(table.columns)
    forest = RandomForestClassifier(n_estimators=5, random_state=0).fit(table, corpus.utterances["label"])
    assert list(forest.feature_names_in_) == list(table.columns)


def test_no_table_that_a_run_hands_back_knows_the_speaker(corpus, project_folder: Path) -> None:
    """A text column of names such as 03 is a number to scikit-learn, which learned it without a word."""
    prepared = prepare(
        RunRequest(experiment="logreg_lld", corpus="manifest", root=corpus.root, labels="4class", jobs=1),
        Project(project_folder, {}),
    )
    for table in (prepared.table, prepared.recorded):
        assert (table.dtypes == np.float32).all()
        forest = RandomForestClassifier(n_estimators=2, random_state=0).fit(table, prepared.rows.truth)
        assert not {"group", "speaker"} & set(forest.feature_names_in_)
    assert prepared.rows.table["group"].tolist() == prepared.utterances["speaker"].tolist()


def test_groups_travel_as_scikit_learn_has_them(corpus, table: pd.DataFrame) -> None:
    groups = corpus.utterances["speaker"]
    scores = cross_val_score(
        RandomForestClassifier(n_estimators=5, random_state=0), table, corpus.utterances["label"],
        groups=groups, cv=LeaveOneGroupOut(),
    )  # fmt: skip
    assert len(scores) == groups.nunique() == 4


@pytest.mark.slow
@pytest.mark.parametrize("name", ["svm_lld", "stack_small", "average_small", "rf_lld"])
def test_an_experiment_of_ours_is_fitted_on_it(name: str, corpus, table: pd.DataFrame, tmp_path: Path) -> None:
    """With groups beside the table as with the column that our own runs have: inner folds are the same."""
    (tmp_path / "stack_small.toml").write_text('members = ["svm_lld", "rf_lld"]\n[model]\ntype = "stack"\n')
    (tmp_path / "average_small.toml").write_text('members = ["svm_lld", "rf_lld"]\n[model]\ntype = "average"\n')
    for one in ("svm_lld", "rf_lld"):
        (tmp_path / f"{one}.toml").write_text((EXPERIMENTS / f"{one}.toml").read_text())
    small = [] if "small" in name or name == "svm_lld" else ["model.n_estimators=5"]
    estimator = build_estimator(load_experiment(name, tmp_path, small))
    y, groups = corpus.utterances["label"].to_numpy(dtype=str), corpus.utterances["speaker"]
    ours = estimator.fit(table.assign(group=groups), y).predict_proba(table)
    np.testing.assert_array_equal(estimator.fit(table, y, groups=groups).predict_proba(table), ours)
    np.testing.assert_array_equal(estimator.fit(table, y, groups=groups.to_numpy()).predict_proba(table), ours)
    how = {"groups": groups, "cv": LeaveOneGroupOut(), "method": "predict_proba"}
    plain = cross_val_predict(estimator, table, y, params={"groups": groups}, **how)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = estimator.set_fit_request(groups=True)
        found = cross_val_predict(
            routed, table, y, cv=LeaveOneGroupOut(), method="predict_proba", params={"groups": groups}
        )
    np.testing.assert_array_equal(found, plain)


def test_what_needs_groups_asks_for_them(
    corpus, table: pd.DataFrame, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    labels = corpus.utterances["label"]
    build_estimator(load_experiment("svm_lld", EXPERIMENTS)).fit(table, labels)
    assert "temperature stays 1" in caplog.text
    assert "say fit(X, y, groups=...)" in caplog.text
    (tmp_path / "one.toml").write_text((EXPERIMENTS / "svm_lld.toml").read_text())
    (tmp_path / "stack.toml").write_text('members = ["one"]\n[model]\ntype = "stack"\n')
    stack = build_estimator(load_experiment("stack", tmp_path))
    with pytest.raises(InputError, match=r"say fit\(X, y, groups=\.\.\.\)"):
        stack.fit(table, labels)
    with pytest.raises(InputError, match=r"groups of shape \(1,\) for 40 rows"):
        stack.fit(table, labels, groups=["a"])
