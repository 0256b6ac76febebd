"""Labels and rows do not vanish, and none appears: gaps, unknown words, own maps, columns taken for ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ser_experiments.corpora import SCHEMES, LabelScheme, load_corpus, read_corpus
from ser_experiments.errors import InputError
from ser_experiments.evaluation.card import read_card
from ser_experiments.experiment import run_experiment
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.run import prepare
from ser_experiments.experiment.words import note
from ser_experiments.project import Project
from tests.command import ser
from tests.iemocap_tree import small_tree, tone


def corpus(folder: Path, words: list[str], header: str = "path,label,speaker", more: str = "") -> Path:
    """Write one clip a word for each of four speakers; `more` ends each line."""
    lines = [header]
    for speaker in ("p", "q", "r", "s"):
        for i, word in enumerate(words):
            tone(folder / f"{speaker}{i}.wav", 10 * ord(speaker) + i, seconds=0.1)
            lines.append(f"{speaker}{i}.wav,{word},{speaker}{more}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def said(folder: Path, labels: str | None = None, **own: Any) -> list[str]:
    return load_corpus("manifest", folder, labels, **own).left_out.lines


# --- gaps ------------------------------------------------------------------------------------------------------------

GAPS = [
    "nan", "None", "NA", "#N/A", "-", "?", "NaN", "n/a", "NULL", "<NA>", "--", "??", "–", "N.A.", " nan ", "(blank)",
    "Missing", "unknown", "\u200b", "\u00a0", "[]", "not available", "\\N", "¿?", "''",
]  # fmt: skip


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize(("column", "line"), [("label", "b.wav,{},2"), ("speaker", "b.wav,x,{}"), ("path", "{},x,2")])
def test_a_gap_is_no_class_and_nobody(tmp_path: Path, gap: str, column: str, line: str) -> None:
    tone(tmp_path / "a.wav", 1)
    tone(tmp_path / "b.wav", 2)
    (tmp_path / "metadata.csv").write_text(f"path,label,speaker\na.wav,x,1\n{line.format(gap)}\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"line 3: empty '{column}'"):
        load_corpus("manifest", tmp_path)


@pytest.mark.parametrize("gap", GAPS)
def test_a_gap_is_no_session_gender_scenario_or_segment(tmp_path: Path, gap: str) -> None:
    header = "path,label,speaker,session,gender,scenario,text_id,start,end"
    table = load_corpus("manifest", corpus(tmp_path, ["x", "y"], header, f",{gap}" * 6)).utterances
    assert table[["session", "gender", "scenario", "text_id", "start_s", "end_s"]].isna().all(axis=None)
    text = (tmp_path / "metadata.csv").read_text(encoding="utf-8").splitlines()
    text[2] = text[2].replace(f",{gap},", ",1,", 1)
    (tmp_path / "metadata.csv").write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(InputError, match="line 2: empty 'session' while others have one"):
        load_corpus("manifest", tmp_path)


def test_words_that_hold_a_gap_are_words(tmp_path: Path) -> None:
    words = ["(hot) anger", "blank stare", "missing you", "nancy", "natural", "non-neutral", "nulled", "unknown fear"]
    assert load_corpus("manifest", corpus(tmp_path, words)).classes == words


def test_what_nobody_sees_makes_no_class(tmp_path: Path) -> None:
    words = ["joy", "joy\u200b", "\ufeffjoy", "jo\u00ady", "\u200ejoy\u200f", "sad"]
    assert load_corpus("manifest", corpus(tmp_path, words)).classes == ["joy", "sad"]


# --- what a scheme does not know -------------------------------------------------------------------------------------


def test_words_without_a_class_are_counted_and_named(tmp_path: Path) -> None:
    root = corpus(tmp_path, ["angry", "happy", "hapy", "neutral", "sad", "boredom", "boredom"])
    first, *rest = said(root, "4class")
    assert "left out 12 of 28 utterances" in first
    assert ", by design: boredom 8; words without a class: hapy" in first
    assert "--map" in first
    assert "hapy (did you mean 'happy'?) 4" in first
    assert rest == []
    assert load_corpus("manifest", root, "4class").left_out.as_dict() == {
        "unknown": {"boredom": 8, "hapy": 4}, "by_design": ["boredom"], "dropped": {},
        "did_you_mean": {"hapy": "happy"}, "empty_classes": [],
    }  # fmt: skip


def test_the_words_of_ravdess_under_eight_classes(tmp_path: Path) -> None:
    words = ["neutral", "calm", "calm", "happy", "sad", "angry", "fearful", "fearful", "disgust", "surprised"]
    root = corpus(tmp_path, words)
    found = load_corpus("manifest", root, "8class")
    gone, empty = found.left_out.lines
    assert "left out 16 of 40" in gone
    assert gone.endswith("by design: calm 8, fearful 8")
    assert "no utterance is 'excited' or 'frustrated'" in empty
    assert len(found.classes) == 6


def test_what_a_scheme_is_not_meant_for_is_no_slip(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    found = load_corpus("iemocap", tree, "4class")
    (line,) = found.left_out.lines
    codes = read_corpus("iemocap", tree)[1].utterances["emotion"].value_counts()
    gone = codes[~codes.index.isin(SCHEMES["4class"].classes)]
    assert len(gone) > 1
    assert f"left out {gone.sum()} of {codes.sum()} utterances, by design: {gone.index[0]} {gone.iloc[0]}" in line
    assert "--map" not in line
    assert found.left_out.as_dict()["unknown"] == gone.to_dict()
    assert set(found.left_out.by_design) == set(gone.index)


def test_codes_of_a_corpus_of_its_own_are_known_by_its_other_schemes(tmp_path: Path) -> None:
    table = load_corpus("manifest", corpus(tmp_path, ["w", "l", "e"])).utterances.drop(columns="code")
    scheme = LabelScheme("two", {"w": "anger", "l": "boredom"}, "")
    assert scheme.left_out(table, {"w", "l", "e"}).lines == ["labels two left out 4 of 12 utterances, by design: e 4"]
    (line,) = scheme.left_out(table).lines
    assert "words without a class: e 4; --map" in line


def test_nothing_is_said_where_nothing_is_left_out(tmp_path: Path) -> None:
    assert said(corpus(tmp_path, ["angry", "joy", "neutral", "sad"]), "4class") == []
    assert said(tmp_path) == []


def test_what_is_left_out_travels_to_run_card_and_note(tmp_path: Path, project_folder: Path) -> None:
    root = corpus(tmp_path / "mine", ["angry", "happy", "neutral", "sad", "boredom"])
    where: dict[str, Any] = {"corpus": "manifest", "root": root, "labels": "4class"}
    result = run_experiment("dummy", log_run=False, jobs=1, **where)
    (warning,) = [line for line in result.warnings if "boredom 4" in line]
    assert result.as_dict()["left_out"]["unknown"] == {"boredom": 4}
    prepared = prepare(RunRequest(experiment="dummy", jobs=1, **where), Project(project_folder, {}))
    assert warning in note(prepared)
    card = prepared.selection.card
    assert card.facts["left_out"]["unknown"] == {"boredom": 4}
    done = ser("protocol", "--corpus", "manifest", "--root", str(root), "--labels", "4class")
    assert "left out   boredom 4" in done.stdout
    done = ser("run", "dummy", "--corpus", "manifest", "--root", str(root), "--labels", "4class", "--no-log")
    assert "note: labels 4class left out 4 of 20 utterances" in done.stdout


def test_rows_of_no_subset_are_counted_and_named(tmp_path: Path) -> None:
    text = ["path,label,speaker,scenario"]
    for i, scenario in enumerate(["improvised", "impro", "scripted", "-", "improvised"] * 4):
        tone(tmp_path / f"{i}.wav", i, seconds=0.1)
        text.append(f"{i}.wav,{'xy'[i % 2]},{'pq'[i // 10]},{scenario}")
    (tmp_path / "metadata.csv").write_text("\n".join(text))
    found = load_corpus("manifest", tmp_path, subset="improvised")
    assert len(found.utterances) == 8
    (note,) = found.notes
    assert "8 of 20 utterances are of no subset (scenario impro 4, none 4; known: improvised, scripted)" in note
    assert load_corpus("manifest", tmp_path).notes == ()


# --- words that may be one class -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("happy", "happiness"), ("anger", "angry"), ("fear", "fearful"), ("joy", "happy"), ("bored", "boredom"),
        ("low arousal", "lowarousal"), ("résigné", "resigne"), ("1", "1.0"), ("02", "2"), ("3", "3.00"),
        ("joy", "freude"), ("disgust", "disgusted"), ("calm", "calmness"),
    ],
)  # fmt: skip
def test_words_that_may_be_one_class_are_asked_about(tmp_path: Path, one: str, other: str) -> None:
    root = corpus(tmp_path, [one, one, other, "quiet"])
    with pytest.raises(InputError) as asked:
        load_corpus("manifest", root)
    assert f"{one!r} (8)" in str(asked.value)
    assert f"{other}={one}" in str(asked.value)
    joined = load_corpus("manifest", root, map={other: one})
    assert joined.classes == sorted([one, "quiet"])
    apart = load_corpus("manifest", root, map=[f"{other}={other}"])
    assert apart.classes == sorted([one, other, "quiet"])
    assert load_corpus("manifest", root, drop=[other]).classes == sorted([one, "quiet"])


def test_a_slip_of_the_pen_is_said(tmp_path: Path) -> None:
    (line,) = said(corpus(tmp_path, ["tender", "tendr", "certain", "uncertain", "class1", "class2"]))
    assert "'tender' beside 'tendr'" in line
    assert "--map tender=tendr" in line


@pytest.mark.parametrize(
    ("one", "other"), [("anegr", "anger"), ("netural", "neutral"), ("saddness", "sadness"), ("tender", "tenderr")]
)
def test_slips_of_other_kinds_are_said(tmp_path: Path, one: str, other: str) -> None:
    (line,) = said(corpus(tmp_path, [one, other, "quiet"]))
    assert f"{one!r} beside {other!r}" in line


def test_numbers_that_differ_are_classes(tmp_path: Path) -> None:
    assert load_corpus("manifest", corpus(tmp_path, ["1", "10", "100", "1.5", "0", "2"])).left_out.lines == []


def test_words_that_differ_in_marks_are_said(tmp_path: Path) -> None:
    (line,) = said(corpus(tmp_path, ["low_arousal", "low-arousal", "quiet"]))
    assert "'low-arousal' beside 'low_arousal'" in line


def test_one_word_in_two_encodings_is_one_word(tmp_path: Path) -> None:
    found = load_corpus("manifest", corpus(tmp_path, ["Ärger", "a\u0308rger", " ÄRGER ", "ruhe"]))
    assert found.classes == ["ruhe", "ärger"]


# --- own maps --------------------------------------------------------------------------------------------------------


def test_own_maps_are_part_of_the_setting(tmp_path: Path, project_folder: Path) -> None:
    root = corpus(tmp_path / "mine", ["joy", "anger", "disgust", "calm"])
    where = ["--corpus", "manifest", "--root", str(root), "--map", "joy=happy", "--drop", "disgust"]
    done = ser("run", "dummy", *where, "--no-log", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["labels"] == "as-is+joy=happy,-disgust"
    assert told["setting"] == "mine-as-is_joy_happy_-disgust-leave-one-speaker-out"
    assert told["left_out"]["dropped"] == {"disgust": 4}
    assert told["n_utterances"] == 12
    assert {"recall_happy", "recall_anger", "recall_calm"} <= set(told["metrics"])
    plain = json.loads(ser("run", "dummy", *where[:4], "--no-log", "--json").stdout)
    assert plain["rows"] != told["rows"]

    card = tmp_path / "card.json"
    assert ser("protocol", *where, "--export", str(card)).returncode == 0
    assert read_card(card).facts["own_labels"] == {"labels": "as-is", "map": {"joy": "happy"}, "drop": ["disgust"]}
    again = ser("protocol", "--root", str(root), "--import", str(card))
    assert again.returncode == 0, again.stdout
    assert "same card" in again.stdout


def test_a_map_changes_a_scheme_by_word_code_or_class(tmp_path: Path) -> None:
    root = corpus(tmp_path, ["angry", "happy", "calm", "sad", "surprised"])
    mapped = load_corpus("manifest", root, "4class", map={"calm": "neutral", "surprised": "exc"})
    assert mapped.utterances["label"].value_counts().to_dict() == {"happy": 8, "angry": 4, "neutral": 4, "sad": 4}
    dropped = load_corpus("manifest", root, "4class", drop=["ang"])
    assert dropped.classes == ["happy", "sad"]
    assert "--drop left out 4 of 20 utterances: angry 4" in dropped.left_out.lines
    assert load_corpus("manifest", root, map={"Calm": "SAD"}).classes == ["angry", "happy", "sad", "surprised"]
    swapped = load_corpus("manifest", root, map=["sad=angry", "angry=sad"]).utterances
    assert swapped.groupby("emotion")["label"].first()[["sad", "angry"]].tolist() == ["angry", "sad"]


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"map": ["joy"]}, "--map 'joy': expected WORD=CLASS"),
        ({"map": ["=happy"]}, "expected WORD=CLASS"),
        ({"map": {"joi": "happy"}}, "--map joi=happy: no utterance is labelled 'joi'; did you mean 'joy'"),
        ({"drop": ["disgst"]}, "--drop disgst: no utterance is labelled 'disgst'; did you mean 'disgust'"),
        ({"map": ["joy=a", "joy=b"]}, "'joy' counts as 'a' already"),
        ({"map": {"joy": "sad"}, "drop": ["joy"]}, "--map and --drop both name 'joy'"),
        (
            {"labels": "4class", "map": {"disgust": "angri"}},
            "'angri' is no class of labels 4class; did you mean 'angry'",
        ),
        ({"labels": "4class", "map": {"disgust": "bored"}}, "other classes go with --labels as-is"),
    ],
)
def test_own_maps_that_are_refused(tmp_path: Path, own: dict[str, Any], message: str) -> None:
    root = corpus(tmp_path, ["joy", "anger", "disgust"])
    with pytest.raises(InputError, match=message) as caught:
        load_corpus("manifest", root, **own)
    assert "\n" not in str(caught.value)


def test_a_scheme_of_any_name_is_found_again_under_own_changes(tmp_path: Path) -> None:
    table = load_corpus("manifest", corpus(tmp_path, ["joy", "anger"])).utterances
    changed = LabelScheme("4+1", {}, "").changed({"joy": "happy"}, [], table)
    assert (changed.name, changed.base) == ("4+1+joy=happy", "4+1")


def test_a_long_map_makes_no_long_name(tmp_path: Path) -> None:
    words = [f"word{chr(97 + i)}" * 3 for i in range(12)]
    found = load_corpus(
        "manifest", corpus(tmp_path, words), map={word: "yes" if i % 2 else "no" for i, word in enumerate(words)}
    )
    assert len(found.labels.name) < 30
    other = load_corpus("manifest", tmp_path, map={word: "yes" if i % 3 else "no" for i, word in enumerate(words)})
    assert found.labels.name != other.labels.name


# --- columns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["split", "partition", "fold", "start_s", "begin", "offset", "subset", "duration", "Sex", "Fold #", "train/test",
     "kfold", "data-split", "is_valid", "StartTime", "start (s)", "end_ms", "t0", "onset-sec", "Segment Start", "dur"],
)  # fmt: skip
def test_a_column_that_could_be_taken_for_ours_is_said_to_be_unused(tmp_path: Path, name: str) -> None:
    root = corpus(tmp_path, ["x", "y"], f"path,label,speaker,{name}", ",7")
    found = load_corpus("manifest", root)
    (line,) = found.notes
    assert f"column {name.lower()!r} is not used" in line
    assert found.utterances[["start_s", "end_s"]].isna().all(axis=None)


@pytest.mark.slow
def test_it_is_said_where_folds_are_cut_and_checked(tmp_path: Path, project_folder: Path) -> None:
    root = corpus(tmp_path / "mine", ["tender", "tendr"] * 2, "path,label,speaker,split", ",train")
    words = ["column 'split' is not used: folds are cut by --protocol", "'tender' beside 'tendr'"]
    for command in (["protocol"], ["check", "dummy"]):
        lines = ser(*command, "--root", str(root)).stdout.splitlines()
        for said_of in words:
            assert len([line for line in lines if line.startswith("note: ") and said_of in line]) == 1, lines
    told = json.loads(ser("protocol", "--root", str(root), "--json").stdout)
    assert len(told["notes"]) == 2


def test_other_columns_are_no_news(tmp_path: Path) -> None:
    names = "age,rater,dataset,setting,friend,text,training_hours,tone,startle,latest,manifold"
    root = corpus(tmp_path, ["x", "y"], f"path,label,speaker,{names}", ",7" * 11)
    assert load_corpus("manifest", root).notes == ()


@pytest.mark.parametrize(
    "name", ["code", "start_s", "end_s", "emotion", "group", "fold", "predicted", "dialog", "votes", "p_x", "label_"]
)
@pytest.mark.parametrize("labels", ["as-is", "4class"])
def test_a_foreign_column_named_like_ours_does_no_harm(
    tmp_path: Path, name: str, labels: str, project_folder: Path
) -> None:
    root = corpus(tmp_path / "mine", ["anger", "sad"], f"path,label,speaker,session,{name}", ",1,other")
    plain = corpus(tmp_path / "plain", ["anger", "sad"], "path,label,speaker,session", ",1")
    mine, other = (load_corpus("manifest", one, labels, name="same") for one in (root, plain))
    assert mine.row_digest == other.row_digest
    columns = list(other.utterances.columns)
    told = mine.utterances[columns].drop(columns="path")
    assert told.equals(other.utterances.drop(columns="path"))
    assert "other" in mine.utterances.drop(columns=columns).to_numpy()
    done = ser("corpora", "describe", "manifest", "--root", str(root))
    assert done.returncode == 0, done.stderr


def test_one_file_twice_without_start_says_which_column_may_hold_it(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 1)
    (tmp_path / "metadata.csv").write_text("path,label,speaker,begin\na.wav,x,1,0\na.wav,y,2,1\n")
    with pytest.raises(InputError, match="'begin' is not used: segments are 'start' and 'end', in seconds"):
        read_corpus("manifest", tmp_path)


# --- how lists are written -------------------------------------------------------------------------------------------

LIST = "path;label;speaker;start;end\né 1.wav;x;1;0,1;0,3\nsub/b.wav;y;2;;\n"


@pytest.mark.parametrize(
    "content",
    [
        LIST.encode("utf-16"), LIST.encode("utf-16-le"), LIST.encode("utf-16-be"), LIST.encode("utf-32"),
        b"\xef\xbb\xbf" + LIST.encode(), b"sep=;\r\n" + LIST.replace("\n", "\r\n").encode(),
        ("\ufeffsep=;\n" + LIST).encode("utf-16-le"), LIST.replace("sub/b", "sub\\b").encode(),
        LIST.replace("é", "e\u0301").encode(), b'"sep=;"\n' + LIST.encode(),
    ],
)  # fmt: skip
def test_manifests_of_other_programs(tmp_path: Path, content: bytes) -> None:
    tone(tmp_path / "é 1.wav", 1)
    tone(tmp_path / "sub" / "b.wav", 2)
    (tmp_path / "metadata.csv").write_bytes(content)
    table = load_corpus("manifest", tmp_path).utterances
    assert table["path"].tolist() == [str(tmp_path / "é 1.wav"), str(tmp_path / "sub" / "b.wav")]
    assert table["start_s"].iloc[0] == pytest.approx(0.1)
    assert table["end_s"].iloc[0] == pytest.approx(0.3)


def test_names_that_are_decomposed_on_disk(tmp_path: Path) -> None:
    tone(tmp_path / "Ka\u0308se" / "o\u0308l.wav", 1)
    tone(tmp_path / "b.wav", 2)
    (tmp_path / "metadata.csv").write_text("path,label,speaker\nKäse/öl.wav,x,1\nb.wav,y,2\n", encoding="utf-8")
    assert load_corpus("manifest", tmp_path).utterances["path"].iloc[0] == str(tmp_path / "Ka\u0308se" / "o\u0308l.wav")


def test_backslashes_do_not_lead_out(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 1)
    tone(tmp_path / "in" / "b.wav", 2)
    (tmp_path / "in" / "metadata.csv").write_text("path,label,speaker\n..\\a.wav,x,1\nb.wav,y,2\n")
    with pytest.raises(InputError, match="leads out of"):
        load_corpus("manifest", tmp_path / "in")
