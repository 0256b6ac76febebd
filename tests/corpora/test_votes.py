"""Raters' votes as what is to be predicted: of every corpus that has them, under its label schemes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_experiments.corpora import CorpusSpec, LabelScheme, get_corpus, load_corpus, pool, read_corpus
from ser_experiments.corpora._iemocap_parquet import _votes
from ser_experiments.corpora._rules import offered, rule_of
from ser_experiments.corpora._rules.votes import Shares
from ser_experiments.corpora._votes import counted, long, most, read_votes
from ser_experiments.errors import InputError
from tests.iemocap_tree import small_tree, tone


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


HEADER = "path,speaker,votes,valence"
LINES = ["a.wav,1,Angry=2;sad=1,2", "b.wav,1,sad=2;happy=1,3", "c.wav,2,angry=1;sad=1,1", "d.wav,2,,4"]


def manifest(folder: Path, lines: list[str] = LINES, header: str = HEADER) -> Path:
    for seed, line in enumerate(lines):
        tone(folder / line.split(",")[0], seed)
    (folder / "metadata.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def shares(table: pd.DataFrame) -> dict[str, list[float]]:
    return {column: table[column].tolist() for column in table if column.startswith("share_")}  # type: ignore[attr-defined]


def test_each_class_has_its_share_of_the_votes(tree: Path) -> None:
    corpus = load_corpus("iemocap", tree, "votes-4class")
    assert corpus.task.targets == ("angry", "happy", "neutral", "sad")
    assert corpus.labels.name == "votes-4class"
    assert corpus.labels.rule == (
        "angry = ang; happy = hap + exc; neutral = neu; sad = sad; shares of the votes, as they are, nothing added; "
        "votes for other words are left out"
    )
    # All say one of the four or another word, but for frustration, which is none of them.
    assert len(corpus.utterances) == 48
    assert corpus.left_out.lines == [
        "labels votes-4class left out 128 of 224 votes, by design: other 56, surprise 56, frustration 16",
        "labels votes-4class left out 8 of 56 utterances: without votes for a class 8",
    ]
    wide = load_corpus("iemocap", tree, "votes-8class").utterances
    row = wide.loc["Ses01F_impro01_F003"]
    assert row["votes"] == "anger=2;other=1;surprise=1"
    assert (row["share_angry"], row["share_surprised"], row["label"]) == (2 / 3, 1 / 3, "angry")
    assert wide.filter(like="share_").sum(axis=1).tolist() == pytest.approx([1.0] * len(wide))


def test_utterances_without_a_majority_are_there(tree: Path) -> None:
    path = tree / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    text = path.read_text().replace("C-E4:\tSurprise;", "C-E4:\tSadness;").replace("C-E2:\tAnger;", "C-E2:\tSadness;")
    path.write_text(text.replace("C-E3:\tAnger; Other;", "C-E3:\tAnger; Happiness;"))
    table = load_corpus("iemocap", tree, "votes-4class").utterances
    row = table.loc["Ses01F_impro01_F003"]
    assert row["votes"] == "sadness=2;anger=1;happiness=1"
    assert (row["label"], row["share_sad"]) == ("sad", 0.5)
    tied = table.loc["Ses01F_impro01_F005"]  # Frustration, frustration, sadness: one usable vote.
    assert (tied["label"], tied["share_sad"]) == ("sad", 1.0)
    none = load_corpus("iemocap", tree, "votes-4class", map=["other=angry"]).utterances.loc["Ses01F_impro01_F005"]
    assert (none["votes"], none["label"]) == ("frustration=2;other=1;sadness=1", "")
    assert (none["share_angry"], none["share_sad"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("raters", "votes"),
    [
        ("external", "anger=2;other=1;surprise=1"),
        ("self", "sadness=1"),
        ("all", "anger=2;other=1;sadness=1;surprise=1"),
    ],
)
def test_whose_votes_count_is_said_and_chosen(tree: Path, raters: str, votes: str) -> None:
    _, reading = read_corpus("iemocap", tree, raters=raters)
    assert reading.utterances.loc["Ses01F_impro01_F003", "votes"] == votes
    assert any("votes are those of" in note for note in reading.notes) == (raters != "external")
    assert reading.utterances["emotion"].equals(read_corpus("iemocap", tree)[1].utterances["emotion"])


def test_raters_that_are_none_are_refused(tree: Path) -> None:
    with pytest.raises(InputError, match="corpus 'iemocap': --raters is 'sel'; did you mean 'self'"):
        read_corpus("iemocap", tree, raters="sel")


@pytest.mark.slow
def test_the_speakers_of_the_demo_have_votes_of_their_own(demo_root: Path) -> None:
    outside, own, both = (
        read_corpus("demo", demo_root.parent, raters=one)[1].utterances for one in ("external", "self", "all")
    )
    assert (outside["n_raters"] == 3).all()
    assert set(own["n_raters"]) == {0, 1}
    assert (both["n_raters"] == outside["n_raters"] + own["n_raters"]).all()
    assert load_corpus("demo", demo_root.parent, "votes-4class").utterances["label"].eq("").any()


def test_own_changes_are_of_the_raters_words(tree: Path) -> None:
    corpus = load_corpus("iemocap", tree, "votes-4class", map=["Surprise=happy"], drop=["neutral"])
    assert corpus.labels.name == "votes-4class+surprise=happy,-neutral"
    assert corpus.labels.own == {"labels": "votes-4class", "map": {"surprise": "happy"}, "drop": ["neutral"]}
    row = corpus.utterances.loc["Ses01F_impro01_F003"]
    assert (row["share_angry"], row["share_happy"]) == (2 / 3, 1 / 3)
    assert corpus.task.targets == ("angry", "happy", "sad")
    assert "--drop left out 32 of 224 votes: neutral 32" in corpus.left_out.lines
    with pytest.raises(InputError, match="--map surprize=happy: no utterance is labelled 'surprize'; did you mean"):
        load_corpus("iemocap", tree, "votes-4class", map=["surprize=happy"])


def test_votes_may_be_added_to_every_class(tree: Path) -> None:
    corpus = load_corpus("iemocap", tree, "votes-4class-plus-0.5")
    row = corpus.utterances.loc["Ses01F_impro01_F003"]
    assert row["votes"].startswith("anger=2")
    assert [row[f"share_{c}"] for c in corpus.task.targets] == [2.5 / 4, 0.5 / 4, 0.5 / 4, 0.5 / 4]
    assert "with 0.5 votes added to each class" in corpus.labels.rule
    assert corpus.row_digest != load_corpus("iemocap", tree, "votes-4class").row_digest


def test_fewer_classes_take_the_votes_for_them_alone(tree: Path) -> None:
    corpus = load_corpus("iemocap", tree, "votes-8class")
    rule = corpus.labels.among(["angry", "surprised"])
    table = rule.apply(corpus.utterances)
    assert shares(table.loc[["Ses01F_impro01_F003", "Ses01F_impro01_F000"]]) == {
        "share_angry": [2 / 3, 0.0],
        "share_surprised": [1 / 3, 1.0],
    }
    assert rule.task(table, "x").targets == ("angry", "surprised")


def test_names_of_rules() -> None:
    iemocap, crema = get_corpus("iemocap"), get_corpus("crema_d")
    assert {"votes-4class", "votes-as-is", "valence"} <= set(offered(iemocap))
    assert "votes-perceived-voice" not in offered(crema)
    assert isinstance(rule_of(crema, "votes-6class"), Shares)
    for name, hint in (("votes-4clas", "did you mean 'votes-4class'"), ("votes-perceived-av", ""), ("votes-", "")):
        with pytest.raises(InputError, match=f"unknown label scheme '{name}'.*{hint}"):
            rule_of(iemocap if hint else crema, name)


@pytest.mark.parametrize("name", ["crema_d", "emozionalmente", "msp_improv", "msp_podcast"])
def test_every_corpus_with_votes_has_shares(name: str, tmp_path: Path) -> None:
    from importlib import import_module

    root = import_module(f"tests.corpora.trees.{name}").build(tmp_path)
    utterances = read_corpus(name, root)[1].utterances
    spec = get_corpus(name)
    for labels in (*spec.schemes, "as-is"):
        if f"votes-{labels}" not in offered(spec):
            continue
        rule = rule_of(spec, f"votes-{labels}")
        table = rule.apply(utterances)
        assert len(table)
        assert np.allclose(table.filter(regex="^share_").sum(axis=1), 1)
        if labels != "as-is":
            assert {c.removeprefix("share_") for c in shares(table)} <= set(spec.schemes[labels].classes.values())


def test_a_corpus_without_votes_says_so(tmp_path: Path) -> None:
    root = manifest(tmp_path, ["a.wav,x,1", "b.wav,y,2"], "path,label,speaker")
    with pytest.raises(InputError, match=r"labels votes-4class: nobody voted in this copy \(no column 'votes'"):
        load_corpus("manifest", root, "votes-4class")
    lone = manifest(tmp_path / "one", ["a.wav,angry=1,1", "b.wav,anger=2,2"], "path,votes,speaker")
    with pytest.raises(InputError, match="all votes are for 'angry'; at least two classes are needed"):
        load_corpus("manifest", lone, "votes-4class")
    with pytest.raises(InputError, match="'anger' .* and 'angry' .* would be classes of their own"):
        load_corpus("manifest", lone, "votes-as-is")


def test_pooled_corpora_have_the_votes_for_what_they_share(tree: Path, tmp_path: Path) -> None:
    lines = ["a.wav,1,angry=2;sad=1;disgust=3", "b.wav,1,sad=2", "c.wav,2,disgust=2", "d.wav,2,angry=1"]
    mine = load_corpus("manifest", manifest(tmp_path / "mine", lines, "path,speaker,votes"), "votes-8class")
    pooled = pool([load_corpus("iemocap", tree, "votes-8class"), mine])
    assert pooled.task.targets == ("angry", "sad")
    table = pooled.utterances
    assert list(shares(table)) == ["share_angry", "share_sad"]
    assert table.loc["mine/a.wav", ["share_angry", "share_sad"]].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert table.loc["iemocap/Ses01F_impro01_F003", "share_angry"] == 1
    assert np.allclose(pooled.task.truth(table).sum(axis=1), 1)
    assert "mine/c.wav" not in table.index


# --- manifests -----------------------------------------------------------------------------------------------------


def test_a_manifest_of_votes_needs_no_label(tmp_path: Path) -> None:
    corpus = load_corpus("manifest", manifest(tmp_path), "votes-4class")
    table = corpus.utterances
    assert table["emotion"].tolist() == ["angry", "sad", "xxx"]
    assert table["label"].tolist() == ["angry", "sad", ""]
    assert shares(table) == {
        "share_angry": [2 / 3, 0.0, 0.5],
        "share_happy": [0.0, 1 / 3, 0.0],
        "share_sad": [1 / 3, 2 / 3, 0.5],
    }
    assert table["n_raters"].tolist() == [3, 3, 2]
    assert "labels votes-4class left out 1 of 4 utterances: without votes for a class 1" in corpus.left_out.lines


def test_that_raters_did_not_agree_is_no_class(tmp_path: Path) -> None:
    lines = ["a.wav,1,angry=2", "b.wav,1,sad=2", "c.wav,2,angry=1;sad=1", "d.wav,2,sad=1"]
    corpus = load_corpus("manifest", manifest(tmp_path, lines, "path,speaker,votes"))
    assert corpus.classes == ["angry", "sad"]
    assert corpus.left_out.lines == ["labels as-is left out 1 of 4 utterances, by design: xxx 1"]


def test_a_manifest_of_numbers_needs_no_label(tmp_path: Path) -> None:
    lines = ["a.wav,1,1.5,2", "b.wav,2,4,3"]
    corpus = load_corpus("manifest", manifest(tmp_path, lines, "path,speaker,valence,activation"), "dimensions")
    assert corpus.task.targets == ("valence", "arousal")
    assert corpus.utterances["valence"].tolist() == [1.5, 4.0]
    with pytest.raises(InputError, match="no utterance left"):
        load_corpus("manifest", tmp_path)


VOTES = "utterance_id,rater,label\na,r1,Angry\na,r2,sad\na,r1,angry\nb,r1,sad\nc,r1,happy\nc,r3,happy\nzz,r1,sad\n"


def by_rater(folder: Path, text: str = VOTES) -> tuple[Path, str]:
    lines = ["a.wav,1,a", "b.wav,1,b", "c.wav,2,c", "d.wav,2,d"]
    root = manifest(folder, lines, "path,speaker,utterance_id")
    (folder / "votes.csv").write_text(text, encoding="utf-8")
    return root, str(folder / "votes.csv")


def test_votes_may_be_in_a_file_of_their_own(tmp_path: Path) -> None:
    root, file = by_rater(tmp_path)
    corpus = load_corpus("manifest", root, "votes-as-is", votes=file)
    assert corpus.utterances["votes"].tolist() == ["angry=1;sad=1", "sad=1", "happy=2"]
    assert corpus.notes == (
        "votes.csv: 1 votes stand there twice and count once",
        "votes.csv: 1 votes are of utterances that are not here, e.g. 'zz'",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utterance_id,label\na,sad\n", "no column 'rater'; expected a list of votes"),
        ("utterance_id,rater,label\na,r1,\n", "line 2: empty 'label'; every vote needs one"),
        ("utterance_id,rater,label\nx,r1,sad\n", "no vote is of an utterance of"),
        ("", "no rows"),
    ],
)
def test_a_file_of_votes_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    root, file = by_rater(tmp_path, text)
    with pytest.raises(InputError, match=message):
        load_corpus("manifest", root, "votes-as-is", votes=file)


def test_votes_in_two_places_or_written_otherwise_are_refused(tmp_path: Path) -> None:
    _, file = by_rater(tmp_path / "rated")
    root = manifest(tmp_path / "own")
    with pytest.raises(InputError, match="votes are in its column 'votes' and in --votes"):
        load_corpus("manifest", root, "votes-4class", votes=file)
    odd = manifest(tmp_path / "odd", ["a.wav,1,angry:2", "b.wav,2,sad=1"], "path,speaker,votes")
    with pytest.raises(InputError, match=r"line 2: votes 'angry:2'; expected words with counts, e.g. angry=2;sad=1"):
        load_corpus("manifest", odd, "votes-4class")
    labelled = manifest(tmp_path / "labelled", ["a.wav,1,7,x", "b.wav,2,8,y"], "path,speaker,votes,label")
    corpus = load_corpus("manifest", labelled)
    assert corpus.utterances["manifest.votes"].tolist() == ["7", "8"]
    assert any("column 'votes' is not used" in note for note in corpus.notes)


def test_a_column_that_is_called_like_a_share_is_the_files_own(tmp_path: Path) -> None:
    lines = [f"{line},0.5" for line in LINES]
    table = load_corpus("manifest", manifest(tmp_path, lines, f"{HEADER},share_x"), "votes-4class").utterances
    assert table["manifest.share_x"].tolist() == ["0.5"] * 3
    assert "share_x" not in table


# --- votes as texts ------------------------------------------------------------------------------------------------


@given(votes=st.dictionaries(st.sampled_from(["anger", "sad", "a b"]), st.integers(1, 30)))
def test_votes_read_what_was_written(votes: dict[str, int]) -> None:
    assert read_votes(counted(votes)["votes"], "x") == votes
    table = long(pd.DataFrame({"votes": [counted(votes)["votes"], None]}))
    assert dict(zip(table["emotion"], table["n"], strict=True)) == votes
    assert (table["utterance"] == 0).all()


def test_shares_of_a_parquet_copy_lose_what_smoothed_them() -> None:
    names = ["frustrated", "angry", "sad", "disgust", "excited", "fear", "neutral", "surprise", "happy"]
    plain = np.array([0, 2, 1, 0, 0, 0, 0, 0, 0]) / 3
    smoothed = plain * 0.95 + (1 - plain) * 0.05 / 8
    told = read_votes(_votes(dict(zip(names, smoothed.astype(np.float32).astype(float), strict=True))), "x")
    assert told == pytest.approx({"angry": 2 / 3, "sad": 1 / 3}, abs=1e-4)
    assert most(told) == "angry"
    assert _votes(dict.fromkeys(names, None)) == ""


def test_shares_without_counts_are_shares_too() -> None:
    spec: CorpusSpec = get_corpus("iemocap")
    table = pd.DataFrame({"votes": ["angry=0.6667;sad=0.3333", "sad=1.0000"]}, index=["u", "v"])
    rule = rule_of(spec, "votes-4class")
    assert shares(rule.apply(table)) == {
        "share_angry": pytest.approx([2 / 3, 0], abs=1e-3),
        "share_sad": pytest.approx([1 / 3, 1], abs=1e-3),
    }
    assert rule.left_out(table).n_votes == 3
    assert isinstance(spec.schemes["4class"], LabelScheme)
