"""Lists as others publish them, and what training knows of what they test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ser_experiments.cli import ser
from ser_experiments.corpora import place_of, stem_of
from ser_experiments.errors import InputError
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.known import known, verdict
from ser_experiments.evaluation.lists import by_name, read_list
from ser_experiments.evaluation.own_folds import read_folds
from ser_experiments.evaluation.published_folds import check_folds

#: One clip in the forms of EmoBox (lines, one object), SpeechBrain, s3prl, nkululeko, a notebook of Windows.
FORMS = {
    "emobox.jsonl": '{"key": "emodb-03a01Fa", "wav": "downloads/emodb/wav/03a01Fa.wav", "emo": "happy"}\n',
    "emobox.json": '{\n "emodb-03a01Fa": {\n  "wav": "downloads/emodb/wav/03a01Fa.wav",\n  "emo": "happy"\n }\n}\n',
    "speechbrain.json": '{"03a01Fa": {"length": 1.9, "emo": "happy"}}',
    "s3prl.json": '{"labels": {"hap": 0}, "meta_data": [{"path": "wav/03a01Fa.wav", "label": "happy"}]}',
    "list.json": '[{"filename": "03a01Fa.wav", "emotion": "happy"}]',
    "nkululeko.csv": "file,speaker,emotion\n./wav/03a01Fa.wav,03,happy\n",
    "notebook.csv": ",path,emotion\n0,data\\wav\\03a01Fa.wav,happy\n",
    "ours.csv": "utterance_id,label\n03a01Fa,happy\n",
}


def write(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def listed(folder: Path, name: str, *clips: str) -> str:
    return write(folder, name, "\n".join(["file", *(f"{one}.wav" for one in clips)]) + "\n")


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_which_clip_and_what(tmp_path: Path, name: str) -> None:
    table = read_list(write(tmp_path, name, FORMS[name]))
    assert [stem_of(one) for one in table["utterance_id"]] == ["03a01Fa"]
    assert list(table["label"]) == ["happy"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "emotion,fold\nhappy,1\n", "no column 'utterance_id', nor path, file or key"),
        ("a.json", "[]", "no list of recordings"),
        ("a.json", '["x"]', "no list of recordings"),
        ("a.json", "{", "cannot be read as JSON"),
        ("a.jsonl", '{"wav": "x.wav"}\n{"wav": \n', "cannot be read as JSON"),
    ],
)
def test_what_is_no_list_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_list(write(tmp_path, name, text))


def test_words_for_sides_are_one(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "path,split\na.wav,Training\nb.wav,valid\nc.wav,test\nd.wav,1\n")
    assert list(read_folds(path)) == ["train", "dev", "test", "1"]


def test_names_mean_the_clips_whose_files_are_called_so() -> None:
    ids = pd.Index(["audio/a.flac", "audio/b.flac", "x/c.wav", "y/c.wav"])
    table = pd.DataFrame({"fold": ["1", "2", "3"]}, index=["there/a.wav", "b", "none.wav"])
    assert list(by_name(table, ids, "list").index) == ["audio/a.flac", "audio/b.flac", "none.wav"]
    # An id that is there is taken at its word, and the others with it.
    assert list(by_name(table.set_axis(["audio/a.flac", "b", "c"]), ids, "list").index) == ["audio/a.flac", "b", "c"]
    with pytest.raises(InputError, match="'c' may mean several utterances, e.g. 'x/c.wav'"):
        by_name(table.set_axis(["a", "b", "c.wav"]), ids, "list")
    with pytest.raises(InputError, match="several rows mean the utterance 'audio/a.flac'"):
        by_name(table.set_axis(["a.wav", "z/a.wav", "b"]), ids, "list")


def test_folds_of_files_are_folds_of_utterances(tmp_path: Path) -> None:
    lines = [f'{{"wav": "downloads/{one}.wav", "fold": {number}}}' for number, one in enumerate("abc", 1)]
    told = read_folds(write(tmp_path, "theirs.jsonl", "\n".join(lines)))
    rows = pd.DataFrame(
        {"speaker": list("xyz"), "session": None, "label": "sad"},
        index=pd.Index([f"audio/{one}.flac" for one in "abc"], name="utterance_id"),
    )
    folds = make_folds(rows, "own-folds", assigned=told)
    assert list(folds.assignment()) == ["1", "2", "3"]


def test_shares_are_counted_as_by_hand() -> None:
    rows = pd.DataFrame(
        {"speaker": list("aabbc"), "text_id": list("12121"), "emotion": list("xxyyx"), "session": [None] * 5},
        index=pd.Index(list("vwxyz"), name="utterance_id"),
    )
    folds = [Fold("1", np.array([1, 2]), np.array([0, 4])), Fold("2", np.array([0, 1, 3]), np.array([2, 3]))]
    found = {one.what: one for one in known(rows, folds)}
    # Fold 1 tests a1, c1 against a2, b1; fold 2 tests b1, b2 against a1, a2, b2.
    assert "its session" not in found
    assert (found["the clip itself"].n_known, found["the clip itself"].share) == (1, 0.25)
    assert (found["its speaker"].n_known, found["its speaker"].values_known, found["its speaker"].values_tested) == (
        3,
        2,
        3,
    )
    assert found["its text"].share == 1.0
    assert found["its text, by its speaker"].n_known == 1
    assert verdict(list(found.values())).startswith("leak: 25% of the tested clips are trained on")


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (["03a01Wa"], ["03a02Na"], "speaker-dependent: 100%"),
        (["03a01Wa", "08a01Wa"], ["09a01Na"], "speaker-independent: .* 100% of the tested clips say a text that is"),
        (["03a01Wa"], ["09b02Na"], "independent of speaker and text"),
        (["03a01Wa", "09b02Na"], ["09b02Na"], "leak: 100%"),
    ],
)
def test_names_of_files_are_enough(tmp_path: Path, train: list[str], test: list[str], said: str) -> None:
    lists = [listed(tmp_path, "test.csv", *test)]
    checked = check_folds(lists, place_of("emodb"), [listed(tmp_path, "train.csv", *train)])
    assert pd.Series(checked.verdict).str.match(said).all(), checked.verdict


def test_a_session_that_is_known_is_said(tmp_path: Path) -> None:
    train, test = (
        listed(tmp_path, "train.csv", "Ses01F_impro01_F000"),
        listed(tmp_path, "test.csv", "Ses01F_impro01_M001"),
    )
    assert check_folds([test], place_of("iemocap"), [train]).verdict.startswith("speaker-independent, but 100%")
    other = listed(tmp_path, "other.csv", "x/Ses02F_script01_1_M001")
    assert "nothing says which texts" in check_folds([other], place_of("iemocap"), [train]).verdict


def test_each_list_is_tested_by_the_others(tmp_path: Path) -> None:
    lists = [listed(tmp_path, "1.csv", "03a01Wa", "03a01Wa"), listed(tmp_path, "2.csv", "03a02Wa", "08a01Wa")]
    checked = check_folds(lists, place_of("emodb"))
    assert [(fold.name, len(fold.test), len(fold.train)) for fold in checked.folds] == [
        ("1.csv", 2, 2),
        ("2.csv", 2, 2),
    ]
    assert any("1 clips stand there twice, e.g. '03a01Wa.wav'" in note for note in checked.notes)
    one = write(tmp_path, "3.csv", "file,speaker,split\na.wav,x,train\nb.wav,x,val\nc.wav,y,test\n")
    told = check_folds([one], None)
    assert told.notes == ["2 clips are never tested"]
    assert told.verdict.startswith("speaker-independent: no tested speaker is in training; nothing says which texts")


def test_a_copy_says_what_names_do_not(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("path,speaker,label\na.wav,x,sad\nb.wav,x,sad\n")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"RIFF")
    folds = write(tmp_path, "folds.csv", "file,fold\nelsewhere/a.wav,1\nelsewhere/b.wav,2\n")
    assert check_folds([folds], place_of(f"manifest={tmp_path}")).verdict.startswith("speaker-dependent: 100%")
    gone = write(tmp_path, "gone.csv", "file,fold\na.wav,1\nc.wav,2\n")
    with pytest.raises(InputError, match=r"1 of 2 clips are not in this copy of manifest, e.g. 'c.wav'"):
        check_folds([gone], place_of(f"manifest={tmp_path}"))


@pytest.mark.parametrize(
    ("text", "corpus", "message"),
    [
        ("file,fold\n03a01Wa.wav,1\n", None, "nothing says who speaks; name the corpus"),
        ("file,fold\n03a01Wa.wav,1\nx.wav,2\n", "emodb", "1 of 2 clips are not named as those of emodb, e.g. 'x.wav'"),
        ("file,fold\n03a01Wa.wav,1\n", "demo", "the names of its files tell nothing"),
        ("file\n03a01Wa.wav\n", "emodb", "does not say what is trained on"),
        ("file,fold\n03a01Wa.wav,train\n", "emodb", "nothing is tested"),
        ("file,pred\n03a01Wa.wav,happy\n", None, "it holds predictions and no folds; score them with --card"),
    ],
)
def test_what_cannot_be_checked_is_one_line(tmp_path: Path, text: str, corpus: str | None, message: str) -> None:
    path = write(tmp_path, "a.csv", text)
    with pytest.raises(InputError, match=message) as error:
        check_folds([path], None if corpus is None else place_of(corpus))
    assert "\n" not in str(error.value)


def test_lists_that_are_trained_on_are_as_many(tmp_path: Path) -> None:
    one, other = listed(tmp_path, "1.csv", "03a01Wa"), listed(tmp_path, "2.csv", "03a02Wa")
    with pytest.raises(InputError, match="1 lists for 2 that are tested"):
        check_folds([one, other], place_of("emodb"), [one])


def test_the_command_shows_it(tmp_path: Path) -> None:
    lists = [listed(tmp_path, "1.csv", "03a01Wa", "08a01Wa"), listed(tmp_path, "2.csv", "03a02Na", "08a05Ta")]
    done = CliRunner().invoke(ser, ["verify", *lists, "--corpus", "emodb"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "2 folds, 4 clips tested, 4 in all" in done.output
    assert "2 of 2 speakers" in done.output
    assert max(map(len, done.output.splitlines()[:-1])) <= 80
    told = json.loads(CliRunner().invoke(ser, ["verify", *lists, "--corpus", "emodb", "--json"]).output)
    assert told["folds"]["1.csv"] == {"n_test": 2, "n_train": 2}
    assert {one["what"]: one["share"] for one in told["known"]}["its speaker"] == 1.0
    both = CliRunner().invoke(ser, ["verify", *lists, "--card", "card.json"])
    assert (both.exit_code, "--card scores one FILE of predictions" in both.output) == (2, True)
