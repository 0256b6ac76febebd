"""Normalisation by speaker against a plain loop, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.features import (
    Normalization,
    enrolment,
    normalize_by_speaker,
    parse_normalization,
    speaker_statistics,
)


@pytest.fixture
def utterances() -> pd.DataFrame:
    labels = np.array(["angry", "happy", "neutral", "sad"])
    return pd.DataFrame(
        {"speaker": [f"s{i % 3}" for i in range(60)], "label": labels[np.arange(60) // 3 % 4]},
        index=pd.Index([f"u{i:02d}" for i in range(60)], name="utterance_id"),
    )


@pytest.fixture
def table(utterances: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4)).astype(np.float32) + np.arange(60)[:, None] % 3 * 10
    made = pd.DataFrame(values, index=utterances.index, columns=list("abcd"))
    made["c"] = np.float32(7)
    made["group"] = utterances["speaker"]
    return made.sample(frac=1, random_state=1)


@pytest.mark.parametrize("text", ["none", "speaker", "neutral-3", "enrol-10"])
def test_modes_are_read_and_written(text: str) -> None:
    assert str(parse_normalization(text)) == text


@pytest.mark.parametrize("text", ["", "neutral", "neutral-0", "enrol--1", "Speaker", "neutral-3.5"])
def test_other_modes_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"none, neutral-K, enrol-K or speaker"):
        parse_normalization(text)


def test_by_the_whole_speaker(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    done = normalize_by_speaker(table, utterances["speaker"], Normalization("speaker"), {})
    assert list(done.index) == list(table.index)
    assert list(done.columns) == list(table.columns)
    for speaker, rows in table.groupby("group"):
        part = done.loc[rows.index]
        expected = (rows[["a", "b", "d"]].astype(float) - rows[["a", "b", "d"]].mean()) / rows[["a", "b", "d"]].std(
            ddof=0
        )
        np.testing.assert_allclose(part[["a", "b", "d"]], expected, atol=1e-5)
        assert (part["c"] == 0).all(), speaker


def test_by_neutral_clips(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    mode = Normalization("neutral", 2)
    chosen = enrolment(utterances, mode)
    assert set(chosen) == {"s0", "s1", "s2"}
    done = normalize_by_speaker(table, utterances["speaker"], mode, chosen)
    taken = [i for ids in chosen.values() for i in ids]
    assert len(taken) == 6
    assert (utterances.loc[taken, "label"] == "neutral").all()
    assert list(done.index) == [i for i in table.index if i not in taken]
    for speaker, ids in chosen.items():
        rows = [i for i in done.index if utterances.loc[i, "speaker"] == speaker]
        expected = table.loc[rows, list("abcd")] - table.loc[ids, list("abcd")].mean()
        np.testing.assert_allclose(done.loc[rows, list("abcd")], expected, atol=1e-5)


def test_the_choice_is_by_id_alone(utterances: pd.DataFrame) -> None:
    chosen = enrolment(utterances, Normalization("enrol", 4))
    shuffled = utterances.sample(frac=1, random_state=3)
    assert enrolment(shuffled, Normalization("enrol", 4)) == chosen
    relabelled = utterances.assign(label=utterances["label"].to_numpy()[::-1])
    assert enrolment(relabelled, Normalization("enrol", 4)) == chosen
    more = enrolment(utterances, Normalization("enrol", 5))
    assert all(set(chosen[speaker]) < set(more[speaker]) for speaker in chosen)


def test_nothing_is_asked_of_a_speaker_without_need(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    assert enrolment(utterances, Normalization("none")) == {}
    assert enrolment(utterances, Normalization("speaker")) == {}
    assert normalize_by_speaker(table, utterances["speaker"], Normalization("none"), {}) is table


def test_too_few_clips(utterances: pd.DataFrame, table: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="speaker 's0' has 5 such clips among 20 utterances; each speaker needs 6"):
        enrolment(utterances, Normalization("neutral", 6))
    with pytest.raises(InputError, match="speaker 's0' has 20 such clips"):
        enrolment(utterances, Normalization("enrol", 20))
    with pytest.raises(InputError, match="no utterance is labelled 'neutral'; use enrol-3"):
        enrolment(utterances[utterances["label"] != "neutral"], Normalization("neutral", 3))


def test_arrays_over_time_count_frame_by_frame(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    cells = np.empty(len(table), dtype=object)
    for place in range(len(table)):
        cells[place] = (3 + place + rng.standard_normal((rng.integers(2, 9), 2)) * [1, 5]).astype(np.float16)
        cells[place][:, 1] = 7.0 if utterances["speaker"].iloc[place] == "s1" else cells[place][:, 1]
    both = table.assign(melspec=pd.Series(cells, index=table.index))
    for mode in (Normalization("speaker"), Normalization("neutral", 2)):
        chosen = enrolment(utterances, mode)
        done = normalize_by_speaker(both, utterances["speaker"], mode, chosen)
        assert list(done.columns) == list(both.columns)
        plain = normalize_by_speaker(table, utterances["speaker"], mode, chosen)
        pd.testing.assert_frame_equal(done.drop(columns="melspec"), plain)
        for speaker, rows in utterances.groupby("speaker"):
            known = list(rows.index) if mode.kind == "speaker" else chosen[str(speaker)]
            frames = np.concatenate(list(both.loc[known, "melspec"])).astype(np.float64)
            mean, deviation = frames.mean(axis=0), frames.std(axis=0) if mode.kind == "speaker" else 1.0
            for row in rows.index.intersection(done.index):
                cell, raw = done.loc[row, "melspec"], np.asarray(both.loc[row, "melspec"], dtype=np.float64)
                expected = (raw - mean) / np.where(np.asarray(deviation) > 1e-12, deviation, 1.0)
                assert cell.shape == raw.shape
                np.testing.assert_allclose(np.asarray(cell), expected, atol=2e-5)
                np.testing.assert_array_equal(cell[1:], np.asarray(cell)[1:])
                np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(cell))), np.asarray(cell))
    other = normalize_by_speaker(both.assign(melspec=pd.Series(cells[::-1], index=table.index)), utterances["speaker"],
                                 Normalization("speaker"), {})  # fmt: skip
    same = normalize_by_speaker(both, utterances["speaker"], Normalization("speaker"), {})
    assert identity.of_column(other["melspec"]) != identity.of_column(same["melspec"])
    assert identity.of_column(same["melspec"]) != identity.of_column(both["melspec"])


def test_what_one_speaker_gives_is_what_the_table_has(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    cells = [np.full((4, 3), place, dtype=np.float32) + np.arange(3) for place in range(len(table))]
    both = table.assign(melspec=pd.Series(cells, index=table.index)).drop(columns="group")
    whole = normalize_by_speaker(both, utterances["speaker"], Normalization("speaker"), {})
    mine = both[(utterances["speaker"].loc[both.index] == "s1").to_numpy()]
    alone = speaker_statistics(mine, Normalization("speaker")).without(mine)
    pd.testing.assert_frame_equal(alone.drop(columns="melspec"), whole.loc[mine.index].drop(columns="melspec"))
    for row in mine.index:
        np.testing.assert_array_equal(np.asarray(alone.loc[row, "melspec"]), np.asarray(whole.loc[row, "melspec"]))


def test_other_speakers_change_nothing(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    for mode in (Normalization("speaker"), Normalization("neutral", 2)):
        chosen = enrolment(utterances, mode)
        whole = normalize_by_speaker(table, utterances["speaker"], mode, chosen)
        mine = utterances[utterances["speaker"] == "s1"]
        alone = normalize_by_speaker(
            table.loc[mine.index], mine["speaker"], mode, {k: v for k, v in chosen.items() if k == "s1"}
        )
        pd.testing.assert_frame_equal(alone, whole.loc[alone.index])
