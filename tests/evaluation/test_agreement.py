"""How far raters agree: against published examples, another program, and plain loops over single votes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from sklearn import metrics as oracle

from ser_experiments.corpora import get_corpus, load_corpus, read_corpus
from ser_experiments.corpora._rules import rule_of
from ser_experiments.evaluation.agreement import (
    alpha,
    by_agreement,
    coincidences,
    described,
    levels,
    one_rater,
    rater_scores,
)
from ser_experiments.evaluation.scoring import pooled
from tests.command import ser
from tests.iemocap_tree import small_tree
from tests.scored import of_classes, of_votes

#: Krippendorff (2011), example C: four observers, twelve units, some values missing.
OBSERVED = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]


def counted(observed: list[str]) -> np.ndarray:
    rows = [line.split() for line in observed]
    names = sorted({cell for row in rows for cell in row} - {"."})
    return np.array([[sum(row[u] == name for row in rows) for name in names] for u in range(len(rows[0]))], dtype=float)


@st.composite
def votes(draw: st.DrawFn) -> np.ndarray:
    """Draw how many of up to six raters said which of up to five classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_classes, n_rows = draw(st.integers(2, 5)), draw(st.integers(2, 30))
    chances = rng.dirichlet(np.full(n_classes, draw(st.sampled_from([0.2, 1.0]))), n_rows)
    return np.array([rng.multinomial(rng.integers(1, 7), one) for one in chances], dtype=float)


def test_alpha_of_the_published_example() -> None:
    assert alpha(counted(OBSERVED)) == pytest.approx(0.743, abs=5e-4)


def test_alpha_at_its_ends() -> None:
    assert alpha(np.array([[3.0, 0], [0, 2]])) == 1
    assert alpha(np.array([[1.0, 1], [1, 1]])) < 0
    assert np.isnan(alpha(np.array([[3.0, 0], [2, 0]])))
    assert np.isnan(alpha(np.array([[1.0, 0], [0, 1]])))
    # What is left of rounding is no disagreement that was to be expected.
    for many in range(2, 40):
        assert np.isnan(alpha(np.array([[0.0, many], [0, many]])))
    rng = np.random.default_rng(0)
    assert alpha(rng.multinomial(4, [0.5, 0.3, 0.2], 5000).astype(float)) == pytest.approx(0, abs=0.02)


@settings(max_examples=60, deadline=None)
@given(counts=votes())
def test_alpha_equals_another_program(counts: np.ndarray) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    paired = counts[counts.sum(axis=1) >= 2]
    if len(paired) < 1 or (paired.sum(axis=0) > 0).sum() < 2:
        assert np.isnan(alpha(counts))
        return
    assert alpha(counts) == pytest.approx(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


@settings(max_examples=40, deadline=None)
@given(counts=votes())
def test_one_rater_equals_a_loop_over_single_votes(counts: np.ndarray) -> None:
    n_classes = counts.shape[1]
    said, truth, weights, apart, marked, marks, pairs = [], [], [], [], [], [], []
    rows = [row for row in counts if row.sum() >= 2]
    for row in rows:
        each = np.repeat(np.arange(n_classes), row.astype(int))
        for place, one in enumerate(each):
            others = np.delete(each, place)
            share = np.bincount(others, minlength=n_classes) / len(others)
            answer = np.eye(n_classes)[one]
            apart.append((jensenshannon(share, answer, base=2) ** 2, 1 / len(each)))
            marked.append(share > 1 / n_classes)
            marks.append(answer > 1 / n_classes)
            pairs += [(one, other, 1 / len(each) / len(others)) for other in others]
            if (share == share.max()).sum() == 1:
                said.append(one)
                truth.append(share.argmax())
                weights.append(1 / len(each))
    got = one_rater(counts)
    if not rows:
        assert got == {}
        return
    if said:
        known = sorted(set(truth))
        recalls = oracle.recall_score(
            truth, said, sample_weight=weights, labels=known, average="macro", zero_division=0
        )
        f1 = oracle.f1_score(truth, said, sample_weight=weights, labels=known, average="macro", zero_division=0)
        assert got["uar"] == pytest.approx(recalls)
        assert got["macro_f1"] == pytest.approx(f1)
        assert got["wa"] == pytest.approx(oracle.accuracy_score(truth, said, sample_weight=weights))
    else:
        assert np.isnan(got["uar"])
    values, shares = zip(*apart, strict=True)
    assert got["jensen_shannon"] == pytest.approx(np.average(values, weights=shares))
    present = np.flatnonzero(np.any(marked, axis=0))
    if len(present):
        f1 = oracle.f1_score(marked, marks, sample_weight=shares, labels=present, average="macro", zero_division=0)
        assert got["multilabel_f1"] == pytest.approx(f1)
    table = np.zeros((n_classes, n_classes))
    for one, other, weight in pairs:
        table[one, other] += weight
    assert coincidences(counts, evenly=True) == pytest.approx(table)
    assert table.sum() == pytest.approx(len(rows))
    lost = -sum(w * np.log(table[a, b] / table[a].sum()) for a, b, w in pairs) / len(rows)
    assert got["cross_entropy"] == pytest.approx(lost)


def test_raters_who_agree_have_nothing_to_lose() -> None:
    got = one_rater(np.array([[3.0, 0, 0], [0, 2, 0], [0, 0, 4]]))
    assert got == pytest.approx(
        {"cross_entropy": 0, "jensen_shannon": 0, "macro_f1": 1, "multilabel_f1": 1, "uar": 1, "wa": 1}
    )


def test_a_tie_of_the_others_counts_in_no_score_of_classes() -> None:
    # Of three who differ, the two that are left always tie; of two to one, they tie where the one of two is drawn.
    got = one_rater(np.array([[1.0, 1, 1], [2, 1, 0]]))
    assert got["wa"] == 0
    assert one_rater(np.array([[1.0, 1, 1]]))["jensen_shannon"] > 0
    assert np.isnan(one_rater(np.array([[1.0, 1, 1]]))["wa"])


def test_how_far_raters_agree() -> None:
    counts = np.array([[3.0, 0, 0], [2, 1, 0], [1, 1, 0], [1, 1, 1], [2, 2, 3], [0, 0, 1]])
    expected = ["full", "majority", "tie", "tie", "majority", "full"]
    assert levels(counts).tolist() == expected
    assert levels(counts / counts.sum(axis=1, keepdims=True)).tolist() == expected


def test_scores_by_how_far_raters_agree() -> None:
    predictions = of_votes(0.5, 3, 6, 20)
    found = levels(predictions.truth)
    table = by_agreement(predictions)
    assert table.index.tolist() == ["all", "majority", "full"]
    assert table["n"].tolist() == [len(predictions), (found != "tie").sum(), (found == "full").sum()]
    for level, mine in (("all", found != ""), ("majority", found != "tie"), ("full", found == "full")):
        scores = pooled(predictions.rows(mine))
        assert table.loc[level].drop("n").to_dict() == {name: scores[name] for name in table if name != "n"}
    assert table.loc["all", "uar"] == table.loc["majority", "uar"]
    assert table.loc["full", "cross_entropy"] < table.loc["all", "cross_entropy"]
    assert list(by_agreement(predictions, scores=["wa"])) == ["n", "wa"]
    ties = predictions.rows(found == "tie")
    assert by_agreement(ties, scores=["cross_entropy"]).index.tolist() == ["all"]


def test_scores_of_classes_by_votes_that_stand_beside_them() -> None:
    predictions = of_classes(0.5, 0, 4, 10)
    counts = np.tile([[2.0, 1, 0, 0], [3, 0, 0, 0]], (len(predictions) // 2, 1))
    table = by_agreement(predictions, counts, ["uar"])
    assert table["n"].tolist() == [len(predictions), len(predictions), len(predictions) // 2]
    assert table.loc["full", "uar"] == pooled(predictions.rows(slice(1, None, 2)))["uar"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


def test_raters_of_a_corpus_are_described_by_scheme(tree: Path) -> None:
    utterances = read_corpus("iemocap", tree)[1].utterances
    table = described(utterances, get_corpus("iemocap"))
    assert table.index.tolist() == [*get_corpus("iemocap").schemes, "as-is"]
    # Seven codes: two words for it, another word for one of the two and for the third, who says surprise.
    assert table.loc["as-is", ["utterances", "votes", "raters"]].tolist() == [56, 224, 3]
    assert table.loc["as-is", "majority"] == 1
    assert table.loc["4class", ["utterances", "votes"]].tolist() == [48, 96]
    assert table.loc["4class", ["full", "alpha", "rater_uar", "rater_cross_entropy"]].tolist() == [1, 1, 1, 0]
    # Surprise beside two others: of those who are left, two agree only where surprise is what was said.
    assert table.loc["8class", "rater_wa"] == 0
    assert 0 < table.loc["8class", "alpha"] < 1
    assert described(utterances.drop(columns="votes"), get_corpus("iemocap")).empty


def test_one_rater_who_names_two_words_disagrees_with_nobody(tree: Path) -> None:
    utterances = read_corpus("iemocap", tree)[1].utterances.assign(votes="anger=1;sadness=1", n_raters=1)
    table = described(utterances, get_corpus("iemocap"))
    assert table["tie"].tolist() == [1] * len(table)
    assert "alpha" not in table
    assert rater_scores(get_corpus("iemocap").schemes["4class"], utterances) == {}


def test_shares_without_counts_tell_how_far_raters_agree_and_no_more(tree: Path) -> None:
    utterances = read_corpus("iemocap", tree)[1].utterances.drop(columns="n_raters")
    table = described(utterances.assign(votes="anger=0.6667;sadness=0.3333"), get_corpus("iemocap"))
    assert table["majority"].tolist() == [1] * len(table)
    assert list(table) == ["utterances", "full", "majority", "tie"]


@pytest.mark.parametrize("labels", ["8class", "votes-8class"])
def test_a_model_is_held_against_one_rater(tree: Path, labels: str) -> None:
    corpus = load_corpus("iemocap", tree, labels)
    counts = corpus.labels.counts(corpus.utterances)
    assert counts is not None
    assert rater_scores(corpus.labels, corpus.utterances) == one_rater(counts.to_numpy())


def test_nothing_is_said_where_there_are_no_votes(tree: Path) -> None:
    corpus = load_corpus("iemocap", tree)
    assert rater_scores(corpus.labels, corpus.utterances.drop(columns="votes")) == {}
    assert rater_scores(rule_of(corpus.spec, "valence"), corpus.utterances) == {}


def test_the_command_describes_raters(tree: Path) -> None:
    done = ser("corpora", "describe", "iemocap", "--root", str(tree), "--json")
    told = json.loads(done.stdout)["counts"]["by agreement of raters"]
    assert told["4class"]["alpha"] == 1
    assert told["8class"]["rater_wa"] == 0
    shown = ser("corpora", "describe", "iemocap", "--root", str(tree), "--raters", "self")
    assert "by agreement of raters" in shown.stdout
    assert "note: votes are those of the speakers themselves" in shown.stdout


def test_nobody_is_described_where_nobody_voted(tmp_path: Path) -> None:
    table = pd.DataFrame({"emotion": ["a"], "votes": [None]}, index=["u"])
    assert described(table, get_corpus("manifest")).empty
