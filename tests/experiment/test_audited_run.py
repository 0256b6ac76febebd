"""A run is audited by what it recorded, must come out the same, and is registered with a good audit alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ser_experiments import project, run_experiment
from ser_experiments.evaluation.fairness import FAILED, PASSED
from ser_experiments.experiment.asked import asked_again, kept_request
from ser_experiments.experiment.request import RunRequest
from ser_experiments.project import Project
from ser_experiments.tracking import connect
from ser_experiments.tracking.audits import AUDIT, MARKDOWN, PAGE
from tests.command import ser
from tests.experiment.test_audit import recordings

__all__ = ["recordings"]

#: One that hears nothing of it and one under which nothing is left.
QUIET, NOISY = ("--condition", "20 dB quieter"), ("--condition", "white noise 0 dB")


# --- what was said of a run ------------------------------------------------------------------------------------------


def test_what_was_said_is_said_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    here, definition = Project(tmp_path, {}), tmp_path / "x.toml"
    asked = RunRequest(
        experiment="svm_lld", corpus=("demo",), labels="4class", drop=("joy",), map={"a": "b"},
        overrides=("model.C=1",), seed=3, jobs=7, no_pictures=True, protocol="grouped-k-fold", n_splits=4,
        skip_bad=True, folds_file=tmp_path / "in" / "folds.csv", corpus_options={"raters": True},
    )  # fmt: skip
    kept = json.loads(json.dumps(kept_request(asked, here)))
    assert kept["said"]["folds_file"] == "in/folds.csv", "a project may be moved"
    assert not {"jobs", "no_pictures", "experiment", "normalize"} & set(kept["said"])
    again, lacking = asked_again(definition, kept, here, {}, "run x")
    assert lacking == []
    assert again == RunRequest(
        experiment=definition, corpus="demo", labels="4class", drop=("joy",), map={"a": "b"},
        overrides=("model.C=1",), seed=3, protocol="grouped-k-fold", n_splits=4, skip_bad=True,
        folds_file=str(tmp_path / "in" / "folds.csv"), corpus_options={"raters": True},
    )  # fmt: skip
    anew, _ = asked_again(definition, kept, here, {"seed": 5, "jobs": 1}, "run x")
    assert (anew.seed, anew.jobs, anew.labels) == (5, 1, "4class")


@pytest.mark.parametrize("said", ["ROOT", "manifest=ROOT", Path("ROOT")])
def test_where_a_corpus_lay(said: str | Path, tmp_path: Path) -> None:
    root, here = tmp_path / "lists" / "metadata.csv", Project(tmp_path / "p", {})
    root.parent.mkdir()
    root.write_text("path,label,speaker\n")
    corpus = type(said)(str(said).replace("ROOT", str(root)))
    kept = kept_request(RunRequest(experiment="x", corpus=(corpus,)), here)
    assert kept["said"] == {"corpus": "manifest", "root": str(root)}
    again, _ = asked_again(tmp_path, kept, here, {"root": "elsewhere"}, "run x")
    assert (again.corpus, again.root) == ("manifest", "elsewhere")


def test_several_corpora(tmp_path: Path) -> None:
    here = Project(tmp_path, {})
    asked = RunRequest(
        experiment="x", corpus=(f"emodb={tmp_path / 'a'}", "demo"), test_corpus="ravdess", test_root="/r"
    )
    kept = kept_request(asked, here)
    assert kept["said"] == {"corpus": ["emodb=a", "demo"], "test_corpus": "ravdess", "test_root": "/r"}
    again, _ = asked_again(tmp_path, kept, here, {}, "run x")
    assert (again.corpus, again.test_corpus) == ((f"emodb={tmp_path / 'a'}", "demo"), "ravdess")


def test_a_corpus_that_was_made_in_python(tmp_path: Path) -> None:
    here = Project(tmp_path, {})
    kept = kept_request(RunRequest(experiment="x", corpus=pd.DataFrame({"path": ["a"]}), seed=2), here)
    assert kept == {"format": "ser-request/1", "said": {"seed": 2}, "in_memory": ["corpus"]}
    assert asked_again(tmp_path, kept, here, {}, "run x")[1] == ["--corpus"]
    assert asked_again(tmp_path, kept, here, {"root": "r"}, "run x")[1] == []


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run_id(recordings: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run an experiment on clean recordings, and return its id."""
    monkeypatch.setenv("SER_TRACKER", "json")
    (project_folder / "experiments" / "plain.toml").write_text(
        '[features]\nsets = ["mfcc"]\n[model]\ntype = "logreg"\n'
    )
    done = ser(
        "run", "plain", "--root", str(recordings), "--jobs", "1", "--no-pictures", "--set", "model.C=0.5", "--json"
    )
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["run_id"])


def audited(*arguments: str) -> dict[str, object]:
    done = ser("audit", *arguments, "--jobs", "1", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def test_an_audit_of_a_run_is_kept_with_it(run_id: str, project_folder: Path) -> None:
    (project_folder / "experiments" / "plain.toml").write_text("it is changed since\n")
    told = audited(run_id[:6], *QUIET)
    assert (told["run_id"], told["kept"], told["changes"]) == (run_id, True, "model.C=0.5")
    held = connect(project.find()).keeper().held(run_id).files
    assert {AUDIT, PAGE, MARKDOWN, "pictures/audit_conditions.png", "pictures/audit_groups.png"} <= set(held)
    shown = json.loads(ser("runs", "show", run_id, "--json").stdout)
    assert shown["audit"] == {key: value for key, value in told.items() if key != "kept"}
    # A run that was not audited whole keeps what it has.
    again = audited(run_id, *NOISY, "-o", "page.md")
    assert [one["condition"] for one in again["robustness"]] == ["white noise 0 dB"]  # type: ignore[attr-defined]
    shown = json.loads(ser("runs", "show", run_id, "--json").stdout)["audit"]
    assert {one["condition"]: one["verdict"] for one in shown["robustness"]} == {
        "20 dB quieter": PASSED,
        "white noise 0 dB": FAILED,
    }
    assert "white noise 0 dB" in Path("page.md").read_text()
    assert Path("pictures/audit_conditions.png").is_file()


@pytest.mark.slow
def test_a_model_is_registered_only_where_its_audit_did_not_fail(run_id: str) -> None:
    """Trained on clean recordings, it falls in noise, and is as good where it is quieter."""
    assert "was not audited" in ser("register", run_id, "--require-audit").stderr
    audited(run_id, *QUIET, *NOISY)
    done = ser("register", run_id, "--require-audit")
    assert done.returncode == 1
    assert done.stderr.startswith("error: plain is not registered: its audit failed for white noise 0 dB (UAR 0.")
    assert ", worse by +0." in done.stderr
    assert ser("register", "--list").stdout.startswith("nothing is registered")
    done = ser("register", run_id, "--require-audit", "20 dB quieter")
    assert done.returncode == 0, done.stderr
    # The model is audited by the models of the folds of its run.
    (name,) = [line.split()[0] for line in ser("register", "--list").stdout.splitlines()]
    done = ser("audit", f"{name}@champion", *QUIET, "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert f"{name} version 1 is of run {run_id[:8]} and has itself heard all speakers" in done.stderr
    assert f"kept with run {run_id[:8]}" in done.stdout
    for said in (name.removeprefix("ser-"), f"runs:/{run_id}/model", f"models:/{name}/1"):
        assert audited(said, *QUIET, "--no-log")["run_id"] == run_id


@pytest.mark.slow
def test_an_experiment_is_kept_with_the_run_that_gave_the_same(run_id: str, recordings: Path) -> None:
    where = ("plain", "--root", str(recordings), *QUIET)
    other = audited(*where)
    assert (other["run_id"], other["kept"]) == (None, False), "model.C is another"
    same = (*where, "--set", "model.C=0.5")
    assert (audited(*same, "--no-log")["run_id"], audited(*same)["run_id"]) == (None, run_id)
    assert f"kept with run {run_id[:8]}" in ser("audit", *same, "--jobs", "1").stdout
    assert "not kept: no finished run gave these answers" in ser("audit", *where, "--jobs", "1").stdout


@pytest.mark.slow
def test_what_is_not_as_it_was(run_id: str, recordings: Path, tmp_path: Path, project_folder: Path) -> None:
    def refused(*more: str) -> str:
        done = ser("audit", run_id, *QUIET, "--jobs", "1", *more)
        assert done.returncode == 2, done.stdout
        assert done.stderr.startswith("error: ") or "\nerror: " in done.stderr
        return done.stderr

    moved = tmp_path / "moved"
    shutil.move(recordings / "metadata.csv", recordings / "kept.csv")
    assert "--root" in refused()
    shutil.copytree(recordings, moved, ignore=shutil.ignore_patterns("project", "moved"))
    lines = (recordings / "kept.csv").read_text().splitlines()
    (moved / "metadata.csv").write_text("\n".join(lines) + "\n")
    name = ("--root", str(moved))
    told = audited(run_id, *QUIET, *name)
    assert (told["kept"], told["setting"]) == (True, f"{recordings.name}-as-is-leave-one-speaker-out")
    (moved / "metadata.csv").write_text("\n".join(lines[:-1]) + "\n")
    assert "is not what is audited: 1 of its 36 utterances are missing; say where its corpus lies" in refused(*name)
    changed = [line.replace(",sad,", ",angry,") if number == 2 else line for number, line in enumerate(lines)]
    (moved / "metadata.csv").write_text("\n".join(changed) + "\n")
    assert "the labels of its utterances are others" in refused(*name)
    (moved / "metadata.csv").write_text("\n".join(lines) + "\n")
    assert "its rows and folds are " in refused(*name, "--protocol", "grouped-k-fold")
    # The same recordings by another model.
    predictions = next((project_folder / "mlruns").rglob("predictions.csv"))
    table = pd.read_csv(predictions, dtype=str)
    table.loc[:5, "predicted"] = "angry"
    table.to_csv(predictions, index=False)
    said = refused(*name)
    assert "uar is 1.000000 and was 0.916667, 3 of 36 answers differ; run the experiment again" in said


def test_what_cannot_be_audited_again(run_id: str, project_folder: Path, recordings: Path) -> None:
    assert "no run, model or experiment 'plane'; did you mean 'plain'?" in ser("audit", "plane").stderr
    for wrong, said in (("page.txt", "must end in .html or .md"), ("no/page.md", "no such folder")):
        done = ser("audit", run_id, "-o", wrong)
        assert done.returncode == 2
        assert said in done.stderr
    request = next((project_folder / "mlruns").rglob("request.json"))
    request.unlink()
    done = ser("audit", run_id)
    assert done.returncode == 2
    assert "left no request.json, as runs of earlier versions did; name the experiment with the options" in done.stderr
    path = next((project_folder / "mlruns").rglob("run.json"))
    path.write_text(path.read_text().replace('"ser.experiment": "plain"', '"ser.experiment": "../plain"'))
    assert "which leads elsewhere" in ser("audit", run_id).stderr
    path.write_text(path.read_text().replace('"FINISHED"', '"KILLED"'))
    assert "did not finish (killed)" in ser("audit", run_id).stderr


@pytest.mark.slow
def test_a_run_that_was_made_in_python(recordings: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SER_TRACKER", "json")
    table = pd.read_csv(recordings / "metadata.csv", dtype=str)
    table["path"] = [str(recordings / one) for one in table["path"]]
    result = run_experiment("logreg_lld", corpus=table, jobs=1, no_pictures=True)
    assert result.run_id is not None
    done = ser("audit", result.run_id, *QUIET)
    assert done.returncode == 2
    assert "its corpus was made in Python; say where one like it lies: --corpus" in done.stderr
