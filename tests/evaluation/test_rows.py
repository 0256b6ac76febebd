"""Rows: features, truth and folds cannot come apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.folds import Folds
from ser_experiments.evaluation.rows import Rows
from ser_experiments.frames import GROUP
from ser_experiments.tasks.classes import Classes


class Watched(BaseEstimator):
    """Keeps what it is fitted on."""

    def fit(self, X: pd.DataFrame, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Watched:
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        return self


@pytest.fixture
def utterances() -> pd.DataFrame:
    index = pd.Index([f"u{i}" for i in range(12)], name="utterance_id")
    return pd.DataFrame(
        {"speaker": np.repeat(["a", "b", "c"], 4), "session": None, "label": ["x", "y"] * 6}, index=index
    )


@pytest.fixture
def folds(utterances: pd.DataFrame) -> Folds:
    return make_folds(utterances, "leave-one-speaker-out")


def test_a_table_in_another_order_is_put_into_that_of_the_utterances(utterances: pd.DataFrame, folds: Folds) -> None:
    numbers = pd.DataFrame({"n": np.arange(12.0)}, index=utterances.index)
    shuffled = pd.concat([numbers.sample(frac=1, random_state=3), pd.DataFrame({"n": [99.0]}, index=["other"])])
    rows = Rows.align(shuffled, utterances, folds, Classes.of(utterances["label"]))
    assert rows.table["n"].tolist() == numbers["n"].tolist()
    assert rows.table[GROUP].tolist() == utterances["speaker"].tolist()
    assert GROUP not in shuffled
    for fold in folds.folds:
        seen = rows.fitted(Watched(), fold.train)
        assert list(seen.y_) == utterances.loc[seen.X_.index, "label"].tolist()
        assert seen.sample_weight_ is None
        assert set(seen.X_[GROUP]).isdisjoint(rows.test(fold)[GROUP])
        assert "label" not in rows.test(fold)


def test_weights_go_with_their_rows(utterances: pd.DataFrame, folds: Folds) -> None:
    numbers = pd.DataFrame({"n": np.arange(12.0)}, index=utterances.index)
    weights = pd.Series(np.arange(12.0) + 1, index=utterances.index).sample(frac=1, random_state=1)
    rows = Rows.align(numbers, utterances, folds, Classes.of(utterances["label"]), weights)
    for chosen in (folds.folds[0].train, None):
        seen = rows.fitted(Watched(), chosen)
        assert seen.sample_weight_.tolist() == (seen.X_["n"] + 1).tolist()
    assert len(seen.X_) == 12


def test_parts_that_do_not_belong_together_are_refused(utterances: pd.DataFrame, folds: Folds) -> None:
    task = Classes.of(utterances["label"])
    numbers = pd.DataFrame({"n": np.arange(12.0)}, index=utterances.index)
    with pytest.raises(InputError, match=r"no row for utterance 'u5' \(1 missing\)"):
        Rows.align(numbers.drop(index="u5"), utterances, folds, task)
    with pytest.raises(InputError, match="cut from other utterances"):
        Rows.align(numbers, utterances.iloc[::-1], folds, task)
    rows = Rows.align(numbers, utterances, folds, task)
    with pytest.raises(InputError, match="same utterances in the same order"):
        rows.told(utterances.iloc[::-1])
    told = rows.told(utterances.assign(label="x"))
    assert set(told.truth) == {"x"}
    assert set(rows.truth) == {"x", "y"}
