"""Every command on every kind of task, on a corpus whose raters gave words and numbers."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import run_experiment
from ser_experiments.errors import InputError
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.serving import load_folder
from ser_experiments.serving.pyfunc import _load_pyfunc
from ser_experiments.tasks import task_kinds, task_of_columns
from tests import command
from tests.iemocap_tree import rated_tree
from tests.served import serving

#: What to say for a task of each kind, and of one dimension alone.
KINDS = {"4class": "classes", "dimensions": "dimensions", "arousal": "dimensions", "votes-4class": "votes"}
EXPERIMENT = "logreg_lld"
#: Classes are tried by many tests, and one dimension is a case of several.
TRIED = [one if one in ("dimensions", "votes-4class") else pytest.param(one, marks=pytest.mark.slow) for one in KINDS]


def ser(*arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command, which must end with a code."""
    done = command.ser(*arguments)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rated_tree(tmp_path_factory.mktemp("rated") / "IEMOCAP_full_release")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the recordings of other people, as a list with what raters said."""
    folder = rated_tree(tmp_path_factory.mktemp("beside") / "other" / "IEMOCAP_full_release", first=4)
    corpus = run_experiment("dummy", corpus="iemocap", root=folder, labels="votes-4class", log_run=False, jobs=1)
    told = corpus.prepared.utterances
    table = pd.DataFrame({
        "path": told["path"], "speaker": told["speaker"], "votes": told["votes"], "label": told["emotion"],
        "valence": told["valence"], "activation": told["activation"], "dominance": told["dominance"],
    })  # fmt: skip
    path = folder.parent / "other.csv"
    table.to_csv(path, index=False)
    return path


def test_every_kind_is_tried_here() -> None:
    assert {*KINDS.values()} == {*task_kinds()}


@pytest.mark.parametrize("labels", TRIED)
def test_every_command_works_for_every_kind(labels: str, tree: Path, project_folder: Path) -> None:
    where = ("--corpus", "iemocap", "--root", str(tree), "--labels", labels)
    kind = task_kinds()[KINDS[labels]]
    primary = get_score(kind.primary)
    setting = f"iemocap-{labels}-leave-one-session-out"

    # run, twice: the floor and something that learned
    for name in ("dummy", EXPERIMENT):
        said = ser("run", name, *where)
        assert primary.title in said.stdout
        assert setting in said.stdout
    told = json.loads(ser("run", "svm_lld", *where, "--json", "--no-log").stdout)
    assert {primary.name, f"{primary.name}_ci_low", f"{primary.name}_ci_high"} <= told["metrics"].keys()

    # compare
    board = json.loads(ser("compare", "--setting", setting, "--json").stdout)
    assert [row["experiment"] for row in board["runs"]] == [EXPERIMENT, "dummy"]
    best = board["runs"][0][primary.name]

    # protocol and verify: whoever has the predictions gets the same score
    card = project_folder / "card.json"
    ser("protocol", *where, "--export", str(card))
    again = ser("protocol", *where, "--import", str(card))
    assert "same" in again.stdout
    (kept,) = [
        path
        for path in (project_folder / "mlruns" / "artifacts").rglob("predictions.csv")
        if json.loads((path.parent / "result.json").read_text())["experiment"] == EXPERIMENT
    ]
    verdict = json.loads(ser("verify", str(kept), "--card", str(card), "--json").stdout)
    assert verdict["metrics"][primary.name] == pytest.approx(best, abs=1e-4)
    predictions = pd.read_csv(kept, keep_default_na=False)
    task = task_of_columns(predictions.columns)
    assert task is not None
    assert task.kind == KINDS[labels]
    bare = predictions[["utterance_id", *task.columns]]
    bare.to_csv("bare.csv", index=False)
    assert json.loads(ser("verify", "bare.csv", "--card", str(card), "--json").stdout)["metrics"][
        primary.name
    ] == pytest.approx(best, abs=1e-4)
    bare.drop(columns=task.columns[0]).to_csv("less.csv", index=False)
    refused = ser("verify", "less.csv", "--card", str(card), code=2)
    assert refused.stderr.startswith("error: ")

    # register and predict
    ser("register", EXPERIMENT, "--setting", setting)
    wav = next(tree.rglob("*.wav"))
    (answer,) = json.loads(ser("predict", str(wav), "--json").stdout)
    assert answer["error"] == ""
    assert {*task.numbers(answer)} == {*task.targets}
    line = ser("predict", str(wav)).stdout
    assert wav.name in line
    csv = ser("predict", str(wav), "--csv").stdout.splitlines()
    assert {*task.columns} <= {*csv[0].split(",")}
    bound = ser("predict", str(wav), "--abstain", "0.2", "--json", code=0 if task.are_shares else 2)
    if task.are_shares:
        (careful,) = json.loads(bound.stdout)
        assert careful["label"] in (*task.targets, "unsure")
        assert {*careful["candidates"]} <= {*task.targets} != set()
        assert task.numbers(careful) == task.numbers(answer)
        rows = ser("predict", str(wav), "--abstain", "0.2", "--csv").stdout.splitlines()
        assert "candidates" in rows[0].split(",")
    else:
        assert "--abstain is for classes" in bound.stderr
    told = json.loads(ser("inspect", str(wav), "--json").stdout)
    assert told["measures"]["bandwidth_hz"]["training"]
    assert bool(told["numbers"]) != bool(told["answers"]["yours"])
    assert {*told["numbers"], *told["answers"]["yours"]} == {*task.targets}
    ser("predict", str(wav), "--timeline", "--picture", ".")
    assert len(list(project_folder.glob("*.png"))) == 1

    # served: MLflow's own way into the logged model, with the bytes of a recording
    (folder,) = {path.parent for path in (project_folder / "mlruns" / "artifacts").rglob("model.json")
                 if json.loads(path.read_text())["experiment"] == EXPERIMENT}  # fmt: skip
    served = _load_pyfunc(str(folder)).predict(pd.DataFrame({"audio": [wav.read_bytes(), b"no audio"]}))
    assert list(served) == [*task.answer_fields, "warnings", "error"]
    good, bad = served.to_dict(orient="records")
    assert task.numbers(good) == pytest.approx(task.numbers(answer))
    assert bad["error"] != ""
    assert {name: bad[name] for name in task.answer_fields} == task.no_answer

    # listed, replaced by force, and taken back
    assert setting in ser("register", "--list").stdout
    ser("register", "dummy", "--setting", setting, "--force")
    floor = json.loads(ser("predict", str(wav), "--json").stdout)[0]
    assert task.numbers(floor) != task.numbers(answer)
    ser("register", "--rollback")
    assert json.loads(ser("predict", str(wav), "--json").stdout) == [answer]

    # a worse one is not registered
    denied = ser("register", "dummy", "--setting", setting, code=1)
    assert "not clearly better" in denied.stderr


@pytest.mark.parametrize("labels", TRIED)
def test_a_kind_is_checked_pooled_and_transferred(labels: str, tree: Path, other: Path, project_folder: Path) -> None:
    where = ("--corpus", "iemocap", "--root", str(tree), "--labels", labels)
    primary = get_score(task_kinds()[KINDS[labels]].primary)
    checked = json.loads(ser("check", EXPERIMENT, *where, "--permutations", "20", "--json").stdout)
    assert checked["p_value"] <= 0.15
    assert primary.better * (checked[primary.name] - checked["shuffled_mean"]) > 0
    pooled = run_experiment(
        EXPERIMENT, corpus=(f"iemocap={tree}", f"manifest={other}"), labels=labels, log_run=False, jobs=1
    )
    assert {f"{primary.name}_in_iemocap", f"{primary.name}_in_other"} <= pooled.metrics.keys()
    moved = run_experiment(
        EXPERIMENT, corpus="iemocap", root=tree, test_corpus=f"manifest={other}", labels=labels, log_run=False, jobs=1
    )
    assert moved.prepared.setting.name == f"iemocap-to-other-{labels}-transfer"
    assert set(moved.predictions.index.str.split("/").str[0]) == {"other"}


@pytest.mark.parametrize("labels", ["dimensions", "votes-4class"])
def test_what_a_leak_is_worth_is_told_of_every_kind(labels: str, tree: Path, project_folder: Path) -> None:
    where = ("--corpus", "iemocap", "--root", str(tree), "--labels", labels)
    said = ser("leaks", EXPERIMENT, *where, "--no-log")
    primary = get_score(task_kinds()[KINDS[labels]].primary)
    assert primary.title in said.stdout
    assert "leave-one-speaker-out" in said.stdout


@pytest.mark.slow
@pytest.mark.parametrize("labels", KINDS)
def test_a_run_of_every_kind_is_audited(labels: str, tree: Path, project_folder: Path) -> None:
    where = ("--corpus", "iemocap", "--root", str(tree), "--labels", labels)
    run = json.loads(ser("run", EXPERIMENT, *where, "--no-pictures", "--json").stdout)
    primary = get_score(task_kinds()[KINDS[labels]].primary)
    asked = (run["run_id"], "--condition", "20 dB quieter", "--condition", "white noise 0 dB")
    told = json.loads(ser("audit", *asked, "-o", "page.html", "--json").stdout)
    assert (told["metric"], told["run_id"], told["kept"]) == (primary.name, run["run_id"], True)
    assert told[primary.name] == pytest.approx(run["metrics"][primary.name], abs=1e-6)
    assert (told["robustness"][0]["unchanged"] is None) is (KINDS[labels] == "dimensions")
    parts = {part["name"].partition(" of ")[0] for one in told["fairness"] for part in one["parts"]}
    assert parts == {"classes": {"recall"}, "dimensions": {"CCC"}, "votes": set()}[KINDS[labels]]
    assert primary.title in Path("page.html").read_text()
    assert "Audit" in ser("runs", "show", run["run_id"]).stdout.title()
    ser("report")
    assert "- **Audit**: " in next(project_folder.glob("report-*/report.md")).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("labels", ["dimensions", "votes-4class"])
def test_what_clips_are_worth_is_told_of_every_kind(labels: str, tree: Path, project_folder: Path) -> None:
    where = ("--corpus", "iemocap", "--root", str(tree), "--labels", labels, "--clips", "2", "--draws", "1")
    told = json.loads(ser("enrolment", EXPERIMENT, *where, "--json").stdout)
    score = get_score(task_kinds()[KINDS[labels]].primary)
    first, few = told[0], told[1]
    assert (first["score"], few["difference"]["better"]) == (score.name, score.better)
    # Two clips of whatever emotion are worse than none, and no gain whichever way the score goes.
    assert score.better * (few["value"] - first["value"]) < 0
    shown = ser("enrolment", EXPERIMENT, *where).stdout.splitlines()
    (line,) = [line for line in shown if line.startswith("any emotion") and line.split()[2] == "2"]
    assert f"-{abs(few['difference']['value']):.3f}" in line


@pytest.mark.slow
def test_the_demo_has_every_kind(project_folder: Path, tmp_path: Path) -> None:
    """From the simulated raters to a model that is served and stands on a page."""
    pytest.importorskip("gradio")
    from ser_experiments.cli import _page

    for kind, labels in {kind: labels for labels, kind in reversed(KINDS.items())}.items():
        for name in ("dummy", "svm_prosody"):
            ser("run", name, "--labels", labels)
        task, setting = task_kinds()[kind], f"demo-{labels}-leave-one-session-out"
        primary = get_score(task.primary)
        best, floor = json.loads(ser("compare", "--setting", setting, "--json").stdout)["runs"]
        assert (best["experiment"], floor["experiment"]) == ("svm_prosody", "dummy")
        assert floor["difference_low"] * floor["difference_high"] > 0
        assert primary.better * (best[task.primary] - floor[task.primary]) > 0

        few = ("--labels", labels, "--protocol", "grouped-k-fold", "--folds", "2")
        checked = json.loads(ser("check", "svm_prosody", *few, "--permutations", "20", "--json").stdout)
        assert checked["p_value"] == pytest.approx(1 / 21)
        assert primary.title in ser("leaks", "svm_prosody", "--labels", labels, "--no-log").stdout
        ser("protocol", "--labels", labels, "--export", "card.json")
        (kept,) = _artifacts(project_folder, setting, "predictions.csv", "svm_prosody")
        verdict = json.loads(ser("verify", str(kept), "--card", "card.json", "--json").stdout)
        assert verdict["metrics"][task.primary] == pytest.approx(best[task.primary], abs=1e-4)

        ser("register", "svm_prosody", "--setting", setting, "--allow-demo")
        assert setting in ser("register", "--list").stdout
        wav = next((project_folder / "cache" / "demo").rglob("sentences/wav/*/*.wav"))
        (answer,) = json.loads(ser("predict", str(wav), "--json", "--model", setting).stdout)
        assert {*task.answer_fields} <= {*answer}
        ser("predict", str(wav), "--timeline", "--picture", ".", "--model", setting)
        (about,) = _artifacts(project_folder, setting, "model.json", "svm_prosody")
        with serving(about.parent, tmp_path / f"{labels}.log", "--workers", "1") as server:
            good, nothing = server.ask(wav.read_bytes(), None).rows
        assert good == {name: cell for name, cell in answer.items() if name != "path"}
        assert nothing["error"] == "audio must be bytes, got nothing"
        model = load_folder(about.parent)
        _page.build_page(model, tmp_path)
        shown, words, picture, steps = _page.answer(model, str(wav))
        assert shown.startswith("<div")
        assert words
        assert "alt=" in picture
        assert len(steps)
        ser("register", "dummy", "--setting", setting, "--force", "--allow-demo")
        ser("register", "--rollback", "--setting", setting)
        assert json.loads(ser("predict", str(wav), "--json", "--model", setting).stdout) == [answer]


def _artifacts(folder: Path, setting: str, name: str, experiment: str) -> list[Path]:
    """Return the files of a name that runs of an experiment left."""
    found = (folder / "mlruns" / "artifacts" / setting).rglob(name)
    told = {"predictions.csv": "result.json", "model.json": "model.json"}[name]
    return [path for path in found if json.loads((path.parent / told).read_text())["experiment"] == experiment]


def test_numbers_are_found_on_the_scale_of_the_raters(tree: Path, project_folder: Path) -> None:
    found = run_experiment("svm_lld", corpus="iemocap", root=tree, labels="dimensions", log_run=False, jobs=1)
    assert found.metrics["ccc_arousal"] > 0.8
    assert found.metrics["ccc_valence"] > 0.4
    told = found.predictions["predicted_arousal"]
    assert told.between(0.5, 5).all()
    assert found.metrics["ccc"] == pytest.approx(
        np.mean([found.metrics[f"ccc_{name}"] for name in ("valence", "arousal", "dominance")])
    )
    plain = run_experiment(
        "svm_lld", corpus="iemocap", root=tree, labels="dimensions", overrides=["pipeline.calibrate=none"],
        log_run=False, jobs=1,
    )  # fmt: skip
    assert plain.predictions["predicted_arousal"].std() < told.std()


def test_utterances_without_a_majority_are_used_by_votes_and_numbers(tree: Path, project_folder: Path) -> None:
    sizes = {
        labels: len(run_experiment("dummy", corpus="iemocap", root=tree, labels=labels, log_run=False).predictions)
        for labels in KINDS
    }
    assert sizes == {"4class": 48, "dimensions": 72, "arousal": 72, "votes-4class": 72}


def test_one_rater_stands_beside_the_model(tree: Path, project_folder: Path) -> None:
    said = ser("run", EXPERIMENT, "--corpus", "iemocap", "--root", str(tree), "--labels", "votes-4class", "--no-log")
    line = next(one for one in said.stdout.splitlines() if one.startswith("one rater against the others"))
    assert re.search(r"cross-entropy \d\.\d{3}   macro-F1 \d\.\d{3}.*UAR \d\.\d{3}", line)
    classes = run_experiment(EXPERIMENT, corpus="iemocap", root=tree, labels="4class", log_run=False, jobs=1)
    assert 0 < classes.metrics["rater_uar"] < 1
    numbers = run_experiment(EXPERIMENT, corpus="iemocap", root=tree, labels="arousal", log_run=False, jobs=1)
    assert not any(name.startswith("rater_") for name in numbers.metrics)


def test_rows_weigh_by_agreement(tree: Path, project_folder: Path) -> None:
    plain, weighed = (
        run_experiment(EXPERIMENT, corpus="iemocap", root=tree, labels="4class", weights=weights, log_run=False, jobs=1)
        for weights in (None, "agreement")
    )
    assert plain.prepared.rows.weights is None
    shares = plain.prepared.utterances["agreement"].astype(float)
    assert np.allclose(weighed.prepared.rows.weights, shares / shares.mean())
    assert not np.allclose(plain.scored.values, weighed.scored.values)
    assert weighed.prepared.changes == "--weights agreement"
    assert any("training rows weigh by agreement" in line for line in weighed.warnings)
    # Where raters are torn, a row weighs less than any other.
    every = run_experiment(
        "dummy", corpus="iemocap", root=tree, labels="dimensions", weights="agreement", log_run=False, jobs=1
    )
    torn = (every.prepared.utterances["emotion"] == "xxx").to_numpy()
    weights = every.prepared.rows.weights
    assert weights is not None
    assert weights.mean() == pytest.approx(1)
    assert weights[torn].max() < weights[~torn].min()
    with pytest.raises(InputError, match="--weights 'agrement': unknown; did you mean 'agreement'"):
        run_experiment(EXPERIMENT, corpus="iemocap", root=tree, weights="agrement", log_run=False)


def test_weights_that_nobody_knows_are_refused(other: Path, project_folder: Path) -> None:
    table = pd.read_csv(other).drop(columns="votes")
    plain = other.with_name("plain.csv")
    table.to_csv(plain, index=False)
    with pytest.raises(InputError, match="does not know how far its raters agree"):
        run_experiment("dummy", corpus="manifest", root=plain, weights="agreement", log_run=False)


@pytest.mark.parametrize(
    ("labels", "wrong"),
    [
        ("valance", "unknown label scheme 'valance'; did you mean 'valence'"),
        ("votes-4clas", "unknown label scheme 'votes-4clas'; did you mean 'votes-4class'"),
        ("dimension", "unknown label scheme 'dimension'; did you mean 'dimensions'"),
    ],
)
def test_a_slip_of_the_pen_is_told(labels: str, wrong: str, tree: Path, project_folder: Path) -> None:
    with pytest.raises(InputError, match=wrong):
        run_experiment("dummy", corpus="iemocap", root=tree, labels=labels, log_run=False)


def test_words_are_not_changed_where_numbers_are_told(tree: Path, project_folder: Path) -> None:
    with pytest.raises(InputError, match="--map and --drop change words; --labels dimensions takes numbers"):
        run_experiment("dummy", corpus="iemocap", root=tree, labels="dimensions", drop=["anger"], log_run=False)
