"""What a run leaves, read from the value that describes it: no store is needed, and none is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from ser_experiments import plugins, project, run_experiment
from ser_experiments.corpora import get_corpus
from ser_experiments.experiment.record import ALL_ROWS, describe
from ser_experiments.experiment.result import Result
from ser_experiments.experiment.words import tags, warnings_for
from ser_experiments.models.report import FitReport, SearchReport
from ser_experiments.serving import AudioModel
from ser_experiments.tracking import RunRecord
from ser_experiments.tracking.environment import environment, git_state
from tests.command import ser
from tests.iemocap_tree import small_tree

HERE = {"packages": {"numpy": "2.0"}, "git.commit": "c", "git.dirty": "false", "python": "3"}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    root = small_tree(tmp_path_factory.mktemp("tree") / "IEMOCAP_full_release")
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiments").mkdir()
    (folder / "experiments" / "mine.toml").write_text(
        '[features]\nsets = ["mfcc"]\n[model]\ntype = "logreg"\nC = 0.1\n'
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SER_CACHE", raising=False)
        patch.chdir(folder)
        return run_experiment("mine", project=project.find(), corpus="iemocap", root=root, log_run=False)


@pytest.fixture(scope="module")
def record(result: Result) -> RunRecord:
    prepared = result.prepared
    fitted = clone(prepared.estimator).fit(prepared.rows.table, prepared.rows.truth)
    return describe(result, fitted, HERE)


def test_numbers_words_and_files(result: Result, record: RunRecord) -> None:
    assert record.params["model.C"] == 0.1
    assert record.metrics["uar"] == result.metrics["uar"]
    assert record.metrics["n_utterances"] == len(result.predictions)
    steps = [(one.step, one.value) for one in record.stepped if one.name == "fold_uar"]
    assert steps == list(enumerate(result.folds["fold_uar"], start=1))
    assert record.tags["ser.rows"] == result.prepared.setting.rows
    assert record.tags["ser.card"] == result.prepared.selection.card.digest
    assert (record.tags["git.commit"], record.tags["version.numpy"]) == ("c", "2.0")
    assert "leave-one-session-out" in record.note
    assert set(record.tables) == {"predictions.csv", "folds.csv", "abstention.csv"}
    assert json.loads(record.texts["environment.json"]) == HERE
    assert json.loads(record.texts["result.json"])["interval_unit"] == "session"
    assert record.children == []


def test_the_model_answers_and_says_where_it_is_from(result: Result, record: RunRecord) -> None:
    model = record.model
    assert isinstance(model, AudioModel)
    assert model.meta["setting"] == result.prepared.setting.name
    assert model.meta["uar"] == result.metrics["uar"]
    assert model.task == result.prepared.task
    (answer,) = model.predict([result.prepared.utterances["path"].iloc[0]])
    assert answer["error"] == ""


def test_pictures_are_drawn_when_they_are_asked_for(record: RunRecord) -> None:
    assert "plots/confusion_matrix.png" in record.pictures
    assert record.pictures["plots/learning_curves.png"]() is None
    assert isinstance(record.pictures["surely_wrong.csv"](), pd.DataFrame)


def test_without_pictures_their_tables_are_left(
    result: Result, record: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting = result.prepared.setting
    root = small_tree(tmp_path / "IEMOCAP_full_release")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "mine.toml").write_text(result.prepared.experiment.text)
    monkeypatch.setenv("SER_TRACKER", "json")
    monkeypatch.delenv("SER_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    done = ser("run", "mine", "--corpus", "iemocap", "--root", str(root), "--no-pictures", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["setting"] == setting.name
    left = {path.name for path in (tmp_path / "mlruns").rglob("artifacts/**/*") if path.is_file()}
    assert {"predictions.csv", "folds.csv", "surely_wrong.csv"} <= left
    assert not [name for name in left if name.endswith(".png")]
    assert [name for name in record.pictures if name.endswith(".png")]


def test_searches_and_members_are_children(result: Result) -> None:
    trials = [{"number": i, "params": {"model.C": c}, "uar": c / 10, "seconds": 1.0} for i, c in enumerate([1.0, 2.0])]
    found = FitReport(search=SearchReport({"model.C": 2.0}, 0.2, trials))
    weighed = FitReport(weights={"a": 0.25})
    one, other = result.folds.index[:2]
    changed = replace(result, reports={one: found, other: weighed}, members={"a": {"uar": 0.3}})
    record = describe(changed, SimpleNamespace(fit_report_=found), HERE)
    assert record.params[f"best.{one}.model.C"] == record.params[f"best.{ALL_ROWS}.model.C"] == 2.0
    names = [child.name for child in record.children]
    assert names == [f"{one}, trial 0", f"{one}, trial 1", f"{ALL_ROWS}, trial 0", f"{ALL_ROWS}, trial 1", "member a"]
    assert [child.tags.get("ser.best") for child in record.children] == ["false", "true", "false", "true", None]
    assert record.children[-1].params == {f"weight.{other}": "0.2500"}


def with_table(result: Result, table: pd.DataFrame) -> Result:
    return replace(result, prepared=replace(result.prepared, rows=replace(result.prepared.rows, table=table)))


def test_the_digest_of_the_data_knows_arrays_over_time(result: Result) -> None:
    def digest(number: float, cell: float) -> str:
        cells = [np.full((3, 2), float(i)) for i in range(len(result.predictions))]
        cells[-1][1, 1] += cell
        table = result.prepared.table.assign(melspec=pd.Series(cells, index=result.prepared.table.index, dtype=object))
        table.iloc[-1, 0] += number  # type: ignore[assignment]
        dataset = describe(with_table(result, table), SimpleNamespace(), HERE).dataset
        assert dataset is not None
        return dataset.digest

    assert len({digest(0.0, 0.0), digest(0.0, 1.0), digest(1.0, 0.0)}) == 3
    assert digest(0.0, 1.0) == digest(0.0, 1.0)


def test_a_corpus_with_a_warning_is_not_synthetic(result: Result) -> None:
    def tagged(**facts: object) -> object:
        corpus = result.prepared.corpus
        changed = replace(corpus, spec=replace(corpus.spec, **facts))
        selection = replace(result.prepared.selection, corpus=changed)
        return tags(replace(result.prepared, selection=selection), HERE)["ser.synthetic"]

    assert tagged(warning="acted speech") == "false"
    assert tagged(synthetic=True) == "true"
    assert get_corpus("demo").synthetic


LEARNED = """
from dataclasses import replace
from ser_experiments.features.measure import LAYERS, Needs, Output
from ser_experiments.features.sets import mfcc

def extractor():
    plain = mfcc.extractor(n_mfcc=2)
    layers = Output("layers", LAYERS, plain.outputs[0].columns, n_layers=2)
    return replace(
        plain, name="learned", outputs=(*plain.outputs, layers), needs=Needs(assets={"weights": "0" * 16})
    )
"""


def test_a_score_above_the_ceiling_of_its_corpus_is_said(result: Result, tmp_path: Path) -> None:
    prepared = result.prepared
    assert not any("look for a leak" in said for said in warnings_for(prepared, {"uar": 0.62}))
    (said,) = [said for said in warnings_for(prepared, {"uar": 0.63}) if "look for a leak" in said]
    assert said.startswith("UAR above 0.62 on iemocap-4class-leave-one-session-out from functionals")
    # What networks make of spectrograms, or an encoder of speech, may be better than any functionals were.
    path = tmp_path / "features" / "learned.py"
    path.parent.mkdir()
    path.write_text(LEARNED)
    plugins.use(tmp_path)
    for name, heard in {"lld": 1, "lld@noise": 1, "melspec": 0, "learned": 0, "learned/layers": 0}.items():
        for sets in ({name: {}}, {"mfcc": {"n_mfcc": 3}, name: {}}):
            said_of_it = warnings_for(replace(prepared, sets=sets), {"uar": 0.63})
            assert sum("look for a leak" in one for one in said_of_it) == heard, sets
    plugins.use(None)
    ready_made = replace(prepared, table_file="mine.csv")
    assert not any("look for a leak" in said for said in warnings_for(ready_made, {"uar": 0.63}))


def test_the_state_of_a_checkout(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        said = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *said, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert git_state(tmp_path) == {}
    git("init", "-q")
    assert git_state(tmp_path) == {}
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-q", "-m", "a")
    assert git_state(tmp_path) == {"git.commit": git("rev-parse", "HEAD"), "git.dirty": "false"}
    (tmp_path / "b").write_text("not followed")
    assert git_state(tmp_path)["git.dirty"] == "false"
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path)["git.dirty"] == "true"


def test_the_environment_names_what_a_run_is_built_on(tmp_path: Path) -> None:
    found = environment(tmp_path)
    assert {"numpy", "scikit-learn", "torch", "skops"} <= set(found["packages"])  # type: ignore[call-overload]
    assert "pytest" not in found["packages"]  # type: ignore[operator]


@pytest.mark.slow
def test_describing_imports_no_store() -> None:
    program = "import sys, ser_experiments.experiment.record; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
