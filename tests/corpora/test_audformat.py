"""Databases in audformat: which tables are read, what is told of speakers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ser_experiments.corpora import chosen, load_corpus, read_corpus
from ser_experiments.errors import InputError
from tests.command import ser
from tests.corpora.trees import audformat


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return audformat.build(tmp_path / "db")


def test_what_is_read(folder: Path) -> None:
    _, reading = read_corpus("audformat", folder.parent)
    table = reading.utterances
    assert reading.name == "audformat-small"
    assert len(table) == 3 * 2 * 7
    row = table.loc["wav/03a_0"]
    assert (row["speaker"], row["gender"], row["emotion"], row["text_id"]) == ("03", "m", "anger", "a")
    assert (row["partition"], row["start_s"] != row["start_s"]) == ("train", True)
    assert table.loc["wav/03a_6", "code"] == "xxx"
    cut = table.loc["wav/09b_2[0.1-0.3]"]
    assert (cut["start_s"], cut["end_s"], cut["partition"], cut["gender"]) == (0.1, 0.3, "test", None)
    assert table.loc["wav/09a_0[0.1-nan]", "start_s"] == 0.1
    assert "1 rows have no recording and are left out, e.g. wav/gone" in reading.notes
    assert load_corpus("audformat", folder, "4class").classes == ["angry", "happy", "neutral", "sad"]


def test_a_source_can_be_chosen(folder: Path) -> None:
    _, reading = read_corpus("audformat", folder, source="desired")
    assert set(reading.utterances["emotion"]) == {"neutral"}
    assert "emotion.categories.train.desired (desired)" in reading.notes[0]
    with pytest.raises(InputError, match="no labels of the source 'desire'; did you mean 'desired'"):
        read_corpus("audformat", folder, source="desire")


def test_it_is_recognised(folder: Path) -> None:
    assert chosen(None, folder) == chosen(None, folder.parent) == "audformat"


def test_a_pickle_is_never_opened(folder: Path) -> None:
    (folder / "db.files.csv").rename(folder / "db.files.pkl")
    with pytest.raises(InputError, match=r"db\.files\.pkl: a pickle may run code when it is read and is not opened"):
        read_corpus("audformat", folder)
    (folder / "db.files.pkl").unlink()
    with pytest.raises(InputError, match=r"no db\.files\.csv or db\.files\.parquet, which db\.yaml names"):
        read_corpus("audformat", folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "cannot be read as YAML"),
        ("name: x\n", "no tables in it"),
        ("!!python/object/apply:os.system ['true']\n", "cannot be read as YAML"),
        ("tables: {files: {type: filewise, columns: {speaker: {}}}}\n", "no table has a column 'emotion'"),
        ("tables: {files: 3}\n", "tables: 'files' is described by 3; expected keys and values"),
        ("tables: {files: {columns: [emotion]}}\n", "tables: 'files' is described by "),
    ],
)
def test_a_header_that_is_none_is_said(folder: Path, text: str, said: str) -> None:
    (folder / "db.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_corpus("audformat", folder)


def test_without_speakers_nothing_is_read(folder: Path) -> None:
    header = (folder / "db.yaml").read_text().replace("files: {type: filewise", "files: {type: segmented")
    (folder / "db.yaml").write_text(header)
    with pytest.raises(InputError, match="no table tells the speaker of a file"):
        read_corpus("audformat", folder)


def test_nothing_outside_is_read(folder: Path) -> None:
    path = folder / "db.emotion.categories.train.gold_standard.csv"
    path.write_text(path.read_text().replace("wav/gone.wav", "../gone.wav"))
    with pytest.raises(InputError, match=r"'\.\./gone\.wav' leads out of the folder"):
        read_corpus("audformat", folder)


def test_damaged_tables_are_said(folder: Path) -> None:
    path = folder / "db.emotion.categories.test.gold_standard.parquet"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(InputError, match=r"gold_standard\.parquet: cannot be read as Parquet"):
        read_corpus("audformat", folder)
    path.unlink()
    (folder / f"{path.stem}.csv").write_text("file,start,end,emotion\nwav/09a_0.wav,soon,later,anger\n")
    with pytest.raises(InputError, match=r"test\.gold_standard': start: .*expected times"):
        read_corpus("audformat", folder)


@pytest.mark.slow
def test_a_support_vector_machine_runs_on_it(folder: Path, project_folder: Path) -> None:
    done = ser("run", "svm_lld", "--root", str(folder), "--labels", "4class", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["corpus"] == "audformat-small"
    assert told["n_groups"] == 3
    assert told["metrics"]["uar"] >= 0
