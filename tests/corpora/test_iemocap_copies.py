"""Copies of IEMOCAP that are not the release: a folder more, and Parquet with the audio in it."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from ser_experiments.corpora import chosen, load_corpus, read_corpus
from ser_experiments.errors import InputError
from tests.command import ser
from tests.iemocap_tree import small_tree

_WORDS = {"neu": "neutral", "hap": "happy", "exc": "excited", "ang": "angry", "sad": "sad", "fru": "frustrated"}


@pytest.fixture
def parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the turns of a small release in two Parquet files."""
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "cache"))
    _, release = read_corpus("iemocap", small_tree(tmp_path / "release"))
    rows = [
        {
            "file": f"{turn}.wav",
            "audio": {"bytes": Path(row["path"]).read_bytes(), "path": f"{turn}.wav"},
            "major_emotion": _WORDS.get(row["code"], "no agreement"),
            "EmoAct": 2.5,
            "EmoVal": 3.0,
            "EmoDom": 5.5,
            "gender": "Female",
            "transcription": "Excuse me.",
        }
        for turn, row in release.utterances.iterrows()
    ]
    (tmp_path / "copy" / "data").mkdir(parents=True)
    for part, held in enumerate((rows[::2], rows[1::2])):
        pd.DataFrame(held).to_parquet(tmp_path / "copy" / "data" / f"train-{part}.parquet")
    return tmp_path / "copy"


def test_a_copy_in_parquet_is_read_like_the_release(parquet: Path) -> None:
    assert chosen(None, parquet) == "iemocap"
    before = {path: path.stat().st_mtime_ns for path in parquet.rglob("*")}
    _, reading = read_corpus("iemocap", parquet)
    assert {path: path.stat().st_mtime_ns for path in parquet.rglob("*")} == before
    assert reading.name == "iemocap-parquet"
    assert "labels are what most raters named, not the codes of the release" in reading.notes[0]
    assert any("dominance is off the 1-5 scale" in note for note in reading.notes)
    release = load_corpus("iemocap", parquet.parent / "release").utterances
    ours = load_corpus("iemocap", parquet).utterances
    columns = ["speaker", "session", "gender", "dialog", "scenario", "label"]
    pd.testing.assert_frame_equal(ours[columns], release.loc[ours.index, columns], check_dtype=False)
    assert len(ours) == len(release)
    for turn, path in ours["path"].items():
        assert Path(path).read_bytes() == Path(release.loc[turn, "path"]).read_bytes()


def test_a_copy_without_the_sound_is_said(parquet: Path) -> None:
    for path in (parquet / "data").iterdir():
        table = pd.read_parquet(path)
        table["audio"] = [{"bytes": None, "path": one["path"]} for one in table["audio"]]  # type: ignore[assignment]
        table.to_parquet(path)
    with pytest.raises(InputError, match="has no audio in it; get the copy with its bytes"):
        read_corpus("iemocap", parquet)


def test_a_release_lies_two_folders_below_in_copies_of_kaggle(tmp_path: Path) -> None:
    release = small_tree(tmp_path / "kaggle" / "archive" / "IEMOCAP_full_release")
    assert load_corpus("iemocap", tmp_path / "kaggle").root == release
    assert chosen(None, tmp_path / "kaggle") == "iemocap"


@pytest.mark.slow
def test_a_support_vector_machine_scores_a_copy_in_parquet_like_the_release(
    parquet: Path, project_folder: Path
) -> None:
    """The same turns, speakers and sound; what raters call a turn is the same in this copy."""
    told = {}
    for root in (parquet, parquet.parent / "release"):
        done = ser("run", "svm_lld", "--root", str(root), "--labels", "4class", "--json")
        assert done.returncode == 0, done.stderr
        told[root.name] = json.loads(done.stdout)
    copy, release = told["copy"], told["release"]
    assert copy["corpus"] == "iemocap-parquet"
    assert copy["n_utterances"] == release["n_utterances"]
    assert copy["metrics"]["uar"] == pytest.approx(release["metrics"]["uar"])
