"""Networks that learn numbers: scikit-learn's own checks, the loss, what stops, and what a fitted one answers."""

from __future__ import annotations

import logging
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone, is_regressor
from sklearn.utils.estimator_checks import parametrize_with_checks

from ser_experiments.errors import InputError
from ser_experiments.frames import TRIED_ON
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.nets import batches
from ser_experiments.models.nets.holdout import hold_out, strata_of
from ser_experiments.models.persistence import load_estimator, save_estimator, skops_io
from ser_experiments.models.spec import families_of, get_model
from tests.checkpoints import tiny_whisper
from tests.models.test_nets import EXEMPT, QUICK, QUICK_SEQUENCE

torch = pytest.importorskip("torch")

from ser_experiments.models.nets.concordance import ccc_loss, judge, squared_loss  # noqa: E402 -- needs torch

SMALL: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": (16,), "dropout": 0.0},
    "lstm": {"hidden": 8, "frames_per_step": 2, "dropout": 0.0},
    "cnn": {"widths": (4, 8), "column_masks": 0, "dropout": 0.0},
    "attention": {"hidden": 8, "dropout": 0.0},
    "tail": {"blocks": 0, "dropout": 0.0},
    "resnet": {"width": 4, "column_masks": 0, "dropout": 0.0},
    "resnet18": {"width": 4, "column_masks": 0, "dropout": 0.0},
    "resnet34": {"width": 2, "column_masks": 0, "dropout": 0.0},
}
NETWORKS = list(SMALL)
#: One network with three numbers of layers, which takes most of the time.
DEEP = {"resnet18", "resnet34"}
SHALLOW = ["mlp", "lstm", "cnn", "attention", "tail"]
every_network = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in DEEP else name for name in NETWORKS]
)
Data = tuple[pd.DataFrame, NDArray[np.float64]]


def small(name: str = "attention", **params: Any) -> Any:
    over_time = {} if name == "mlp" else {"crop_frames": 12, "time_masks": 0}
    usual = {"n_epochs": 15, "batch_size": 16, "lr": 0.02, "random_state": 0, "device": "cpu"}
    regression = get_model(name).regression
    assert regression is not None
    return regression.build(**{**usual, **over_time, **SMALL[name], **params})


def rows(name: str = "attention", n_rows: int = 60) -> Data:
    """Return rows of 6 speakers with two numbers that depend on them by a straight line, far from mean 0 and 1."""
    rng = np.random.default_rng(3)
    told = rng.normal(size=(n_rows, 2))
    columns = told @ rng.normal(size=(2, 6))
    groups = [f"s{i % 6}" for i in range(n_rows)]
    y = told * [1.0, 300.0] + [3.0, -1000.0]
    if name == "mlp":
        X = pd.DataFrame(columns + 0.1 * rng.normal(size=columns.shape)).add_prefix("c").astype(np.float32)
        return X.assign(group=groups), y
    cells = np.empty(n_rows, dtype=object)
    for i, row in enumerate(columns):
        cells[i] = (row + 0.3 * rng.normal(size=(rng.integers(4, 20), 6))).astype(np.float16)
    return pd.DataFrame({"arrays": cells, "group": groups}), y


def same_weights(a: Any, b: Any) -> bool:
    return all(np.array_equal(a.weights_[name], b.weights_[name]) for name in a.weights_)


def concordance(x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    """Return the coefficient of one target as Lin wrote it, from numpy's own weighted moments."""
    moments = np.cov(x, y, aweights=weights, ddof=0)
    apart = np.average(x, weights=weights) - np.average(y, weights=weights)
    return float(2 * moments[0, 1] / (moments[0, 0] + moments[1, 1] + apart**2))


# --- scikit-learn's own checks -----------------------------------------------------------------------------------


def exemptions(estimator: BaseEstimator) -> dict[str, str]:
    return {
        **EXEMPT,
        "check_methods_subset_invariance": "the last bits of float32 depend on the shape of a batch; the check wants "
        "seven digits; test_an_answer_does_not_depend_on_neighbours wants four",
    }


def regressor(name: str, **params: Any) -> BaseEstimator:
    regression = get_model(name).regression
    assert regression is not None
    return regression.build(**params)


@parametrize_with_checks(
    [
        regressor("mlp", **QUICK, hidden=(16,)),
    ],
    expected_failed_checks=exemptions,
)
def test_scikit_learn_checks(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        regressor("attention", **QUICK_SEQUENCE, hidden=8, loss="mse"),
        regressor("tail", **QUICK_SEQUENCE, blocks=0),
        regressor("lstm", **QUICK_SEQUENCE, hidden=6),
        regressor("cnn", **QUICK_SEQUENCE, widths=(8, 8)),
        regressor("resnet18", **{**QUICK_SEQUENCE, "width": 2, "n_epochs": 15, "lr": 0.05}),
    ],
    expected_failed_checks=exemptions,
)
def test_scikit_learn_checks_of_slower_networks(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)


# --- families ----------------------------------------------------------------------------------------------------


@every_network
def test_a_family_says_how_it_learns_numbers(name: str) -> None:
    spec = get_model(name)
    assert spec.regression is not None
    built = spec.regression.build()
    assert is_regressor(built)
    assert name in families_of(type(built))
    assert spec.regression.several
    assert not spec.regression.matched
    names = set(spec.regression.params())
    assert names == (set(spec.params()) - set(spec.regression.without)) | {"loss"}
    assert names <= set(built.get_params())
    # What the family sets otherwise than networks in general is the same for both.
    usual = spec.build().get_params()
    assert {key: value for key, value in built.get_params().items() if key != "loss"}.items() <= usual.items()


@every_network
def test_a_straight_line_is_learned(name: str) -> None:
    X, y = rows(name)
    more = {"resnet": {"n_epochs": 8}, "resnet34": {"n_epochs": 30}}.get(name, {})
    fitted = small(name, early_stopping=False, **more).fit(X, y)
    told = fitted.predict(X)
    assert told.shape == y.shape
    assert told.dtype == np.float64
    for k in range(2):
        assert concordance(told[:, k], y[:, k], np.ones(len(y))) > 0.75
    assert fitted.history_[-1]["train_loss"] < fitted.history_[0]["train_loss"]
    assert "valid_loss" not in fitted.history_[0]
    assert np.array_equal(clone(fitted).fit(X, y).predict(X), told)


@pytest.mark.parametrize("name", SHALLOW)
def test_an_answer_does_not_depend_on_neighbours(name: str) -> None:
    X, y = rows(name)
    fitted = small(name, n_epochs=2).fit(X, y)
    together = fitted.predict(X)
    alone = np.vstack([fitted.predict(X.iloc[[i]]) for i in range(10)])
    np.testing.assert_allclose(alone / y.std(axis=0), together[:10] / y.std(axis=0), atol=1e-4)


@every_network
def test_a_saved_regressor_answers_the_same(name: str, tmp_path: Path) -> None:
    X, y = rows(name)
    fitted = small(name, n_epochs=1).fit(X, y)
    save_estimator(fitted, tmp_path / "m.skops")
    again = load_estimator(tmp_path / "m.skops")
    assert np.array_equal(again.predict(X), fitted.predict(X))
    assert again.get_params() == fitted.get_params()
    assert again.history_ == fitted.history_
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))
    single = small(name, n_epochs=1).fit(X, y[:, 0])
    save_estimator(single, tmp_path / "m.skops")
    assert np.array_equal(load_estimator(tmp_path / "m.skops").predict(X), single.predict(X))
    # An unfitted one may stand in another estimator.
    save_estimator(small(name), tmp_path / "m.skops")
    load_estimator(tmp_path / "m.skops")


@pytest.mark.parametrize(
    "changes",
    [
        {"target_scale_": np.array([1.0])},
        {"target_scale_": np.array([1.0, -1.0])},
        {"target_scale_": np.array([1.0, np.inf])},
        {"target_mean_": np.array(["a", "b"])},
        {"target_mean_": np.zeros((2, 1))},
        {"target_mean_": 3.0},
        {"target_mean_": np.array([]), "target_scale_": np.array([])},
        {"single_target_": True},
        {"single_target_": "yes"},
    ],
)
def test_an_altered_regressor_is_refused(changes: dict[str, object], tmp_path: Path) -> None:
    fitted = small("mlp", n_epochs=1).fit(*rows("mlp"))
    for attribute, value in changes.items():
        setattr(fitted, attribute, value)
    (tmp_path / "m.skops").write_bytes(skops_io().dumps(fitted))
    with pytest.raises(InputError, match=r"not a model file of this project \(ValueError: holds"):
        load_estimator(tmp_path / "m.skops")


def test_blocks_of_an_encoder_learn_numbers(tmp_path: Path) -> None:
    folder = str(tiny_whisper(tmp_path / "encoder"))
    rng = np.random.default_rng(0)
    cells = np.empty(20, dtype=object)
    y = rng.normal(size=(20, 2))
    for i, told in enumerate(y):
        cells[i] = (rng.normal(size=(8, 16)) + np.repeat(told, 8)).astype(np.float16)
    X = pd.DataFrame({"encoder/frames_1": cells, "group": [f"s{i % 4}" for i in range(20)]})
    fitted = small("tail", encoder=folder, layer=1, blocks=1, rank=2, frozen_epochs=0, n_epochs=2).fit(X, y)
    assert any(key.endswith(".up") for key in fitted.weights_)
    assert "valid_ccc" in fitted.history_[0]
    save_estimator(fitted, tmp_path / "m.skops")
    np.testing.assert_allclose(load_estimator(tmp_path / "m.skops").predict(X), fitted.predict(X), atol=1e-6)


def test_a_fit_of_numbers_has_its_own_identity() -> None:
    X, y = rows("mlp")
    model = small("mlp")
    assert len({fit_key(model, X, y), fit_key(small("mlp", loss="mse"), X, y), fit_key(model, X, y[:, 0])}) == 3
    assert fit_key(model, X, y) == fit_key(clone(model), X, y)


# --- the loss ----------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), n_rows=st.integers(2, 40), n_targets=st.integers(1, 3))
def test_the_loss_is_one_minus_the_coefficient(seed: int, n_rows: int, n_targets: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = (rng.normal(size=(n_rows, n_targets)) for _ in range(2))
    weights = rng.uniform(0.1, 3, n_rows)
    expected = 1 - np.mean([concordance(x[:, k], y[:, k], weights) for k in range(n_targets)])
    loss = ccc_loss(*(torch.from_numpy(one).float() for one in (x, y, weights)))
    np.testing.assert_allclose(float(loss), expected, atol=2e-3 if n_rows == 2 else 2e-4)
    numbers, losses = judge(x, y, weights, by_ccc=True)
    np.testing.assert_allclose([numbers["valid_loss"], 1 - numbers["valid_ccc"], losses.mean()], expected, atol=1e-9)


def test_the_slope_of_the_loss_is_that_of_its_formula() -> None:
    rng = np.random.default_rng(1)
    x, y = (torch.from_numpy(rng.normal(size=(9, 2))) for _ in range(2))
    weights = torch.from_numpy(rng.uniform(0.5, 2, 9))
    assert torch.autograd.gradcheck(lambda outputs: ccc_loss(outputs, y, weights), x.requires_grad_())
    # Answers too near the mean are pulled apart, which squared errors of the same order do not ask for.
    truth = torch.linspace(-1, 1, 9).double()[:, None]
    narrow = (0.5 * truth).requires_grad_()
    ccc_loss(narrow, truth, weights).backward()
    assert narrow.grad is not None
    assert narrow.grad[0] > 0 > narrow.grad[-1]


@pytest.mark.parametrize("constant", ["truth", "outputs", "both", "one row"])
def test_a_batch_without_spread_has_a_loss_and_a_slope(constant: str) -> None:
    rng = np.random.default_rng(0)
    outputs, truth = (torch.from_numpy(rng.normal(size=(6, 1))).float() for _ in range(2))
    if constant in ("truth", "both"):
        truth = torch.zeros(6, 1)
    if constant in ("outputs", "both"):
        outputs = torch.zeros(6, 1)
    if constant == "one row":
        outputs, truth = outputs[:1], truth[:1]
    outputs = outputs.clone().requires_grad_()
    loss = ccc_loss(outputs, truth, torch.ones(len(outputs)))
    loss.backward()
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()
    assert float(loss.detach()) == pytest.approx(1, abs=1e-6)


def test_a_weight_of_two_is_a_row_twice() -> None:
    rng = np.random.default_rng(2)
    x, y = (torch.from_numpy(rng.normal(size=(8, 2))) for _ in range(2))
    weights = torch.tensor([2.0, 1, 1, 2, 1, 1, 1, 1]).double()
    twice = torch.repeat_interleave(torch.arange(8), weights.long())
    ones = torch.ones(len(twice)).double()
    torch.testing.assert_close(ccc_loss(x, y, weights), ccc_loss(x[twice], y[twice], ones))
    # Weights of a fit are one in the mean.
    torch.testing.assert_close(squared_loss(x, y, weights / weights.mean()), squared_loss(x[twice], y[twice], ones))


@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_a_fit_takes_a_weight_of_two_as_a_row_twice(loss: str) -> None:
    """In one batch without normalisation over it; rows of equal columns, so that moments of the frames are equal."""
    X, y = rows(n_rows=20)
    X, other = pd.concat([X, X], ignore_index=True), y + np.random.default_rng(0).normal(size=y.shape) * y.std(axis=0)
    both = np.concatenate([y, other])
    how = {"loss": loss, "batch_size": 100, "n_epochs": 6, "early_stopping": False, "crop_frames": None}
    weights = np.repeat([2.0, 1.0], 20)
    weighted = small(**how).fit(X, both, sample_weight=weights)
    repeated = small(**how).fit(pd.concat([X, X[:20]], ignore_index=True), np.concatenate([both, y]))
    np.testing.assert_allclose(weighted.target_mean_, repeated.target_mean_)
    np.testing.assert_allclose(weighted.target_scale_, repeated.target_scale_)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-3)
    assert not np.allclose(weighted.predict(X), small(**how).fit(X, both).predict(X), rtol=1e-3)
    keep = np.arange(40) % 4 > 0
    without = small(**how).fit(X[keep], both[keep])
    assert same_weights(without, small(**how).fit(X, both, sample_weight=keep.astype(float)))
    with pytest.raises(ValueError, match="sample_weight must be at least 0"):
        small(**how).fit(X, both, sample_weight=np.where(keep, 1.0, -1.0))


def test_the_losses_differ_and_ccc_answers_wider() -> None:
    X, y = rows()
    noisy = y + 1.5 * y.std(axis=0) * np.random.default_rng(1).normal(size=y.shape)
    by_ccc, by_mse = (small(loss=loss, early_stopping=False, n_epochs=20).fit(X, noisy) for loss in ("ccc", "mse"))
    assert (by_ccc.predict(X).std(axis=0) > by_mse.predict(X).std(axis=0)).all()


# --- scales ------------------------------------------------------------------------------------------------------


def test_the_scale_of_the_truth_changes_nothing_but_the_scale() -> None:
    X, y = rows()
    standard = (y - y.mean(axis=0)) / y.std(axis=0)
    plain, scaled = small(n_epochs=3).fit(X, standard), small(n_epochs=3).fit(X, 1000 * standard - 5)
    np.testing.assert_allclose(scaled.predict(X), 1000 * plain.predict(X) - 5, rtol=1e-3, atol=0.5)
    used = small(n_epochs=1, early_stopping=False).fit(X, y)
    np.testing.assert_allclose(used.target_mean_, y.mean(axis=0))
    np.testing.assert_allclose(used.target_scale_, y.std(axis=0))


def test_the_scale_is_that_of_the_rows_learned_from() -> None:
    X, y = rows()
    held = (X["group"] == "s2").to_numpy()
    marked = X.assign(group=X["group"].where(~held, TRIED_ON + X["group"]))
    fitted = small(n_epochs=1, refit=False).fit(marked, y)
    np.testing.assert_allclose(fitted.target_mean_, y[~held].mean(axis=0))
    refitted = small(n_epochs=1).fit(marked, y)
    np.testing.assert_allclose(refitted.target_mean_, y.mean(axis=0))


def test_one_number_or_one_column_of_them() -> None:
    X, y = rows()
    flat = small(n_epochs=2).fit(X, y[:, 0])
    column = small(n_epochs=2).fit(X, y[:, :1])
    assert flat.predict(X).shape == (60,)
    assert column.predict(X).shape == (60, 1)
    assert np.array_equal(flat.predict(X), column.predict(X)[:, 0])
    assert small(n_epochs=2).fit(X, y[:, 0] > 3).predict(X).dtype == np.float64


def test_a_constant_number_is_answered_as_it_is() -> None:
    X, y = rows()
    half = small(n_epochs=10, early_stopping=False).fit(X, np.column_stack([y[:, 0], np.full(60, 4.0)]))
    assert half.predict(X)[:, 1] == pytest.approx(4.0)
    assert concordance(half.predict(X)[:, 0], y[:, 0], np.ones(60)) > 0.7
    for how in ({}, {"refit": False}, {"early_stopping": False}):
        whole = small(n_epochs=2, **how).fit(X, np.full(60, 0.1))
        assert whole.weights_ == {}
        assert whole.predict(X) == pytest.approx(0.1)
    assert small().fit(X[:1], [7.0]).predict(X).tolist() == [7.0] * 60


def test_long_utterances_are_the_mean_of_their_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = rows()
    fitted = small(n_epochs=2).fit(X, y)
    long = np.concatenate(list(X["arrays"]))[:30]
    monkeypatch.setattr(batches, "WINDOW_FRAMES", 10)
    by_hand = fitted.predict([long[:10], long[10:20], long[20:]]).mean(axis=0)
    np.testing.assert_allclose(fitted.predict([long, long[:7]])[0], by_hand, rtol=1e-5)


# --- what stops --------------------------------------------------------------------------------------------------


def test_all_held_out_rows_are_judged_together() -> None:
    X, y = rows()
    held = (X["group"] == "s2").to_numpy()
    marked = X.assign(group=X["group"].where(~held, TRIED_ON + X["group"]))
    fitted = small(n_epochs=4, refit=False).fit(marked, y)
    told = fitted.predict(X)[held]
    # The coefficient has no unit, so that it is the same on any scale that both share.
    by_hand = np.mean([concordance(told[:, k], y[held, k], np.ones(held.sum())) for k in range(2)])
    best = fitted.history_[fitted.best_epoch_ - 1]
    assert best["valid_ccc"] == pytest.approx(by_hand, abs=1e-5)
    assert best["valid_loss"] == pytest.approx(1 - by_hand, abs=1e-5)
    squared = small(n_epochs=4, refit=False, loss="mse").fit(marked, y)
    error = ((squared.predict(X)[held] - y[held]) / squared.target_scale_) ** 2
    best = squared.history_[squared.best_epoch_ - 1]
    assert best["valid_loss"] == pytest.approx(error.mean(), rel=1e-4)
    assert 0 < best["valid_ccc"] <= 1


def test_the_standard_error_of_the_coefficient_is_that_of_resampled_rows() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(400, 2))
    good, poor = (truth * 0.6 + size * rng.normal(size=(400, 2)) + 0.2 for size in (0.5, 0.7))
    ones = np.ones(400)

    def loss(answers: NDArray[np.float64], kept: NDArray[np.intp]) -> float:
        return judge(answers[kept], truth[kept], ones, by_ccc=True)[0]["valid_loss"]

    difference = judge(poor, truth, ones, by_ccc=True)[1] - judge(good, truth, ones, by_ccc=True)[1]
    drawn = [rng.integers(400, size=400) for _ in range(500)]
    resampled = np.std([loss(poor, kept) - loss(good, kept) for kept in drawn])
    assert difference.std() / np.sqrt(400) == pytest.approx(resampled, rel=0.15)
    # A row moves the coefficient by what it is said to add: seen by weighing it a little more.
    weights = 1 + 1e-5 * np.eye(400)[:20]
    nudged = np.array([judge(good, truth, one, by_ccc=True)[0]["valid_loss"] for one in weights])
    numbers, added = judge(good, truth, ones, by_ccc=True)
    np.testing.assert_allclose(
        (nudged - numbers["valid_loss"]) / 1e-5 * 400, added[:20] - added.mean(), rtol=1e-3, atol=1e-5
    )


def test_patience_ends_training_and_the_best_epochs_are_refitted() -> None:
    X, y = rows()
    noise = np.random.default_rng(0).normal(size=y.shape)
    how = {"schedule": "constant", "lr": 0.02, "patience": 2, "n_epochs": 40}
    found = small(**how, refit=False).fit(X, noise)
    losses = [row["valid_loss"] for row in found.history_]
    assert 1 + int(np.argmin(losses)) <= found.best_epoch_ == len(losses) - 2 < 38
    fitted = small(**how).fit(X, noise)
    assert fitted.history_[: len(losses)] == found.history_
    again = fitted.history_[len(losses) :]
    assert [set(row) for row in again] == [{"epoch", "refit_lr", "refit_loss"}] * found.best_epoch_
    alone = small(**{**how, "n_epochs": found.best_epoch_}, early_stopping=False).fit(X, noise)
    assert same_weights(fitted, alone)


def test_whole_groups_are_held_out_or_rows_of_every_height() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=60)
    strata = strata_of(numbers)
    assert np.bincount(strata).tolist() == [20, 20, 20]
    assert all(numbers[strata == k].max() < numbers[strata == k + 1].min() for k in range(2))
    assert strata_of(np.zeros(7)).tolist() == [0, 0, 0, 1, 1, 2, 2]
    _, stop = hold_out(strata, None, 0.15, rng)
    assert np.bincount(strata[stop]).tolist() == [3, 3, 3]
    X, y = rows()
    # Of six speakers one is held out, so that the frames' means are those of fifty rows.
    fitted = small(n_epochs=1, refit=False).fit(X, y)
    frames = {g: np.concatenate(list(X["arrays"][X["group"] != g])).mean(axis=0) for g in X["group"].unique()}
    assert sum(np.allclose(fitted.mean_, one, atol=1e-4) for one in frames.values()) == 1
    # A speaker of extreme numbers alone may be held out all the same.
    extreme = small(n_epochs=2).fit(X, np.where(X["group"] == "s1", 100.0, y[:, 0]))
    assert "valid_ccc" in extreme.history_[0]
    without = small(n_epochs=2).fit(X.drop(columns="group"), y)
    assert "valid_ccc" in without.history_[0]


# --- seeds, errors, logs -----------------------------------------------------------------------------------------


def test_equal_seeds_give_equal_weights_and_torch_is_left_alone() -> None:
    X, y = rows()
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    fitted = small(n_epochs=2).fit(X, y)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert same_weights(fitted, small(n_epochs=2).fit(X, y))
    assert not same_weights(fitted, small(n_epochs=2, random_state=2).fit(X, y))
    kinds = {type(value).__module__.split(".")[0] for value in vars(fitted).values()}
    assert kinds <= {"builtins", "numpy"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"loss": "rmse"}, "loss must be one of ccc, mse, got 'rmse'"),
        ({"loss": ["ccc"]}, "loss must be one of ccc, mse, got ['ccc']"),
        ({"n_epochs": 0}, "n_epochs must be an int of at least 1, got 0"),
        ({"hidden": -1}, "hidden must be an int of at least 0, got -1"),
        ({"lr": 1e30, "optimizer": "sgd"}, ": lr must be smaller, got 1e+30"),
        ({"lr": 1e30, "optimizer": "sgd", "loss": "mse"}, ": lr must be smaller, got 1e+30"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(params: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        small(**params).fit(*rows())
    assert message in str(caught.value)


def test_bad_rows_are_refused() -> None:
    X, y = rows()
    with pytest.raises(ValueError, match="NaN"):
        small().fit(X, np.where(np.arange(60)[:, None] == 3, np.nan, y))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        small().fit(X, y[:-1])
    with pytest.raises(ValueError, match="could not convert string"):
        small().fit(X, np.repeat(["a", "b"], 30))
    fitted = small(n_epochs=1).fit(X, y)
    broken = X.copy()
    broken["arrays"] = [cell * np.float16(np.nan) if i == 7 else cell for i, cell in enumerate(X["arrays"])]
    with pytest.raises(InputError, match="row 7: holds NaN"):
        fitted.predict(broken)


def test_no_warning_and_no_class_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        fitted = small(n_epochs=2).fit(*rows())
    assert not caplog.records
    assert not hasattr(fitted, "classes_")
    assert fitted.fit_report_.best_epoch == fitted.best_epoch_
    assert fitted.fit_report_.history[0]["valid_ccc"] == fitted.history_[0]["valid_ccc"]
