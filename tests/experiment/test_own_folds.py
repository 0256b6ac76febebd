"""Folds of a file: taken as they are where they keep speakers apart, refused or marked where they do not."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from ser_experiments import run_experiment
from ser_experiments.errors import InputError
from tests.command import ser
from tests.corpora.trees import emodb, msp_podcast
from tests.experiment.test_transfer import corpus


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return corpus(tmp_path / "here", "angry sad", first=1, speakers="abcd")


def folds_of(here: Path, fold: dict[str, str], name: str = "folds.csv", **more: str) -> Path:
    """Write a file of folds by speaker, perhaps with ids that nobody has."""
    rows = pd.read_csv(here)
    table = pd.DataFrame({"utterance_id": rows["path"], "fold": rows["speaker"].map(fold)})
    table = pd.concat([table, pd.DataFrame({"utterance_id": list(more), "fold": list(more.values())})])
    table.to_csv(here.parent / name, index=False)
    return here.parent / name


def test_folds_are_those_of_the_file(here: Path, project_folder: Path) -> None:
    file = folds_of(here, {"a": "left", "b": "left", "c": "right", "d": "right"}, elsewhere="left")
    result = run_experiment("dummy", corpus="manifest", root=here, folds_file=file, log_run=False)
    assert result.prepared.setting.name == "here-as-is-own-folds"
    assert result.predictions.groupby("fold")["speaker"].unique().map(sorted).to_dict() == {
        "left": ["a", "b"],
        "right": ["c", "d"],
    }
    assert result.prepared.folds.words == "2 folds of a file (1 of its ids are not among these utterances)"
    other = folds_of(here, {"a": "left", "b": "right", "c": "left", "d": "right"}, "others.csv")
    another = run_experiment("dummy", corpus="manifest", root=here, folds_file=other, log_run=False)
    assert another.prepared.setting.rows != result.prepared.setting.rows


@pytest.mark.slow
def test_a_speaker_in_two_folds_is_a_leak_that_has_to_be_wanted(here: Path, project_folder: Path) -> None:
    rows = pd.read_csv(folds_of(here, dict.fromkeys("abcd", "left")))
    rows["fold"] = ["left", "right"] * (len(rows) // 2)
    rows.to_csv(here.parent / "split.csv", index=False)
    told = ["dummy", "--corpus", "manifest", "--root", str(here), "--folds-file", str(here.parent / "split.csv")]
    refused = ser("run", *told)
    assert refused.returncode == 2
    assert "speaker 'a' is in the folds left, right (4 speakers in several)" in refused.stderr
    shown = ser("run", *told, "--allow-leak", "--json")
    assert shown.returncode == 0, shown.stderr
    out = json.loads(shown.stdout)
    assert out["protocol"] == "own-folds-leaky"
    assert any("tested speakers were seen in training" in warning for warning in out["warnings"])
    assert "protocol own-folds-leaky: tested speakers" in ser("compare").stdout
    assert "its score is of the protocol own-folds-leaky" in ser("register").stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.rename(columns={"fold": "fould"}), "no column 'fold'"),
        (lambda t: t.iloc[1:], "1 of 24 utterances have no fold, e.g. 'aangry0.wav'"),
        (lambda t: pd.concat([t, t.iloc[:1]]), "utterance 'aangry0.wav' stands there twice"),
        (lambda t: t.assign(fold=[""] + ["x"] * (len(t) - 1)), "line 2: no fold"),
        (lambda t: t.assign(fold="x"), "fold 'x' leaves nobody to train on"),
    ],
)
def test_what_is_no_file_of_folds(change: object, message: str, here: Path, project_folder: Path) -> None:
    file = folds_of(here, {"a": "1", "b": "2", "c": "3", "d": "4"})
    change(pd.read_csv(file, dtype=str)).to_csv(file, index=False)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        run_experiment("dummy", corpus="manifest", root=here, folds_file=file, log_run=False)


def test_two_protocols_are_one_too_many(here: Path, project_folder: Path) -> None:
    file = folds_of(here, {"a": "1", "b": "2", "c": "3", "d": "4"})
    told = {"corpus": "manifest", "root": here, "log_run": False}
    with pytest.raises(InputError, match="--protocol random: with --folds-file it is own-folds"):
        run_experiment("dummy", folds_file=file, protocol="random", **told)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--test-corpus and --folds-file are two protocols"):
        run_experiment("dummy", folds_file=file, test_root=here, **told)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--allow-leak is of folds that somebody else cut"):
        run_experiment("dummy", allow_leak=True, **told)  # type: ignore[arg-type]
    with pytest.raises(
        InputError, match="protocol 'own-folds': say which utterance is in which fold with --folds-file"
    ):
        run_experiment("dummy", protocol="own-folds", **told)  # type: ignore[arg-type]


def test_a_split_of_a_part_of_a_corpus_leaves_the_rest_out(tmp_path: Path, project_folder: Path) -> None:
    """Releases of MSP-Podcast have more than one test side; the official split knows one of them."""
    root = msp_podcast.build(tmp_path / "msp")
    result = run_experiment("dummy", root=root, labels="4class", protocol="official", log_run=False)
    utterances = result.prepared.utterances
    assert set(utterances["partition"]) == {"train", "dev", "test"}
    (fold,) = result.prepared.folds.folds
    assert set(utterances["partition"].iloc[fold.train]) == {"train", "dev"}
    assert len(result.predictions) == (utterances["partition"] == "test").sum()
    assert any("in none of its folds and are left out, e.g. 'MSP-PODCAST_0007_00" in line for line in result.warnings)
    (tmp_path / "berlin").mkdir()
    berlin = emodb.build(tmp_path / "berlin")
    both = ["--corpus", str(root), "--corpus", str(berlin)]
    pooled = ser("run", "dummy", *both, "--labels", "4class", "--protocol", "official")
    assert pooled.returncode == 2
    assert "protocol 'official': it is not of 'emodb'" in pooled.stderr


@pytest.mark.slow
def test_a_search_is_tried_on_the_official_development_side(tmp_path: Path, project_folder: Path) -> None:
    root = msp_podcast.build(tmp_path / "msp")
    result = run_experiment(
        "svm_lld_tuned",
        root=root,
        labels="4class",
        protocol="official",
        overrides=["search.trials=3"],
        log_run=False,
    )
    rows = result.prepared.rows
    (report,) = result.reports.values()
    assert report.search is not None
    first = report.search.trials[0]
    dev, train = (rows.utterances["partition"].isin([side]).to_numpy() for side in ("dev", "train"))
    tuned = result.prepared.estimator.estimator
    fitted = tuned._pipeline(first["params"], calibrate=False).fit(rows.table[train], rows.truth[train])
    assert first["uar"] == pytest.approx(balanced_accuracy_score(rows.truth[dev], fitted.predict(rows.table[dev])))
    assert "tuned on the development side" in result.prepared.folds.words
