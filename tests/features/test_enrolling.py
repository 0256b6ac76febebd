"""Each recording minus others of its speaker, against a plain loop."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ser_experiments.features import clips_given, normalize_by_others


@pytest.fixture
def utterances() -> pd.DataFrame:
    """Return three speakers with 3, 5 and 9 recordings, every second of them neutral."""
    speaker = [name for name, n in (("a", 3), ("b", 5), ("c", 9)) for _ in range(n)]
    index = pd.Index([f"u{i:02d}" for i in range(17)], name="utterance_id")
    made = pd.DataFrame({"speaker": speaker, "label": ["neutral", "sad"] * 8 + ["neutral"]}, index=index)
    return made.sample(frac=1, random_state=0)


@pytest.fixture
def table(utterances: pd.DataFrame) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(17, 3)).astype(np.float32)
    made = pd.DataFrame(values, index=utterances.index, columns=list("xyz"))
    return made.assign(group=utterances["speaker"])


@pytest.mark.parametrize("n_clips", [1, 3, 6, None])
@pytest.mark.parametrize("kind", ["any", "neutral"])
def test_a_row_is_normalised_by_others_and_never_by_itself(
    table: pd.DataFrame, utterances: pd.DataFrame, kind: str, n_clips: int | None
) -> None:
    usable = (utterances["label"] == "neutral").to_numpy() | (kind == "any")
    speakers = utterances["speaker"]
    done = normalize_by_others(table, speakers, usable, n_clips, (0, 1))
    assert list(done.index) == list(table.index)
    assert list(done.columns) == list(table.columns)
    # What was subtracted is the mean of as many others of the speaker as there are: one of the sets that a loop finds.
    given = clips_given(speakers, usable, n_clips)
    for row, key in enumerate(table.index):
        others = [i for i, one in enumerate(table.index) if one != key and speakers[one] == speakers[key] and usable[i]]
        assert given[row] == (len(others) if n_clips is None else min(n_clips, len(others)))
        subtracted = (table[["x", "y", "z"]].iloc[row] - done[["x", "y", "z"]].iloc[row]).to_numpy()
        weights, *_ = np.linalg.lstsq(table[["x", "y", "z"]].iloc[others].to_numpy().T, subtracted, rcond=None)
        assert np.allclose(table[["x", "y", "z"]].iloc[others].to_numpy().T @ weights, subtracted, atol=1e-5)
        if n_clips is None:
            mean = table[["x", "y", "z"]].iloc[others].to_numpy(dtype=np.float64).mean(axis=0)
            np.testing.assert_allclose(subtracted, mean, atol=1e-6)
        # Other numbers of its own change nothing that is subtracted.
        changed = table.copy()
        changed.loc[key, ["x", "y", "z"]] += np.float32(8)
        again = normalize_by_others(changed, speakers, usable, n_clips, (0, 1))
        moved = again.loc[key, ["x", "y", "z"]] - done.loc[key, ["x", "y", "z"]]
        np.testing.assert_allclose(moved.astype(float), 8, atol=1e-5)


def test_a_draw_depends_on_ids_alone_and_grows(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    everyone = np.ones(len(table), dtype=bool)

    def subtracted(n_clips: int, draw: int, index: pd.Index | None = None) -> pd.DataFrame:
        rows = table if index is None else table.loc[index]
        done = normalize_by_others(rows, utterances["speaker"], everyone[: len(rows)], n_clips, (0, draw))
        return (rows.drop(columns="group") - done.drop(columns="group")).sort_index()

    pd.testing.assert_frame_equal(subtracted(2, 0), subtracted(2, 0, table.index[::-1]))
    assert not np.allclose(subtracted(2, 0), subtracted(2, 1))
    only_c = utterances.index[utterances["speaker"] == "c"]
    pd.testing.assert_frame_equal(subtracted(2, 0).loc[sorted(only_c)], subtracted(2, 0, only_c))
    # One clip and another: the mean of two lies half way to a clip of the same speaker.
    second = 2 * subtracted(2, 0) - subtracted(1, 0)
    values = table.drop(columns="group")
    for key, row in second.iterrows():
        same = values[utterances["speaker"] == utterances.loc[key, "speaker"]].drop(index=key)
        assert np.isclose(same, row, atol=1e-5).all(axis=1).any()


def test_arrays_over_time_lose_the_mean_of_their_frames(utterances: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    cells = {key: rng.normal(size=(4 + place, 2)).astype(np.float32) for place, key in enumerate(utterances.index)}
    table = pd.DataFrame({"frames": pd.Series(cells, dtype=object)}).loc[utterances.index]
    done = normalize_by_others(table, utterances["speaker"], np.ones(17, dtype=bool), None, (0, 0))
    key = utterances.index[0]
    same = [
        one
        for one in utterances.index
        if one != key and utterances.loc[one, "speaker"] == utterances.loc[key, "speaker"]
    ]
    mean = np.concatenate([cells[one] for one in same]).mean(axis=0)
    np.testing.assert_allclose(np.asarray(done.loc[key, "frames"]), cells[key] - mean, atol=1e-5)
