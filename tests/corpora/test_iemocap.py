"""The IEMOCAP loader, with every trap of the release's layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ser_experiments.corpora import SCHEMES, load_corpus, read_corpus
from ser_experiments.corpora._describe import beside, compare_counts, counts, differences
from ser_experiments.corpora._iemocap_counts import expected
from ser_experiments.errors import InputError
from tests.iemocap_tree import HEADER, add_dialog, block, complete_tree, small_tree, tone


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


def test_speaker_is_the_letter_of_the_last_field(tree: Path) -> None:
    table = load_corpus("iemocap", tree).utterances
    assert table.loc["Ses01F_impro01_M000", "speaker"] == "1M"
    assert table.loc["Ses01F_impro01_M000", "gender"] == "m"
    assert table.loc["Ses01M_script01_1_F000", "speaker"] == "1F"
    assert table.loc["Ses03M_impro05a_F000", "speaker"] == "3F"
    assert sorted(table["speaker"].unique()) == ["1F", "1M", "3F", "3M"]


def test_columns_of_the_raters(tree: Path) -> None:
    row = load_corpus("iemocap", tree).utterances.loc["Ses01F_impro01_F003"]
    assert (row["emotion"], row["label"]) == ("ang", "angry")
    assert row["votes"] == "anger=2;other=1;surprise=1"
    assert row["n_raters"] == 3
    assert row["agreement"] == pytest.approx(2 / 3)
    assert (row["valence"], row["activation"], row["dominance"]) == (2.5, 2.5, 2.5)
    assert row["scenario"] == "improvised"
    assert row["session"] == "Session1"


@pytest.mark.parametrize(
    ("labels", "classes", "n"),
    [
        ("4class", ["angry", "happy", "neutral", "sad"], 5),
        ("4class-happy-only", ["angry", "happy", "neutral", "sad"], 4),
        ("5class", ["angry", "frustrated", "happy", "neutral", "sad"], 6),
        ("6class", ["angry", "excited", "frustrated", "happy", "neutral", "sad"], 6),
        ("8class", ["angry", "excited", "frustrated", "happy", "neutral", "sad"], 6),
    ],
)
def test_label_schemes(tree: Path, labels: str, classes: list[str], n: int) -> None:
    corpus = load_corpus("iemocap", tree, labels)
    assert corpus.classes == classes
    assert len(corpus.utterances) == n * 2 * 4  # codes kept x two speakers x four dialogs


@pytest.mark.parametrize("subset", ["improvised", "scripted"])
def test_subsets(tree: Path, subset: str) -> None:
    whole, part = load_corpus("iemocap", tree), load_corpus("iemocap", tree, subset=subset)
    assert set(part.utterances["scenario"]) == {subset}
    assert len(part.utterances) == len(whole.utterances) / 2


def test_root_may_be_the_parent(tree: Path) -> None:
    assert load_corpus("iemocap", tree.parent).row_digest == load_corpus("iemocap", tree).row_digest


def test_files_of_a_mac_and_hidden_extras_are_passed_over(tree: Path) -> None:
    before = load_corpus("iemocap", tree).row_digest
    labels = tree / "Session1/dialog/EmoEvaluation"
    (labels / "._Ses01F_impro01.txt").write_bytes(b"\x00\x05\x16\x07\xff\xfe")
    (labels / "Categorical").mkdir()
    (labels / "Categorical" / "Ses01F_impro01_e2_cat.txt").write_text("junk")
    wavs = tree / "Session1/sentences/wav"
    (wavs / "Ses01F_impro01" / "._Ses01F_impro01_F000.wav").write_bytes(b"\x00\x05\x16\x07")
    (wavs / ".DS_Store").write_bytes(b"\x00")
    (wavs / "._Ses01F_impro01").write_bytes(b"\x00")
    assert load_corpus("iemocap", tree).row_digest == before


def test_latin_1_comments_and_odd_white_space(tree: Path) -> None:
    path = tree / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    text = path.read_text().replace("(curious)", "(d\xe9j\xe0 vu)").replace("\tang\t", " \tang  \t ")
    path.write_bytes(text.replace("\n", "\r\n").encode("latin-1"))
    assert load_corpus("iemocap", tree).utterances.loc["Ses01F_impro01_F003", "emotion"] == "ang"


def test_values_off_the_scale_are_kept_and_said_once(tree: Path) -> None:
    path = tree / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    path.write_text(path.read_text().replace("2.5000, 2.5000, 2.5000", "5.5000, 2.5000, 0.5000", 1))
    _, reading = read_corpus("iemocap", tree)
    assert reading.utterances.loc["Ses01F_impro01_F000", "valence"] == 5.5
    assert [note for note in reading.notes if "off the 1-5 scale" in note and "valence" in note and "5.5" in note]
    assert [note for note in reading.notes if "dominance" in note and "0.5" in note]


def test_labels_without_recording_and_recordings_without_label(tree: Path) -> None:
    wavs = tree / "Session1/sentences/wav/Ses01F_impro01"
    (wavs / "Ses01F_impro01_F000.wav").unlink()
    tone(wavs / "Ses01F_impro01_MXX0.wav", 5)
    _, reading = read_corpus("iemocap", tree)
    assert "Ses01F_impro01_F000" not in reading.utterances.index
    assert "Ses01F_impro01_MXX0" not in reading.utterances.index
    assert any("1 labelled turns have no recording" in note for note in reading.notes)
    assert any("1 recordings have no label" in note for note in reading.notes)


def test_a_turn_that_stands_twice_counts_once(tree: Path) -> None:
    path = tree / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    path.write_text(path.read_text() + block("Ses01F_impro01_F000", "ang"))
    copy = path.with_name("Ses01F_impro01 copy.txt")
    shutil.copy(path, copy)
    _, reading = read_corpus("iemocap", tree)
    assert reading.utterances.index.is_unique
    assert reading.utterances.loc["Ses01F_impro01_F000", "emotion"] == "neu"
    assert any("occurs twice" in note for note in reading.notes)
    assert any("no turn of this dialog" in note for note in reading.notes)


def test_without_transcripts(tree: Path) -> None:
    for session in tree.iterdir():
        shutil.rmtree(session / "dialog" / "transcriptions")
    assert load_corpus("iemocap", tree).utterances["text_id"].isna().all()


def test_same_words_have_the_same_text_id(tree: Path) -> None:
    table = load_corpus("iemocap", tree).utterances
    assert table.loc["Ses01F_impro01_F000", "text_id"] == table.loc["Ses03M_impro05a_F000", "text_id"]
    assert table.loc["Ses01F_impro01_F000", "text_id"] != table.loc["Ses01F_impro01_F001", "text_id"]


def test_missing_sessions_are_said_and_the_rest_is_used(tree: Path) -> None:
    _, reading = read_corpus("iemocap", tree)
    assert [note[:8] for note in reading.notes if "is missing" in note] == ["Session2", "Session4", "Session5"]
    assert differences(compare_counts(reading.utterances, expected(), SCHEMES))


def test_counts_stand_beside_those_of_a_complete_copy(tree: Path) -> None:
    _, reading = read_corpus("iemocap", tree)
    compared = compare_counts(reading.utterances, expected(), SCHEMES)
    sessions, speakers = beside(compared, "session"), beside(compared, "speaker")
    assert sessions.loc["neu", ["Session1", "Session2"]].tolist() == ["4/384", "0/362"]
    assert sessions.loc["utterances", "total"] == "56/10039"
    assert speakers.loc["3M", "happy"] == "4/158"
    assert "session Session1: neu 4, expected 384" in differences(compared)
    complete = beside(compared.assign(found=compared["expected"]), "session")
    assert complete.loc["utterances", "total"] == "10039"


def test_a_session_without_labels_is_said(tree: Path) -> None:
    shutil.rmtree(tree / "Session3/dialog")
    _, reading = read_corpus("iemocap", tree)
    assert any("Session3 has no labels" in note for note in reading.notes)
    assert set(reading.utterances["session"]) == {"Session1"}


def test_a_root_inside_the_release_is_told_where_it_begins(tree: Path) -> None:
    for inside in ("Session1", "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"):
        with pytest.raises(InputError, match="did you mean '.*IEMOCAP_full_release'"):
            load_corpus("iemocap", tree / inside)


def test_a_truncated_evaluation_file_is_said(tree: Path) -> None:
    path = tree / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    path.write_text(path.read_text() + "[9.1 - 10.")
    _, reading = read_corpus("iemocap", tree)
    assert any("cannot be read as a turn" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: None, "no folder: "),
        (lambda root: root.write_text(""), "not a folder: "),
        (lambda root: root.mkdir(), "no folder Session1 under"),
        (lambda root: (root / "Session1").mkdir(parents=True), "no utterance with both label and recording"),
    ],
)
def test_a_root_that_is_not_the_corpus(tmp_path: Path, make: object, message: str) -> None:
    root = tmp_path / "x"
    make(root)  # type: ignore[operator]
    with pytest.raises(InputError, match=message):
        load_corpus("iemocap", root)


def test_no_root_is_a_clear_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SER_IEMOCAP_ROOT", raising=False)
    with pytest.raises(InputError, match="--root PATH"):
        load_corpus("iemocap")


def test_root_from_the_environment(monkeypatch: pytest.MonkeyPatch, tree: Path) -> None:
    monkeypatch.setenv("SER_IEMOCAP_ROOT", str(tree))
    assert len(load_corpus("iemocap").utterances) == 40


def test_one_speaker_or_one_class_is_refused(tmp_path: Path) -> None:
    add_dialog(tmp_path, 1, "Ses01F_impro01", {"Ses01F_impro01_F000": "ang", "Ses01F_impro01_F001": "sad"})
    with pytest.raises(InputError, match="one speaker only"):
        load_corpus("iemocap", tmp_path)
    add_dialog(tmp_path, 1, "Ses01F_impro01", {"Ses01F_impro01_F000": "ang", "Ses01F_impro01_M000": "ang"})
    with pytest.raises(InputError, match="one class only"):
        load_corpus("iemocap", tmp_path)


@pytest.mark.slow
def test_a_complete_copy_has_the_expected_counts(tmp_path: Path) -> None:
    _, reading = read_corpus("iemocap", complete_tree(tmp_path))
    assert differences(compare_counts(reading.utterances, expected(), SCHEMES)) == []
    assert len(reading.utterances) == 10_039
    assert reading.utterances["speaker"].nunique() == 10
    sizes = counts(reading.utterances, SCHEMES)["by label scheme"]["utterances"]
    assert sizes.to_dict() == {
        "4class": 5531,
        "4class-happy-only": 4490,
        "5class": 7380,
        "6class": 7380,
        "8class": 7489,
    }
    four = load_corpus("iemocap", tmp_path).utterances
    assert len(four) == 5531
    assert four.index.is_unique
    codes = reading.utterances["emotion"].value_counts().to_dict()
    assert codes == {"xxx": 2507, "fru": 1849, "neu": 1708, "ang": 1103, "sad": 1084, "exc": 1041, "hap": 595,
                     "sur": 107, "fea": 40, "oth": 3, "dis": 2}  # fmt: skip


def test_header_alone_is_no_label(tmp_path: Path) -> None:
    add_dialog(tmp_path, 1, "Ses01F_impro01", {"Ses01F_impro01_F000": "ang", "Ses01F_impro01_M000": "sad"})
    empty = tmp_path / "Session1/dialog/EmoEvaluation/Ses01F_impro02.txt"
    empty.write_text(HEADER)
    _, reading = read_corpus("iemocap", tmp_path)
    assert len(reading.utterances) == 2
