"""What a column of a ready-made table tells: answers are refused whatever they are called, features are taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError
from ser_experiments.features import read_table
from ser_experiments.features.giveaways import giveaways

EMOTIONS = ("anger", "happiness", "neutral", "sadness")


def utterances(n_speakers: int = 8, each: int = 4, classes: tuple[str, ...] = EMOTIONS) -> pd.DataFrame:
    rows = [
        {"path": f"/data/{s}{label}{i}.wav", "speaker": f"s{s}", "session": f"r{s // 2}", "label": label}
        for s in range(n_speakers)
        for label in classes
        for i in range(each)
    ]
    return pd.DataFrame(rows, index=pd.Index([f"u{i:04d}" for i in range(len(rows))], name="utterance_id"))


def code(of: pd.DataFrame, column: str) -> np.ndarray:
    return pd.factorize(of[column], sort=True)[0].astype(float)


def noise(of: pd.DataFrame) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(len(of))


def take(of: pd.DataFrame) -> np.ndarray:
    return of.groupby(["speaker", "label"]).cumcount().to_numpy(dtype=float)


ANSWERS: dict[str, tuple[Callable[[pd.DataFrame], np.ndarray], str]] = {
    "codes of labels": (lambda u: code(u, "label"), "label"),
    "codes of labels in any order": (lambda u: np.array([30, 7, 11, 2])[code(u, "label").astype(int)], "label"),
    "codes of labels, a few corrected": (lambda u: np.r_[1.0, code(u, "label")[1:]], "label"),
    "one-hot": (lambda u: (u["label"] == "sadness").to_numpy(dtype=float), "label"),
    "one-hot with other numbers": (lambda u: np.where(u["label"] == "anger", -0.3, 0.7), "label"),
    "label and a little noise": (lambda u: code(u, "label") + 0.05 * noise(u), "label"),
    "posteriors of another model": (lambda u: 0.9 * (u["label"] == "anger") + 0.01 * noise(u), "label"),  # type: ignore[return-value]
    "codes of speakers": (lambda u: code(u, "speaker"), "speaker"),
    "a number of each speaker": (lambda u: 100 + 17.3 * (code(u, "speaker") * 5 % 8), "speaker"),
    "speaker and a little noise": (lambda u: code(u, "speaker") + 0.02 * noise(u), "speaker"),
    "codes of sessions": (lambda u: code(u, "session"), "session"),
    "running number": (lambda u: np.arange(len(u)), "numbers the rows"),
    "running number from one": (lambda u: len(u) - np.arange(len(u)), "numbers the rows"),
    "share of the file": (lambda u: np.arange(len(u)) / len(u), "numbers the rows"),
    "time of the row": (lambda u: 12.5 + 0.01 * np.arange(len(u)), "numbers the rows"),
    "shuffled numbers": (lambda u: np.random.default_rng(1).permutation(len(u)), "numbers the rows"),
    "a bit of the label's number": (lambda u: code(u, "label") // 2, "label"),
    "pleasant or not": (lambda u: u["label"].isin(["happiness", "neutral"]).map({True: 1.5, False: -1.5}), "label"),  # type: ignore[return-value]
    "arousal of the word and a little noise": (lambda u: code(u, "label") % 2 + 0.05 * noise(u), "label"),
    "a bit, a few corrected": (lambda u: np.r_[1.0, (code(u, "label") // 2)[1:]], "label"),
    "filled in for one class": (lambda u: np.where(u["label"] == "anger", noise(u), np.nan), "label"),
    "missing for two classes": (lambda u: np.where(code(u, "label") < 2, noise(u), np.nan), "label"),
    "parts of the file's name": (lambda u: 100 * take(u) + 10 * code(u, "label") + code(u, "speaker"), "label"),
    "speaker, then label": (lambda u: 10 * code(u, "speaker") + code(u, "label"), "speaker"),
    "numbers with gaps": (lambda u: np.cumsum(np.random.default_rng(2).integers(1, 9, len(u))), "numbers the rows"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_column_that_knows_the_answer_is_refused_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    rows = utterances()
    make, what = ANSWERS[name]
    table = pd.DataFrame({"x": noise(rows), "f7": make(rows)}, index=rows.index)
    table.to_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match=f"column 'f7' is no feature: it .*{what}") as caught:
        read_table(tmp_path / "t.csv", rows)
    assert "\n" not in str(caught.value)
    assert list(read_table(tmp_path / "t.csv", rows, allow=["f7"]).columns) == ["x", "f7"]


def test_the_index_of_a_file_sorted_by_label_is_no_feature(tmp_path: Path) -> None:
    """The column that pandas writes without a name, beside the id: 0.916 from noise."""
    rows = utterances()
    table = pd.DataFrame({"utterance_id": rows.index, "x": noise(rows)})
    table.iloc[np.argsort(rows["label"], kind="stable")].reset_index(drop=True).to_csv(tmp_path / "t.csv")
    with pytest.raises(
        InputError, match="column 1 of the features, which has no name, is no feature: it numbers the rows"
    ):
        read_table(tmp_path / "t.csv", rows)


def test_a_column_is_allowed_by_its_name(tmp_path: Path) -> None:
    rows = utterances()
    pd.DataFrame({"x": noise(rows), "gender": code(rows, "speaker") % 2}, index=rows.index).to_csv(tmp_path / "t.csv")
    assert list(read_table(tmp_path / "t.csv", rows, allow=["gender"])) == ["x", "gender"]
    with pytest.raises(InputError, match="no column 'gendre' to allow; did you mean 'gender'"):
        read_table(tmp_path / "t.csv", rows, allow=["gendre"])


def test_columns_that_tell_the_speaker_together_are_refused(tmp_path: Path) -> None:
    rows = utterances()
    one_hot = pd.get_dummies(rows["speaker"], prefix="is", dtype=int)
    one_hot.assign(x=noise(rows)).to_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match="column 'is_s0' is no feature: it tells the speaker together with 'is_s1', "):
        read_table(tmp_path / "t.csv", rows)
    assert len(read_table(tmp_path / "t.csv", rows, allow=list(one_hot)).columns) == 9
    facts = pd.DataFrame({"age": code(rows, "speaker") // 2, "height": 170 + code(rows, "speaker") % 2})
    assert [name for name, _ in giveaways(facts.set_axis(rows.index), rows)] == ["age"]
    # Two pairs of speakers are still alike, and a corpus of three is judged by nobody.
    facts["height"], rows = 170 + (code(rows, "speaker") > 5), rows.drop(columns="session")
    assert list(giveaways(facts.set_axis(rows.index), rows)) == []
    few = utterances(n_speakers=3)
    assert list(giveaways(pd.get_dummies(few["speaker"], dtype=int), few)) == []


def test_two_classes_that_alternate_with_a_number_are_told_by_it() -> None:
    rows = utterances(classes=("anger", "sadness"), each=6)
    table = pd.DataFrame({"x": 100 * take(rows) + 10 * code(rows, "label") + code(rows, "speaker")}, index=rows.index)
    assert [name for name, _ in giveaways(table, rows)] == ["x"]


def duration(of: pd.DataFrame) -> np.ndarray:
    return np.random.default_rng(3).gamma(4, 0.7, len(of)) + 0.3 * code(of, "label")


FEATURES: dict[str, Callable[[pd.DataFrame], np.ndarray]] = {
    "noise": noise,
    "code of two genders": lambda u: code(u, "speaker") % 2,
    "duration": duration,
    "duration in milliseconds": lambda u: np.round(1000 * duration(u)),
    "number of frames": lambda u: np.round(100 * duration(u)),
    "number of voiced parts": lambda u: np.round(3 * duration(u)),
    "strong feature": lambda u: code(u, "label") + 0.5 * noise(u),
    "strong feature of the speaker": lambda u: 4 * code(u, "speaker") + 3 * noise(u),
    "constant": lambda u: np.full(len(u), 3.0),
    "nearly constant": lambda u: np.r_[1.0, np.zeros(len(u) - 1)],
    "missing here and there": lambda u: np.where(noise(u) > 0, noise(u), np.nan),
    "code of the sentence": lambda u: np.random.default_rng(4).integers(0, 10, len(u)),
    "missing more often for one class": lambda u: np.where(
        (u["label"] == "sadness") & (noise(u) > -0.5), np.nan, noise(u)
    ),
    "missing for a speaker": lambda u: np.where(u["speaker"] == "s1", np.nan, noise(u)),
    "two heaps that classes share": lambda u: (noise(u) > 0.1) + 0.01 * noise(u),
    "rating of a clear class": lambda u: np.round(np.clip(3 + (code(u, "label") == 1) + noise(u), 1, 5)),
    "one number of the two loudest speakers": lambda u: np.where(code(u, "speaker") > 5, 1.0, 0.0),
    "age, which two share": lambda u: np.array([31, 34, 31, 32, 26, 30, 32, 35])[code(u, "speaker").astype(int)],
}


@pytest.mark.parametrize("name", FEATURES)
def test_a_feature_is_taken(name: str) -> None:
    rows = utterances()
    table = pd.DataFrame({"x": FEATURES[name](rows)}, index=rows.index)
    assert list(giveaways(table, rows)) == []


def test_a_table_sorted_by_a_feature_is_taken() -> None:
    rows = utterances()
    values = duration(rows)
    table = pd.DataFrame({"x": noise(rows), "duration": values}, index=rows.index)
    assert list(giveaways(table, rows, in_order=table.iloc[np.argsort(values)])) == []


def test_two_classes_that_a_voice_tells_apart_are_taken() -> None:
    """Anger and sadness differ so much in loudness that they do not overlap: that is no answer."""
    rows = utterances(classes=("anger", "sadness"), each=8)
    loud = np.where(rows["label"] == "anger", 1.0, 0.0) + np.random.default_rng(0).uniform(0, 0.99, len(rows))
    assert list(giveaways(pd.DataFrame({"loudness": loud}, index=rows.index), rows)) == []


def test_a_few_rows_are_never_refused() -> None:
    rows = utterances(n_speakers=2, each=1)
    table = pd.DataFrame({"x": code(rows, "label") + 0.3, "y": code(rows, "speaker")}, index=rows.index)
    assert list(giveaways(table.iloc[[0, 1, 2, 5, 6, 7]], rows.iloc[[0, 1, 2, 5, 6, 7]])) == []


def test_noise_is_never_refused() -> None:
    rows = utterances(n_speakers=4, each=2)
    table = pd.DataFrame(np.random.default_rng(0).standard_normal((len(rows), 3000)), index=rows.index)
    assert list(giveaways(table, rows)) == []


@pytest.mark.slow
@pytest.mark.skipif("SER_TEST_CORPORA" not in os.environ, reason="needs real speech: set SER_TEST_CORPORA")
@pytest.mark.parametrize("corpus", ["emodb4", "nemo_subset"])
@pytest.mark.parametrize("order", ["speaker", "emotion"])
def test_the_columns_of_our_own_sets_are_taken(corpus: str, order: str, tmp_path: Path) -> None:
    from ser_experiments import feature_table, load_corpus, project

    loaded = load_corpus(
        "manifest", Path(os.environ["SER_TEST_CORPORA"]) / corpus, project=project.Project(tmp_path, {})
    )
    table = feature_table(["lld", "prosody", "classic199"], loaded.utterances, cache=tmp_path)
    in_order = table.loc[loaded.utterances.sort_values(order, kind="stable").index]
    assert list(giveaways(table, loaded.utterances, in_order=in_order)) == []


@pytest.mark.parametrize("how", ["as it is", "turned over", "with a little noise", "another scale"])
def test_the_raters_numbers_are_refused_whatever_they_are_called(how: str, tmp_path: Path) -> None:
    of = utterances()
    rating = np.random.default_rng(8).normal(3, 1, len(of))
    of = of.drop(columns="label").assign(activation=rating)
    column = {
        "as it is": rating,
        "turned over": 6 - rating,
        "with a little noise": rating + 0.05 * noise(of),
        "another scale": np.exp(rating),
    }[how]
    table = pd.DataFrame({"f0": noise(of), "x": column}, index=of.index)
    table.to_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match="column 'x' of the features|column 'x' is no feature: it tells activation"):
        read_table(tmp_path / "t.csv", of)
    assert list(read_table(tmp_path / "t.csv", of, allow=["x"])) == ["f0", "x"]


def test_a_measure_that_goes_with_the_raters_is_a_feature(tmp_path: Path) -> None:
    of = utterances()
    rating = np.random.default_rng(8).normal(3, 1, len(of))
    of = of.assign(arousal=rating)
    # Louder voices are rated as more aroused: 0.9 is more than any measure gave.
    pd.DataFrame({"loudness": rating + 0.45 * noise(of)}, index=of.index).to_csv(tmp_path / "t.csv")
    assert list(read_table(tmp_path / "t.csv", of)) == ["loudness"]
