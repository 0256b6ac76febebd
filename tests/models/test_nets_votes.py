"""Networks that learn what several raters said: rows of one utterance are one row with shares of the classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import log_softmax

from ser_experiments.errors import InputError
from ser_experiments.frames import UTTERANCE_ID
from ser_experiments.models.nets.classes import shares
from ser_experiments.models.nets.inputs import one_row_each
from ser_experiments.models.spec import get_model

torch = pytest.importorskip("torch")

from ser_experiments.models.nets.training import judge  # noqa: E402 -- needs torch

CLASSES = np.array(["anger", "neutral", "sadness"])
N = 40


def small(name: str = "attention", **params: Any) -> Any:
    sizes = {"attention": {"hidden": 6, "crop_frames": 12}, "mlp": {"hidden": (8,)}}
    usual = {"n_epochs": 3, "batch_size": 8, "random_state": 1, "device": "cpu"}
    return get_model(name).build(**{**usual, **sizes[name], **params})


@pytest.fixture
def heard() -> pd.DataFrame:
    """Return forty utterances of five speakers over time, with their ids."""
    rng = np.random.default_rng(0)
    cells = np.empty(N, dtype=object)
    for i in range(N):
        cells[i] = (rng.normal(size=(rng.integers(3, 20), 5)) + i % 3).astype(np.float16)
    index = pd.Index([f"u{i}" for i in range(N)], name=UTTERANCE_ID)
    return pd.DataFrame({"arrays": cells, "group": [f"s{i % 5}" for i in range(N)]}, index=index)


@pytest.fixture
def votes() -> NDArray[np.float64]:
    """Return shares of three classes; every fourth utterance has one class alone."""
    rng = np.random.default_rng(1)
    found = rng.dirichlet([1.0, 1.0, 1.0], N)
    found[::4] = np.eye(3)[np.arange(N)[::4] % 3]
    return found


def repeated(
    X: pd.DataFrame, votes: NDArray[np.float64], seed: int | None = 0
) -> tuple[pd.DataFrame, NDArray[np.str_], NDArray[np.float64]]:
    """Return a row for each class that somebody said, with its share as its weight, in any order."""
    row, code = np.nonzero(votes)
    if seed is not None:
        # The order of utterances is that of their first rows, which stays.
        first = np.unique(row, return_index=True)[1]
        others = np.random.default_rng(seed).permutation(np.setdiff1d(np.arange(len(row)), first))
        order = np.concatenate([first, others])
        row, code = row[order], code[order]
    return X.iloc[row], CLASSES[code], votes[row, code]


def same_weights(a: Any, b: Any) -> bool:
    return all(np.array_equal(a.weights_[name], b.weights_[name]) for name in a.weights_)


def test_rows_of_one_id_are_one_row(heard: pd.DataFrame, votes: NDArray[np.float64]) -> None:
    X, y, weight = repeated(heard, votes)
    once, row_of = one_row_each(X)
    assert row_of is not None
    assert list(once.index) == list(heard.index)
    truth, weights = shares(np.searchsorted(CLASSES, y), weight, row_of, 3)
    np.testing.assert_allclose(truth, votes, atol=1e-6)
    np.testing.assert_allclose(weights, 1.0)
    for plain in (heard, heard.to_numpy(), pd.concat([heard, heard]).reset_index(drop=True)):
        assert one_row_each(plain)[1] is None


def test_the_loss_is_that_of_the_rows_one_by_one(votes: NDArray[np.float64]) -> None:
    outputs = torch.from_numpy(np.random.default_rng(0).normal(size=(N, 3))).float()
    for smoothing in (0.0, 0.2):
        how = small(label_smoothing=smoothing)
        sure = torch.ones(N)
        together = how.batch_loss(outputs, torch.from_numpy(votes).float(), sure)
        row, code = (torch.from_numpy(one) for one in np.nonzero(votes))
        weight = torch.from_numpy(votes).float()[row, code]
        alone = how.batch_loss(outputs[row], code, weight) * len(row) / N
        torch.testing.assert_close(together, alone)


def test_held_out_votes_are_judged_by_the_same_loss(votes: NDArray[np.float64]) -> None:
    logs = log_softmax(np.random.default_rng(0).normal(size=(N, 3)) + 2 * votes, axis=1)
    weights = np.random.default_rng(1).uniform(0.5, 2, N)
    numbers, losses = judge(logs, votes, weights)
    row, code = np.nonzero(votes)
    one_by_one, _ = judge(logs[row], code, weights[row] * votes[row, code])
    for name in ("valid_loss", "valid_calibrated_loss"):
        assert numbers[name] == pytest.approx(one_by_one[name], rel=1e-6)
    assert losses.mean() == pytest.approx(numbers["valid_calibrated_loss"])
    most, right = votes.argmax(axis=1), logs.argmax(axis=1) == votes.argmax(axis=1)
    assert numbers["valid_uar"] == pytest.approx(np.mean([right[most == k].mean() for k in range(3)]))


@pytest.mark.parametrize("name", ["attention", "mlp"])
def test_a_fit_learns_the_shares(name: str, heard: pd.DataFrame, votes: NDArray[np.float64]) -> None:
    rng = np.random.default_rng(0)
    if name == "mlp":
        # Nothing tells the utterances apart: the best answer is what was said of all of them.
        table = pd.DataFrame(rng.normal(size=(N, 3)) * 1e-3, index=heard.index).add_prefix("c").astype(np.float32)
        heard = table.assign(group=heard["group"])
        votes = np.tile([0.6, 0.3, 0.1], (N, 1))
    X, y, weight = repeated(heard, votes)
    fitted = small(name, n_epochs=40, lr=0.03, early_stopping=False).fit(X, y, sample_weight=weight)
    told = fitted.predict_proba(heard)
    assert told.shape == (N, 3)
    if name == "mlp":
        np.testing.assert_allclose(told.mean(axis=0), [0.6, 0.3, 0.1], atol=0.03)
    # The order of the rows, beyond that of the utterances, is nothing that was said.
    again = small(name, n_epochs=40, lr=0.03, early_stopping=False).fit(*repeated(heard, votes, seed=7))
    np.testing.assert_allclose(again.predict_proba(heard), told, atol=1e-5)
    assert list(fitted.classes_) == list(CLASSES)


def test_one_batch_of_shares_is_one_batch_of_rows(heard: pd.DataFrame) -> None:
    """Where each utterance was said two classes of, in one batch without draws, weights come out as of single rows."""
    votes = np.tile([[0.75, 0.25, 0.0], [0.0, 0.5, 0.5]], (N // 2, 1))
    X, y, weight = repeated(heard, votes)
    how = {
        "batch_size": 200, "crop_frames": None, "time_masks": 0, "dropout": 0.0, "n_epochs": 5, "lr": 0.01,
        "early_stopping": False,
    }  # fmt: skip
    shared = small(**how).fit(X, y, sample_weight=weight)
    single = small(**how).fit(X.reset_index(drop=True), y, sample_weight=weight)
    np.testing.assert_allclose(shared.predict_log_proba(heard), single.predict_log_proba(heard), atol=1e-3)


@pytest.mark.parametrize("class_weight", [None, {"anger": 1.0, "neutral": 2.0, "sadness": 0.5}])
def test_votes_that_agree_are_labels(
    class_weight: dict[object, float] | None, heard: pd.DataFrame, votes: NDArray[np.float64]
) -> None:
    """Each utterance stands there twice, half a weight each, and comes out bit for bit as if it stood there once."""
    y = CLASSES[votes.argmax(axis=1)]
    plain = small(class_weight=class_weight).fit(heard, y)
    twice = pd.concat([heard, heard])
    halves = small(class_weight=class_weight).fit(twice, np.tile(y, 2), sample_weight=np.full(2 * N, 0.5))
    assert same_weights(plain, halves)
    assert plain.history_ == halves.history_
    assert np.array_equal(plain.predict_proba(heard), halves.predict_proba(heard))


def test_balance_is_that_of_all_votes(heard: pd.DataFrame, votes: NDArray[np.float64]) -> None:
    X, y, weight = repeated(heard, votes)
    held = votes.sum(axis=0)
    by_class = dict(zip(CLASSES, held.sum() / (3 * held), strict=True))
    balanced = small(class_weight="balanced").fit(X, y, sample_weight=weight)
    by_hand = small(class_weight=by_class).fit(X, y, sample_weight=weight)
    for name, value in balanced.weights_.items():
        np.testing.assert_allclose(by_hand.weights_[name], value, atol=1e-5)
    assert not same_weights(balanced, small().fit(X, y, sample_weight=weight))
    # Where all agree and nobody counts more it is scikit-learn's.
    hard = CLASSES[votes.argmax(axis=1)]
    twice = small(class_weight="balanced").fit(pd.concat([heard, heard]), np.tile(hard, 2))
    once = small(class_weight="balanced").fit(heard, hard)
    np.testing.assert_allclose(twice.predict_proba(heard), once.predict_proba(heard), atol=1e-5)


def test_votes_of_people_who_are_held_out_stop(heard: pd.DataFrame, votes: NDArray[np.float64]) -> None:
    X, y, weight = repeated(heard, votes)
    fitted = small(n_epochs=4).fit(X, y, sample_weight=weight)
    entropy = -(votes * np.log(np.where(votes > 0, votes, 1))).sum(axis=1)
    # No answer is better than the shares themselves.
    assert all(row["valid_calibrated_loss"] > 0.5 * entropy.mean() for row in fitted.history_ if "valid_loss" in row)
    assert len([row for row in fitted.history_ if "refit_loss" in row]) == fitted.best_epoch_
    nobody = small(n_epochs=2).fit(X, y, sample_weight=np.where(X.index == "u3", 0.0, weight))
    without = X.index != "u3"
    assert same_weights(nobody, small(n_epochs=2).fit(X[without], y[without], sample_weight=weight[without]))


def test_rows_of_one_id_that_differ_are_refused(heard: pd.DataFrame, votes: NDArray[np.float64]) -> None:
    X, y, weight = repeated(heard, votes)
    other = X.copy()
    other["arrays"] = [cell + (1 if i == len(X) - 1 else 0) for i, cell in enumerate(X["arrays"])]
    with pytest.raises(
        InputError, match=rf"^utterance '{X.index[-1]}' stands in rows that differ in 'arrays'; rows of"
    ):
        small().fit(other, y, sample_weight=weight)
    # Equal cells that are not one object, as they come from another process, are alike.
    copied = X.copy()
    copied["arrays"] = [cell.copy() for cell in X["arrays"]]
    assert same_weights(small(n_epochs=1).fit(copied, y, weight), small(n_epochs=1).fit(X, y, weight))
    with pytest.raises(InputError, match="differ in 'group'"):
        small().fit(X.assign(group=[f"s{i}" for i in range(len(X))]), y, sample_weight=weight)
    table = pd.DataFrame({"a": np.arange(4.0), "b": [np.nan, 1.0, np.nan, 1.0]}, index=["u", "v", "u", "v"])
    with pytest.raises(InputError, match="utterance 'u' stands in rows that differ in 'a'"):
        one_row_each(table)
    assert len(one_row_each(table[["b"]])[0]) == 2
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small().fit(X, y[:-1])
    with pytest.raises(ValueError, match="sample_weight must be at least 0"):
        small().fit(X, y, sample_weight=-weight)
