"""An experiment from end to end, on a small tree in IEMOCAP's layout and on a manifest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import project, run_experiment
from ser_experiments.errors import InputError, LeakError
from ser_experiments.tracking import connect
from tests.command import ser
from tests.iemocap_tree import add_dialog, small_tree, tone

CODES = ["neu", "hap", "ang", "sad"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


def test_svm_on_an_iemocap_tree_through_the_command(tree: Path, project_folder: Path) -> None:
    done = ser("run", "svm_lld", "--corpus", "iemocap", "--root", str(tree), "--json")
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout)
    assert out["experiment"] == "svm_lld"
    assert out["protocol"] == "leave-one-session-out"
    assert out["setting"] == "iemocap-4class-leave-one-session-out"
    assert 0 <= out["metrics"]["uar_ci_low"] <= out["metrics"]["uar"] <= out["metrics"]["uar_ci_high"] <= 1
    assert out["n_utterances"] == 40
    assert [fold["fold"] for fold in out["folds"]] == ["Session1", "Session3"]
    client = connect(project.find()).client
    run = client.get_run(out["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics["uar"] == pytest.approx(out["metrics"]["uar"])
    assert len(client.get_metric_history(out["run_id"], "fold_uar")) == 2
    assert len(client.get_metric_history(out["run_id"], "uar")) == 1
    assert {"ser.corpus", "ser.labels", "ser.protocol", "ser.seed", "version.scikit-learn"} <= set(run.data.tags)
    assert "leave-one-session-out" in run.data.tags["mlflow.note.content"]
    names = {a.path for a in client.list_artifacts(out["run_id"])}
    assert {"predictions.csv", "definition.toml", "environment.json", "plots"} <= names
    assert "plots/confusion_matrix.png" in {a.path for a in client.list_artifacts(out["run_id"], "plots")}
    assert run.inputs.dataset_inputs[0].dataset.name == "iemocap"
    assert out["model_uri"].startswith("models:/")

    again = json.loads(ser("run", "svm_lld", "--corpus", "iemocap", "--root", str(tree), "--json").stdout)
    assert again["metrics"] == out["metrics"]
    assert again["run_id"] != out["run_id"]


@pytest.mark.slow
def test_scores_do_not_depend_on_jobs(tree: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ser_experiments.evaluation import crossval

    one = run_experiment("rf_lld", corpus="iemocap", root=tree, jobs=1, log_run=False)
    monkeypatch.setattr(crossval, "_WORTH_WORKERS_S", 0.0)
    two = run_experiment("rf_lld", corpus="iemocap", root=tree, jobs=2, log_run=False)
    pd.testing.assert_frame_equal(one.predictions, two.predictions)


def test_random_is_marked_everywhere(tree: Path, project_folder: Path) -> None:
    result = run_experiment("dummy", corpus="iemocap", root=tree, protocol="random", n_splits=2)
    assert any("shows the leak" in warning for warning in result.warnings)
    run = connect(project.find()).client.get_run(str(result.run_id))
    assert run.data.tags["ser.leaky"] == "true"
    assert "random-2" not in run.data.tags["ser.setting"]
    assert run.data.tags["ser.setting"].endswith("-random")


@pytest.mark.slow
def test_what_a_normalisation_asks_is_said_and_left_out(tree: Path, project_folder: Path) -> None:
    import mlflow

    plain = run_experiment("svm_lld", corpus="iemocap", root=tree, log_run=False)
    result = run_experiment("svm_lld", corpus="iemocap", root=tree, normalize="neutral-1")
    enrolled = [i for ids in result.prepared.enrolled.values() for i in ids]
    assert len(enrolled) == plain.predictions["speaker"].nunique()
    assert (plain.predictions.loc[enrolled, "label"] == "neutral").all()
    assert set(result.predictions.index) == set(plain.predictions.index) - set(enrolled)
    assert result.prepared.setting.name.endswith("-normalize-neutral-1")
    assert result.prepared.setting.rows != plain.prepared.setting.rows
    assert any("a new speaker has to give as many" in warning for warning in result.warnings)
    # A model on normalised features cannot answer for one recording.
    model = mlflow.pyfunc.load_model(result.model_uri)
    answer = model.predict(pd.DataFrame({"audio": [Path(plain.prepared.utterances["path"].iloc[0]).read_bytes()]}))
    assert "normalised by speaker (neutral-1)" in answer["error"].iloc[0]
    with pytest.raises(
        InputError, match="'tail' takes its columns as they were measured; leave out --normalize speaker"
    ):
        run_experiment("tail_encoder", corpus="iemocap", root=tree, normalize="speaker", log_run=False)
    with pytest.raises(InputError, match="--normalize 'sepaker'"):
        run_experiment("svm_lld", corpus="iemocap", root=tree, normalize="sepaker")


@pytest.mark.slow
def test_a_search_is_logged_below_its_run(tree: Path, project_folder: Path) -> None:
    from ser_experiments import tracking
    from ser_experiments.cli.run import show

    dialog = "Ses02F_impro01"  # inner folds need two sessions beside the one that is left out
    add_dialog(tree, 2, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES)})
    few = {"search.trials": 3}
    result = run_experiment("svm_lld_tuned", corpus="iemocap", root=tree, overrides=few)
    client = connect(project.find()).client
    children = client.search_runs([result.experiment_id], f"tags.mlflow.parentRunId = '{result.run_id}'")
    assert len(children) == 3 * (len(result.folds) + 1)
    assert {run.info.status for run in children} == {"FINISHED"}
    parent = client.get_run(result.run_id).data
    for fold, report in result.reports.items():
        mine = [run for run in children if run.data.tags["ser.fold"] == fold]
        best = max(run.data.metrics["inner_uar"] for run in mine)
        assert report.search is not None
        (chosen,) = {run.data.params["model.C"] for run in mine if run.data.tags["ser.best"] == "true"}
        assert parent.params[f"best.{fold}.model.C"] == chosen == str(report.search.best_params["model.C"])
        assert report.search.best_score == pytest.approx(best)
    assert [run.run_id for s in tracking.connect(project.find()).settings() for run in s.runs] == [result.run_id]
    show(result, 1.0)


def test_bad_recordings_stop_the_run_and_are_all_named(tree: Path, project_folder: Path) -> None:
    wavs = tree / "Session1/sentences/wav/Ses01F_impro01"
    (wavs / "Ses01F_impro01_F000.wav").write_bytes(b"")
    (wavs / "Ses01F_impro01_F001.wav").write_text("no audio")
    arguments = ("run", "dummy", "--corpus", "iemocap", "--root", str(tree))
    done = ser(*arguments)
    assert done.returncode == 2
    assert "Ses01F_impro01_F000.wav" in done.stderr
    assert "Ses01F_impro01_F001.wav" in done.stderr
    assert "--skip-bad" in done.stderr
    assert "Traceback" not in done.stderr
    assert connect(project.find()).client.get_experiment_by_name("iemocap-4class-leave-one-session-out") is None
    went_on = json.loads(ser(*arguments, "--skip-bad", "--json").stdout)
    assert went_on["n_utterances"] == 38
    assert set(went_on["skipped"]) == {"Ses01F_impro01_F000", "Ses01F_impro01_F001"}


def test_the_same_recording_under_two_names_fails_the_run(tree: Path, project_folder: Path) -> None:
    first = tree / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
    copy = tree / "Session3/sentences/wav/Ses03M_impro05a/Ses03M_impro05a_F000.wav"
    copy.write_bytes(first.read_bytes())
    with pytest.raises(LeakError, match="the same recording"):
        run_experiment("dummy", corpus="iemocap", root=tree)


def test_a_fold_whose_training_rows_lack_a_class(tmp_path: Path, project_folder: Path) -> None:
    for session, codes in {1: CODES, 2: CODES[:3]}.items():
        dialog = f"Ses0{session}F_impro01"
        add_dialog(tmp_path, session, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(codes)})
    with pytest.raises(InputError, match="training rows of fold 'Session1' have no 'sad'"):
        run_experiment("dummy", corpus="iemocap", root=tmp_path)


@pytest.mark.slow
def test_own_recordings_with_a_ready_made_table(tmp_path: Path, project_folder: Path) -> None:
    rng = np.random.default_rng(0)
    rows = []
    for i in range(24):
        tone(tmp_path / "own" / f"{i}.wav", i)
        rows.append((f"{i}.wav", "ab"[i % 2], f"s{i % 3}"))
    listing = pd.DataFrame(rows, columns=["path", "label", "speaker"])
    listing.to_csv(tmp_path / "own" / "metadata.csv", index=False)
    table = pd.DataFrame(rng.normal(size=(24, 3)), columns=list("xyz"))
    table["x"] += 4.0 * (listing["label"] == "a")
    table.insert(0, "utterance_id", listing["path"])
    table.to_csv(tmp_path / "table.csv", index=False)
    root = tmp_path / "own"
    result = run_experiment("svm_lld", corpus="manifest", root=root, table=tmp_path / "table.csv")
    assert result.metrics["uar"] > 0.8
    assert result.prepared.setting.name == "own-as-is-leave-one-speaker-out"
    plain = run_experiment("dummy", corpus="manifest", root=root, corpus_options={"name": "other"}, log_run=False)
    assert plain.prepared.setting.corpus == "other"


@pytest.mark.slow
def test_members_are_logged_below_their_ensemble(tree: Path, project_folder: Path) -> None:
    dialog = "Ses02F_impro01"  # inner folds need two sessions beside the one that is left out
    add_dialog(tree, 2, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES)})
    for kind in ("stack", "average"):
        Path("experiments", f"both_{kind}.toml").write_text(
            f'members = ["svm_lld", "logreg_lld"]\n[model]\ntype = "{kind}"\n'
        )
    alone = run_experiment("svm_lld", corpus="iemocap", root=tree, log_run=False)
    stacked = run_experiment("both_stack", corpus="iemocap", root=tree)
    averaged = run_experiment("both_average", corpus="iemocap", root=tree, log_run=False)
    for result in (stacked, averaged):
        assert list(result.members) == ["svm_lld", "logreg_lld"]
        assert result.members["svm_lld"] == {k: pytest.approx(alone.metrics[k]) for k in result.members["svm_lld"]}
    client = connect(project.find()).client
    below = client.search_runs(
        [stacked.experiment_id], f"tags.`mlflow.parentRunId` = '{stacked.run_id}'", order_by=["attributes.start_time"]
    )
    assert {run.info.run_name for run in below} == {"member svm_lld", "member logreg_lld"}
    for run in below:
        name = run.data.tags["ser.member"]
        assert run.info.status == "FINISHED"
        assert run.data.metrics["uar"] == pytest.approx(stacked.members[name]["uar"])
        weights = {fold: report.weights[name] for fold, report in stacked.reports.items()}
        assert {k: float(v) for k, v in run.data.params.items()} == {
            f"weight.{fold}": pytest.approx(value, abs=1e-4) for fold, value in weights.items()
        }


@pytest.mark.slow
def test_an_ensemble_takes_its_members_fits(tree: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ser_experiments.models import remember

    monkeypatch.setattr(remember, "WORTH_S", 0.0)
    (project_folder / "experiments" / "pair.toml").write_text(
        'members = ["svm_lld", "logreg_lld"]\n[model]\ntype = "stack"\n'
    )
    dialog = "Ses02F_impro01"  # inner folds need two sessions beside the one that is left out
    add_dialog(tree, 2, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(CODES)})
    for name in ("svm_lld", "logreg_lld"):
        run_experiment(name, corpus="iemocap", root=tree, log_run=False)
    result = run_experiment("pair", corpus="iemocap", root=tree)
    assert result.run_id
    for fold in result.reports.values():
        assert fold.members["svm_lld"].reused
        assert set(fold.weights) == {"svm_lld", "logreg_lld"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('members = ["svm_lld", "no"]\n[model]\ntype = "stack"\n', "unknown experiment 'no'"),
        ('members = ["svm_lld"]\n[model]\ntype = "stak"\n', "unknown type 'stak'; did you mean 'stack'"),
        ('[model]\ntype = "stack"\n', "type 'stack' needs members"),
        ('members = ["stack_tables"]\n[model]\ntype = "stack"\n', "is an ensemble; name its members"),
        ('members = ["svm_lld", "svm_lld"]\n[model]\ntype = "average"\n', "names one twice"),
    ],
)
def test_wrong_ensembles(tree: Path, project_folder: Path, text: str, message: str) -> None:
    (project_folder / "experiments" / "mine.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        run_experiment("mine", corpus="iemocap", root=tree)


RUNS = """
import json, sys
from tests.command import ser
done = ser("run", "svm_lld", "--corpus", "iemocap", "--root", sys.argv[1], "--json")
assert done.returncode == 0, done.stderr
print(json.dumps(list(sys.modules)))
"""


@pytest.mark.slow
def test_a_run_imports_what_it_uses_and_in_good_order(tree: Path, project_folder: Path) -> None:
    """What a run imports is half of what a short run costs beside its fits; see `benchmarks/README.md`."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", RUNS, str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    modules = json.loads(done.stdout)
    heavy = {"mlflow", "sqlalchemy", "alembic", "fastapi", "torch", "xgboost", "lightgbm", "optuna", "dask", "pytest"}
    assert heavy.isdisjoint(name.partition(".")[0] for name in modules)
    assert modules.index("scipy.special") < modules.index("pandas"), "skops searches all modules before it"
    assert connect(project.find()).settings()[0].latest.metrics["uar"] > 0
