"""Protocol cards: what they hold, that a change shows, and what predictions must be to be scored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments.corpora import Corpus, get_corpus
from ser_experiments.errors import InputError, LeakError
from ser_experiments.evaluation.card import Card, differences, make_card, read_card, text_overlap, write_card
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.scoring import pooled
from ser_experiments.evaluation.verify import verify
from ser_experiments.frames import Predictions


def corpus_of(n_speakers: int = 4, session: bool = False) -> Corpus:
    """Return a corpus of speakers ``01`` and so on with all four classes, and texts of which some are shared."""
    rows = []
    for s in range(n_speakers):
        for i, label in enumerate(["anger", "happiness", "neutral", "none"] * 3):
            rows.append(
                {
                    "utterance_id": f"{s:02d}/{i:02d}",
                    "speaker": f"{s + 1:02d}",
                    "session": f"Session{s // 2 + 1}" if session else None,
                    "label": label,
                    "text_id": f"t{i}" if i < 6 else (f"own{s}-{i}" if i < 9 else None),
                }
            )
    spec = get_corpus("manifest")
    scheme = next(iter(spec.schemes.values()))
    return Corpus(spec, "mine", Path(), scheme, "all", pd.DataFrame(rows).set_index("utterance_id"))


@pytest.fixture
def card() -> Card:
    corpus = corpus_of()
    return make_card(corpus, make_folds(corpus.utterances))


@pytest.fixture
def predictions(card: Card) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    chances = rng.dirichlet(np.ones(4), len(card.rows))
    frame = pd.DataFrame(chances, index=card.rows.index, columns=[f"p_{c}" for c in card.classes])
    frame.insert(0, "predicted", np.array(card.classes)[chances.argmax(axis=1)])
    frame.insert(0, "fold", card.rows["fold"])
    return frame


@pytest.mark.parametrize("protocol", ["leave-one-session-out", "leave-one-speaker-out", "grouped-k-fold", "random"])
@pytest.mark.parametrize("shares_room", [False, True])
def test_a_card_comes_back_as_it_was(tmp_path: Path, protocol: str, shares_room: bool) -> None:
    corpus = corpus_of(session=True)
    folds = make_folds(corpus.utterances, protocol, n_splits=2, shares_room=shares_room)
    card = make_card(corpus, folds)
    write_card(card, tmp_path / "card.json")
    back = read_card(tmp_path / "card.json")
    assert back.digest == card.digest
    assert back.as_dict() == card.as_dict()
    ids = np.array(card.rows.index)
    there = {f.name: (set(ids[f.train]), set(ids[f.test])) for f in back.folds().folds}
    index = np.array(corpus.utterances.index)
    assert there == {f.name: (set(index[f.train]), set(index[f.test])) for f in folds.folds}


def test_the_hash_is_of_what_matters() -> None:
    corpus = corpus_of()
    folds = make_folds(corpus.utterances)
    card = make_card(corpus, folds)
    shuffled = Corpus(
        corpus.spec, "mine", Path("/other"), corpus.labels, "all", corpus.utterances.sample(frac=1, random_state=1)
    )
    assert make_card(shuffled, make_folds(shuffled.utterances)).digest == card.digest
    assert make_card(corpus, folds, normalize="speaker").digest != card.digest
    relabelled = corpus.utterances.copy()
    relabelled.iloc[0, relabelled.columns.get_loc("label")] = "none"
    other = Corpus(corpus.spec, "mine", Path(), corpus.labels, "all", relabelled)
    changed = make_card(other, make_folds(other.utterances))
    assert changed.digest != card.digest
    assert differences(changed, card) == [
        "label differs for 1 utterances, e.g. '00/00': here 'none', on the card 'anger'"
    ]
    assert differences(card, card) == []


@pytest.mark.parametrize(("session", "digest"), [(False, "230fe626ab52229d"), (True, "20d6b46c93cc4d34")])
def test_the_hash_that_people_cite_stays(session: bool, digest: str) -> None:
    corpus = corpus_of(session=session)
    folds = make_folds(corpus.utterances)
    card = make_card(corpus, folds, normalize="neutral-3")
    assert card.digest == digest
    assert card.as_dict()["format"] == "ser-protocol-card/1"
    fold = {corpus.utterances.index[i]: one.name for one in folds.folds for i in one.test}
    lines = ["corpus=mine", "labels=as-is", "subset=all", f"protocol={folds.protocol}", f"unit={folds.unit}"]
    lines.append("normalize=neutral-3")
    for key, row in sorted(corpus.utterances.iterrows()):
        cells = (row["label"], row["speaker"], row["session"] if session else "", folds.group[key], fold[key])
        lines.append("\t".join([str(key), *cells]))
    assert digest == hashlib.blake2b("\n".join(lines).encode(), digest_size=8).hexdigest()


def test_differences_name_missing_rows_and_settings() -> None:
    small, large = corpus_of(3), corpus_of(4)
    a, b = (make_card(c, make_folds(c.utterances)) for c in (small, large))
    assert differences(a, b) == ["12 utterances are not here, e.g. '03/00'"]
    assert differences(b, a) == ["12 utterances are not on the card, e.g. '03/00'"]
    random = make_card(large, make_folds(large.utterances, "random", n_splits=4))
    assert "protocol: here 'random', on the card 'leave-one-speaker-out'" in differences(random, b)


def test_text_overlap_against_a_plain_loop() -> None:
    corpus = corpus_of()
    folds = make_folds(corpus.utterances)
    texts = [t if isinstance(t, str) else None for t in corpus.utterances["text_id"]]
    known = [(t, {texts[j] for j in f.train} - {None}) for f in folds.folds for t in (texts[i] for i in f.test) if t]
    expected = sum(text in trained for text, trained in known) / len(known)
    assert text_overlap(corpus.utterances, folds) == {"n_known": 36, "share": pytest.approx(expected)}
    assert expected == pytest.approx(6 / 9)
    without = corpus.utterances.drop(columns="text_id")
    assert text_overlap(without, folds) == {"n_known": 0, "share": None}


def _reexport(path: Path, change: Callable[[dict], None], *, honest: bool = False) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    if honest:
        # As somebody would who exports a card of such folds: with the hash that belongs to it.
        with pytest.raises(InputError) as wrong:
            read_card(path)
        content["digest"] = str(wrong.value).split("its content gives ")[1].split(":")[0]
        path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["rows"][0].__setitem__(1, "none"), "it was changed"),
        (lambda c: c["rows"].pop(), "it was changed"),
        (lambda c: c["setting"].__setitem__("normalize", "speaker"), "it was changed"),
        (lambda c: c.pop("digest"), "no usable 'digest'"),
        (lambda c: c.pop("rows"), "no usable 'rows'"),
        (lambda c: c["setting"].pop("corpus"), "has no 'corpus'"),
        (lambda c: c.__setitem__("format", "other/2"), "format is 'other/2'"),
        (lambda c: c["setting"].__setitem__("protocol", "leave-two"), "unknown protocol 'leave-two'"),
        (lambda c: c["rows"][2].pop(), "row 3 of the card"),
        (lambda c: c["rows"][2].__setitem__(3, None), "row 3 of the card"),
        (lambda c: c["columns"].pop(), "columns must be"),
    ],
)
def test_a_changed_card_is_refused(tmp_path: Path, card: Card, change: Callable[[dict], None], message: str) -> None:
    path = tmp_path / "card.json"
    write_card(card, path)
    _reexport(path, change)
    with pytest.raises(InputError, match=message) as error:
        read_card(path)
    assert "\n" not in str(error.value)


def test_files_that_are_no_cards(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_card(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("not json")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        read_card(tmp_path / "text.json")
    (tmp_path / "list.json").write_text("[]")
    with pytest.raises(InputError, match="no protocol card"):
        read_card(tmp_path / "list.json")


def test_a_card_that_leaks_is_refused(tmp_path: Path, card: Card) -> None:
    path = tmp_path / "card.json"
    write_card(card, path)

    def swap_folds(content: dict) -> None:
        # Two rows of different speakers change folds: both speakers then stand on both sides.
        content["rows"][0][4:], content["rows"][-1][4:] = content["rows"][-1][4:], content["rows"][0][4:]

    _reexport(path, swap_folds, honest=True)
    with pytest.raises(LeakError, match="the same speaker"):
        read_card(path)


def test_verify_scores_as_the_metrics_do(tmp_path: Path, card: Card, predictions: pd.DataFrame) -> None:
    shuffled = predictions.sample(frac=1, random_state=0)
    shuffled.to_csv(tmp_path / "mine.csv", float_format="%.17g")
    verdict = verify(tmp_path / "mine.csv", card)
    expected = pooled(Predictions.of_classes(predictions.assign(label=card.rows["label"]), card.classes))
    for key, value in expected.items():
        assert verdict.metrics[key] == pytest.approx(value), key
    assert verdict.notes == []
    assert verdict.interval.n_groups == 4
    assert list(verdict.folds.index) == ["01", "02", "03", "04"]


def test_labels_alone_are_enough_and_what_is_missing_is_said(
    tmp_path: Path, card: Card, predictions: pd.DataFrame
) -> None:
    predictions[["predicted"]].to_csv(tmp_path / "mine.csv")
    verdict = verify(tmp_path / "mine.csv", card)
    expected = pooled(Predictions.of_classes(predictions.assign(label=card.rows["label"]), card.classes))
    assert {k: verdict.metrics[k] for k in ("uar", "wa", "macro_f1", "recall_none")} == pytest.approx(
        {k: expected[k] for k in ("uar", "wa", "macro_f1", "recall_none")}
    )
    assert "log_loss" not in verdict.metrics
    assert any("no column 'fold'" in note for note in verdict.notes)


def test_probabilities_alone_are_enough(tmp_path: Path, card: Card, predictions: pd.DataFrame) -> None:
    predictions.drop(columns="predicted").to_csv(tmp_path / "mine.csv")
    predictions.to_csv(tmp_path / "both.csv")
    alone, both = (verify(tmp_path / name, card).metrics for name in ("mine.csv", "both.csv"))
    assert alone == both


def test_another_class_than_the_most_probable_is_noted(tmp_path: Path, card: Card, predictions: pd.DataFrame) -> None:
    predictions.loc[predictions["predicted"] == "anger", "predicted"] = "none"
    predictions.to_csv(tmp_path / "mine.csv")
    assert any("not the most probable class" in note for note in verify(tmp_path / "mine.csv", card).notes)


def test_predictions_may_be_named_as_others_do(tmp_path: Path, predictions: pd.DataFrame) -> None:
    corpus = corpus_of()
    ids = pd.Index([f"audio/{one.replace('/', '_')}.flac" for one in corpus.utterances.index], name="utterance_id")
    corpus = replace(corpus, utterances=corpus.utterances.set_axis(ids))
    card = make_card(corpus, make_folds(corpus.utterances))
    theirs = pd.DataFrame({"prediction": predictions["predicted"].to_numpy()}, index=ids)
    before = theirs.rename(columns={"prediction": "predicted"})
    before.to_csv(tmp_path / "ours.csv")
    named = [f"data\\wav\\{one[6:-5]}.wav" for one in ids]
    theirs.set_axis(pd.Index(named, name="filename")).to_csv(tmp_path / "theirs.csv")
    assert verify(tmp_path / "theirs.csv", card).metrics == verify(tmp_path / "ours.csv", card).metrics


def _speaker_in_two_folds(frame: pd.DataFrame) -> pd.DataFrame:
    folds = frame["fold"].to_numpy(dtype=object).copy()
    folds[0], folds[-1] = folds[-1], folds[0]
    return frame.assign(fold=folds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.iloc[1:], "1 of the card's 48 utterances have no prediction, e.g. '00/00'"),
        (lambda f: pd.concat([f, f.iloc[:1]]), "'00/00' is predicted twice"),
        (lambda f: f.rename(index={"00/00": "x"}), "no prediction"),
        (lambda f: pd.concat([f, f.iloc[:1].rename(index={"00/00": "x"})]), "utterances that the card does not have"),
        (lambda f: f.assign(predicted="angr"), "prediction 'angr' is no class of the card; did you mean 'anger'"),
        (lambda f: f.assign(p_fear=0.0), "column 'p_fear' is no class"),
        (lambda f: f.assign(p_anger=2.0), "must be within 0 and 1"),
        (lambda f: f.assign(p_anger="x"), "must be within 0 and 1"),
        (lambda f: f.assign(p_anger=0.0, p_none=0.0), "sum to"),
        (lambda f: f.assign(label="anger"), "is not the card's"),
        (lambda f: f.assign(speaker="9"), "is not the card's"),
        (lambda f: f.rename_axis("row"), "no column 'utterance_id'"),
        (lambda f: f[["fold"]], "neither 'predicted' nor probabilities"),
    ],
)
def test_predictions_that_cannot_be_scored(
    tmp_path: Path,
    card: Card,
    predictions: pd.DataFrame,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    message: str,
) -> None:
    change(predictions).to_csv(tmp_path / "mine.csv")
    with pytest.raises(InputError, match=message) as error:
        verify(tmp_path / "mine.csv", card)
    assert "\n" not in str(error.value)


def test_other_folds_are_a_leak_and_other_names_are_not(tmp_path: Path, card: Card, predictions: pd.DataFrame) -> None:
    predictions.assign(fold="f" + predictions["fold"]).to_csv(tmp_path / "renamed.csv")
    assert verify(tmp_path / "renamed.csv", card).notes == []
    _speaker_in_two_folds(predictions).to_csv(tmp_path / "other.csv")
    with pytest.raises(LeakError, match="the folds are not the card's"):
        verify(tmp_path / "other.csv", card)
    predictions.assign(fold="all").to_csv(tmp_path / "one.csv")
    with pytest.raises(LeakError, match="the folds are not the card's"):
        verify(tmp_path / "one.csv", card)


def test_no_file_and_no_csv(tmp_path: Path, card: Card) -> None:
    with pytest.raises(InputError, match="no such file"):
        verify(tmp_path / "none.csv", card)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match="no rows"):
        verify(tmp_path / "empty.csv", card)
    with pytest.raises(InputError, match="is a folder"):
        verify(tmp_path, card)
