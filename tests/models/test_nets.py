"""The torch estimator: scikit-learn's own checks, and what those cannot know."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

from ser_experiments import doing
from ser_experiments.errors import InputError
from ser_experiments.frames import TRIED_ON
from ser_experiments.models.events import EpochEnd, observing
from ser_experiments.models.nets import batches, clips
from ser_experiments.models.nets.clips import Clips
from ser_experiments.models.nets.devices import full_gpu_in_one_line
from ser_experiments.models.nets.holdout import hold_out
from ser_experiments.models.spec import get_model

torch = pytest.importorskip("torch")

#: The checks of scikit-learn that fail by design, with the reason.
EXEMPT = {
    "check_sample_weight_equivalence_on_dense_data": "a repeated row falls into other mini-batches than a weight of "
    "two, and batch normalisation counts rows, not weights; weights are exact within a batch, and zero is removal",
}
QUICK: dict[str, Any] = {
    "n_epochs": 12,
    "lr": 0.03,
    "dropout": 0.0,
    "early_stopping": False,
    "random_state": 0,
}
QUICK_SEQUENCE = {**QUICK, "time_masks": 0, "column_masks": 0}
QUICK_RESIDUAL = {**QUICK_SEQUENCE, "width": 2, "n_epochs": 15, "lr": 0.05}


def exemptions(estimator: BaseEstimator) -> dict[str, str]:
    return EXEMPT


@parametrize_with_checks(
    [
        get_model("mlp").build(**QUICK, hidden=(16,)),
        get_model("lstm").build(**QUICK_SEQUENCE, hidden=6),
        get_model("cnn").build(**QUICK_SEQUENCE, widths=(8, 8)),
        get_model("attention").build(**QUICK_SEQUENCE, hidden=8),
        get_model("tail").build(**QUICK_SEQUENCE, blocks=0),
    ],
    expected_failed_checks=exemptions,
)
def test_scikit_learn_checks(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [get_model("resnet18").build(**QUICK_RESIDUAL), get_model("resnet34").build(**QUICK_RESIDUAL)],
    expected_failed_checks=exemptions,
)
def test_scikit_learn_checks_of_residual_networks(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)


@pytest.fixture
def speech() -> tuple[pd.DataFrame, NDArray[np.str_]]:
    """Return 48 utterances of 1 to 60 frames and 10 columns by 6 speakers, and three labels."""
    rng = np.random.default_rng(5)
    y = rng.choice(["anger", "neutral", "sadness"], 48)
    cells = np.empty(48, dtype=object)
    for i, label in enumerate(y):
        tilt = np.linspace(-1, 1, 10) * (ord(label[0]) - ord("n")) / 5
        cells[i] = (50 + 3 * rng.normal(size=(rng.integers(1, 61), 10)) + tilt).astype(np.float16)
    return pd.DataFrame({"melspec": cells, "group": [f"s{i % 6}" for i in range(48)]}), y


def small(name: str = "cnn", **params: Any) -> Any:
    sizes = {"cnn": {"widths": (4, 6)}, "lstm": {"hidden": 5}, "resnet18": {"width": 2}, "mlp": {"hidden": (8,)}}
    return get_model(name).build(**{"n_epochs": 3, "crop_frames": 20, "random_state": 1, **sizes[name], **params})


def same_weights(a: Any, b: Any) -> bool:
    return all(np.array_equal(a.weights_[name], b.weights_[name]) for name in a.weights_)


@pytest.mark.parametrize("name", ["cnn", "lstm", "resnet18"])
def test_an_answer_does_not_depend_on_neighbours(name: str, speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    # A GPU rounds by the shape of the batch; that is tested below.
    fitted = small(name, device="cpu").fit(X, y)
    together = fitted.predict_log_proba(X)
    alone = np.vstack([fitted.predict_log_proba(X.iloc[[i]]) for i in range(len(X))])
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert together.std(axis=0).min() > 1e-4


def test_every_way_to_hand_arrays_in_is_the_same(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    fitted = small().fit(X, y)
    expected = fitted.predict_proba(X)
    assert np.array_equal(fitted.predict_proba(X.drop(columns="group")), expected)
    assert np.array_equal(fitted.predict_proba(X["melspec"].to_numpy()), expected)
    assert np.array_equal(fitted.predict_proba(list(X["melspec"])), expected)
    stacked = np.stack([cell[:1] for cell in X["melspec"]]).astype(np.float32)
    assert np.array_equal(fitted.predict_proba(stacked), fitted.predict_proba(stacked[:, 0]))


def test_frames_read_batch_by_batch_give_the_same_weights(
    speech: tuple[pd.DataFrame, NDArray[np.str_]], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = speech
    resident = small().fit(X, y)
    expected = resident.predict_proba(X)
    monkeypatch.setattr(clips, "RESIDENT_BYTES", 0)
    lazy = small().fit(X, y)
    assert same_weights(resident, lazy)
    assert np.array_equal(lazy.predict_proba(X), expected)


class OnDisk:
    """A cell that is made when it is read."""

    shape = (400, 64)
    dtype = np.dtype(np.float32)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __array__(self, dtype: object = None, copy: bool | None = None) -> NDArray[np.float32]:
        return np.random.default_rng(self.seed).normal(size=self.shape).astype(np.float32)


def test_memory_does_not_grow_with_the_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "RESIDENT_BYTES", 1 << 20)
    monkeypatch.setattr(batches, "BATCH_FRAMES", 4_000)
    cells = np.empty(120, dtype=object)
    cells[:] = [OnDisk(i) for i in range(120)]
    y = np.array(["a", "b"] * 60)
    small(n_epochs=1).fit(cells[:8], y[:8]).predict(cells[:8])  # imports are not what is measured
    tracemalloc.start()
    try:
        small(n_epochs=1, batch_size=8, early_stopping=False).fit(cells, y).predict(cells)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 << 20 < Clips(cells).n_bytes


def test_a_long_utterance_is_answered_in_windows(
    speech: tuple[pd.DataFrame, NDArray[np.str_]], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = speech
    fitted = small().fit(X, y)
    long = np.concatenate(list(X["melspec"]))[:300]
    monkeypatch.setattr(batches, "WINDOW_FRAMES", 100)
    by_hand = fitted.predict_log_proba([long[:100], long[100:200], long[200:]]).mean(axis=0)
    by_hand -= np.logaddexp.reduce(by_hand)
    np.testing.assert_allclose(fitted.predict_log_proba([long, long[:7]])[0], by_hand, atol=1e-6)


def test_batches_at_prediction_are_bounded(
    speech: tuple[pd.DataFrame, NDArray[np.str_]], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, _ = speech
    monkeypatch.setattr(batches, "BATCH_FRAMES", 100)
    arrays = Clips(X["melspec"].to_numpy())
    rows = np.arange(len(arrays))
    loader = batches.Loader(arrays, *arrays.moments(rows), torch.device("cpu"))
    seen = []
    for places, x, lengths in loader.whole(rows):
        assert x.shape[0] * x.shape[1] <= 100
        true = np.full(len(places), x.shape[1]) if lengths is None else lengths.numpy()
        assert np.array_equal(true, arrays.lengths[places])
        seen.extend(places)
    assert sorted(seen) == list(rows)


def test_moments_agree_with_numpy() -> None:
    rng = np.random.default_rng(0)
    cells = [(1e3 + rng.normal(size=(n, 4)) * [1, 10, 0, 0.1]).astype(np.float32) for n in (1, 7, 300)]
    mean, deviation = Clips(cells).moments(np.arange(3))
    frames = np.concatenate(cells).astype(np.float64)
    np.testing.assert_allclose(mean, frames.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, [*frames.std(axis=0)[:2], 1.0, frames.std(axis=0)[3]], rtol=1e-5)


def test_statistics_come_from_the_rows_learned_from(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    rng = np.random.default_rng(int(np.random.RandomState(1).randint(2**31 - 1)))
    codes = np.unique(y, return_inverse=True)[1]
    _, stop = hold_out(codes, X["group"].to_numpy(dtype=str), 0.15, rng)
    assert len(stop)
    shifted = X.copy()
    shifted["melspec"] = [cell + (100 if i in stop else 0) for i, cell in enumerate(X["melspec"])]
    fitted = small(refit=False).fit(X, y)
    assert np.array_equal(small(refit=False).fit(shifted, y).mean_, fitted.mean_)
    assert not np.array_equal(small().fit(X, y).mean_, fitted.mean_)


def test_global_state_of_torch_is_left_as_it_was(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    other = 2 if threads == 1 else 1
    fitted = small(n_threads=other).fit(X, y)
    fitted.predict(X)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert same_weights(fitted, small(n_threads=other).fit(X, y))
    assert not same_weights(fitted, small(random_state=2).fit(X, y))


def test_no_torch_in_a_fitted_estimator(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    fitted = small().fit(*speech)
    assert all(type(value) is np.ndarray for value in fitted.weights_.values())
    kinds = {type(value).__module__.split(".")[0] for value in vars(fitted).values()}
    assert kinds <= {"builtins", "numpy"}


def test_weight_zero_is_removal_and_class_weights_are_row_weights(
    speech: tuple[pd.DataFrame, NDArray[np.str_]],
) -> None:
    X, y = speech
    keep = np.arange(len(y)) % 4 > 0
    weighted = small().fit(X, y, sample_weight=keep.astype(float))
    assert same_weights(weighted, small().fit(X[keep], y[keep]))
    balanced = small(class_weight="balanced").fit(X, y)
    counts = {name: (y == name).sum() for name in np.unique(y)}
    by_hand = small().fit(X, y, sample_weight=[len(y) / (3 * counts[name]) for name in y])
    for name, value in balanced.weights_.items():
        np.testing.assert_allclose(by_hand.weights_[name], value, atol=1e-5)
    with pytest.raises(ValueError, match="sample_weight must be at least 0"):
        small().fit(X, y, sample_weight=np.where(keep, 1.0, -1.0))


def test_an_epoch_as_good_as_the_best_is_kept_and_patience_ends_training(
    speech: tuple[pd.DataFrame, NDArray[np.str_]],
) -> None:
    X, _ = speech
    noise = np.random.default_rng(0).choice(["anger", "neutral", "sadness"], len(X))
    params = {"schedule": "constant", "lr": 0.02, "patience": 2, "n_epochs": 40, "refit": False}
    fitted = small(**params).fit(X, noise)
    losses = [row["valid_calibrated_loss"] for row in fitted.history_]
    assert 1 + int(np.argmin(losses)) <= fitted.best_epoch_ == len(losses) - 2 < 38
    assert min(losses[-2:]) > min(losses)
    # With a constant rate nothing depends on the number of epochs, so a shorter fit ends at the same weights.
    assert same_weights(fitted, small(**{**params, "n_epochs": fitted.best_epoch_}).fit(X, noise))


def test_refit_learns_from_all_rows_for_the_best_number_of_epochs(
    speech: tuple[pd.DataFrame, NDArray[np.str_]],
) -> None:
    X, y = speech
    found = small(n_epochs=8, refit=False, patience=3).fit(X, y)
    fitted = small(n_epochs=8, patience=3).fit(X, y)
    assert fitted.best_epoch_ == found.best_epoch_
    assert fitted.history_[: len(found.history_)] == found.history_
    again = fitted.history_[len(found.history_) :]
    alone = small(n_epochs=found.best_epoch_, early_stopping=False).fit(X, y)
    assert same_weights(fitted, alone)
    assert [row["refit_loss"] for row in again] == [row["train_loss"] for row in alone.history_]


def test_the_loss_to_stop_by_ignores_overconfidence() -> None:
    from ser_experiments.models.nets.training import judge, within_one_se

    rng = np.random.default_rng(0)
    codes = rng.integers(3, size=300)
    scores = rng.normal(size=(300, 3)) + np.eye(3)[codes]
    weights = rng.uniform(0.5, 2.0, 300)
    weights /= weights.mean()

    def logs(scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)

    (modest, losses), (sure, _) = (judge(logs(factor * scores), codes, weights) for factor in (1.0, 8.0))
    np.testing.assert_allclose(losses.mean(), modest["valid_calibrated_loss"], rtol=1e-12)
    assert sure["valid_loss"] > 2 * modest["valid_loss"]
    np.testing.assert_allclose(sure["valid_calibrated_loss"], modest["valid_calibrated_loss"], rtol=1e-6)
    plain = -(weights * logs(scores)[np.arange(300), codes]).mean()
    np.testing.assert_allclose(modest["valid_loss"], plain, rtol=1e-9)
    grid = [-(weights * logs(f * scores)[np.arange(300), codes]).mean() for f in np.linspace(0.1, 3, 300)]
    np.testing.assert_allclose(modest["valid_calibrated_loss"], min(grid), rtol=1e-4)
    right = scores.argmax(axis=1) == codes
    assert modest["valid_uar"] == np.mean([right[codes == k].mean() for k in range(3)])
    noise = rng.normal(size=300)
    error = noise.std() / np.sqrt(300)
    assert within_one_se(losses + noise - noise.mean() + 0.99 * error, losses)
    assert not within_one_se(losses + noise - noise.mean() + 1.01 * error, losses)


def test_without_early_stopping_the_last_epoch_is_kept(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    fitted = small(early_stopping=False).fit(*speech)
    assert fitted.best_epoch_ == len(fitted.history_) == 3
    assert "valid_loss" not in fitted.history_[0]


def test_epochs_are_told_to_observers(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    heard: list[EpochEnd] = []
    with observing(heard.append):
        fitted = small(refit=False).fit(*speech)
    assert [event.epoch for event in heard] == [1, 2, 3]
    assert [{"epoch": float(e.epoch), **e.metrics} for e in heard] == fitted.history_
    assert {event.model for event in heard} == {"CNNClassifier"}
    assert all(event.train_s > 0 and event.n_epochs == 3 for event in heard)
    small().fit(*speech)
    assert len(heard) == 3


def test_epochs_are_told_inside_of_what_they_are_a_part_of(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    told: list[str] = []

    class Heard:
        def stage(self, step: doing.Step) -> None:
            told.append(str(step))

        def parts(self, parts: tuple[doing.Step, ...]) -> None:
            told.append(", ".join(map(str, parts)))

    with doing.heard_by(Heard()), doing.part("Ses1"):
        small(refit=False).fit(*speech)
    assert told == ["Ses1", "Ses1, epoch 1/3", "Ses1, epoch 2/3", "Ses1, epoch 3/3", ""]


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [("constant", [1, 1, 1, 1]), ("step", [1, 0.1, 0.01, 0.01]), ("cosine", [0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5, 0])],
)
def test_schedules(schedule: str, factors: list[float], speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    fitted = small(n_epochs=4, schedule=schedule, batch_size=2, lr=0.01, early_stopping=False).fit(X, y)
    # What is noted is the rate of the last step, a 24th of an epoch before the epoch's end.
    rates = [row["lr"] / 0.01 for row in fitted.history_]
    np.testing.assert_allclose(rates, factors, atol=0.02)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_optimizers_lower_the_loss(optimizer: str, speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    fitted = small(optimizer=optimizer, lr=0.05, n_epochs=20, batch_size=8, early_stopping=False).fit(*speech)
    assert fitted.history_[-1]["train_loss"] < 0.8 * fitted.history_[0]["train_loss"]


def test_groups_are_held_out_whole_and_no_class_is_lost() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([f"s{i}" for i in range(8)], 10)
    codes = np.tile([0, 1], 40)
    codes[:10] = 2
    for seed in range(20):
        learn, stop = hold_out(codes, groups, 0.25, np.random.default_rng(seed))
        assert len(set(groups[stop])) == 2
        assert not set(groups[learn]) & set(groups[stop])
        assert set(codes[learn]) == {0, 1, 2}
        assert sorted([*learn, *stop]) == list(range(80))
    each_its_class = np.repeat([0, 1, 2, 3], 20)
    learn, stop = hold_out(each_its_class, np.repeat(["a", "b", "c", "d"], 20), 0.25, rng)
    assert (len(learn), len(stop)) == (80, 0)
    learn, stop = hold_out(codes, None, 0.2, rng)
    assert np.bincount(codes[stop]).tolist() == [7, 7, 2]
    learn, stop = hold_out(codes, np.full(80, "one"), 0.2, rng)
    assert np.bincount(codes[stop]).tolist() == [7, 7, 2]
    # A development side instead, unless it takes the last rows of a class.
    development = np.isin(groups, ["s3", "s4", "s5"])
    learn, stop = hold_out(codes, groups, 0.25, rng, development)
    assert (stop == np.flatnonzero(development)).all()
    learn, stop = hold_out(codes, groups, 0.25, rng, np.isin(groups, ["s0", "s1"]))
    assert len(set(groups[stop])) == 2
    assert set(codes[learn]) == {0, 1, 2}


def test_a_network_stops_by_the_development_side(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    group = X["group"].astype(str)
    development = (group == group.iloc[0]).to_numpy()
    shifted = X.copy()
    shifted["melspec"] = [cell + (100 if tried else 0) for cell, tried in zip(X["melspec"], development, strict=True)]
    marked = group.where(~development, TRIED_ON + group)
    fitted = small(refit=False).fit(X.assign(group=marked), y)
    # What it does not learn from is not in its statistics either.
    again = small(refit=False).fit(shifted.assign(group=marked), y)
    np.testing.assert_array_equal(fitted.mean_, again.mean_)
    assert not np.array_equal(fitted.mean_, small(refit=False, early_stopping=False).fit(X, y).mean_)


def test_masks_hide_as_much_as_they_are_told() -> None:
    from ser_experiments.models.nets.augment import mask_spectrogram

    generator = torch.Generator().manual_seed(0)
    x = torch.ones(200, 50, 20)
    mask_spectrogram(x, generator, time_masks=1, time_width=10, column_masks=1, column_width=4)
    frames = (x.amax(dim=2) == 0).sum(dim=1)
    columns = (x.amax(dim=1) == 0).sum(dim=1)
    assert (frames.min(), frames.max()) == (0, 10)
    assert (columns.min(), columns.max()) == (0, 4)
    hidden = x[int(frames.argmax())].amax(dim=1) == 0
    assert hidden.int().diff().abs().sum() <= 2


def test_block_averages_agree_with_a_plain_loop() -> None:
    from ser_experiments.models.nets.layers import average_blocks

    x = torch.randn(3, 11, 2, generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([11, 6, 1])
    means, blocks = average_blocks(x, lengths, 4)
    assert blocks is not None
    assert blocks.tolist() == [3, 2, 1]
    for clip, length in enumerate(lengths.tolist()):
        for block, start in enumerate(range(0, length, 4)):
            expected = x[clip, start : min(start + 4, length)].mean(dim=0)
            torch.testing.assert_close(means[clip, block], expected)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_epochs": 0}, "n_epochs must be an int of at least 1, got 0"),
        ({"batch_size": 1}, "batch_size must be an int of at least 2, got 1"),
        ({"lr": "fast"}, "lr must be a number above 0, got 'fast'"),
        ({"optimizer": "adam"}, "optimizer must be one of adamw, sgd, got 'adam'"),
        ({"schedule": "cos"}, "schedule must be one of cosine, step, constant, got 'cos'"),
        ({"validation_fraction": 1.0}, "validation_fraction must be between 0 and 1, got 1.0"),
        ({"crop_frames": 0}, "crop_frames must be an int of at least 1 or None, got 0"),
        ({"device": "gpu"}, "device must be 'auto', 'cpu' or 'cuda"),
        ({"lr": 1e30, "optimizer": "sgd"}, ": lr must be smaller, got 1e+30"),
    ],
)
def test_bad_parameters_are_refused_in_one_line(
    params: dict[str, object], message: str, speech: tuple[pd.DataFrame, NDArray[np.str_]]
) -> None:
    with pytest.raises(InputError) as caught:
        small(**params).fit(*speech)
    assert message in str(caught.value)


def test_bad_tables_are_refused_in_one_line(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    two = X.assign(frames=X["melspec"])
    with pytest.raises(InputError, match="takes one column of arrays, got 2 columns"):
        small().fit(two, y)
    with pytest.raises(InputError, match=r"arrays have 4 columns; fitted on 10"):
        small().fit(X, y).predict([np.zeros((3, 4))])
    broken = X.copy()
    broken["melspec"] = [cell * np.float16(np.nan) if i == 7 else cell for i, cell in enumerate(X["melspec"])]
    with pytest.raises(InputError, match="NaN or infinite"):
        small(early_stopping=False).fit(broken, y)
    with pytest.raises(InputError, match="row 7: holds NaN"):
        small().fit(X, y).predict(broken)
    cells = [*X["melspec"][:5], np.zeros((0, 10)), *X["melspec"][6:]]
    with pytest.raises(InputError, match=r"utterance 5: array of shape \(0, 10\)"):
        small().fit(cells, y)
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="sees no GPU"):
            small(device="cuda").fit(X, y)


def test_whole_utterances_in_training(speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    whole = small("lstm", crop_frames=None).fit(X, y)
    long_enough = small("lstm", crop_frames=60).fit(X, y)
    assert not same_weights(whole, small("lstm", crop_frames=20).fit(X, y))
    assert whole.predict_proba(X).shape == long_enough.predict_proba(X).shape == (48, 3)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_full_gpu_is_one_line(error: RuntimeError) -> None:
    with (
        pytest.raises(InputError, match=r"memory of cuda:1 does not suffice.*--jobs 1"),
        full_gpu_in_one_line(torch.device("cuda:1")),
    ):
        raise error


def test_other_errors_of_torch_are_its_own() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2"), full_gpu_in_one_line(torch.device("cuda")):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="out of memory"), full_gpu_in_one_line(torch.device("cpu")):
        raise RuntimeError("out of memory")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", ["cnn", "lstm", "resnet18"])
def test_a_gpu_answers_as_the_cpu_does(name: str, speech: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = speech
    fitted = small(name, device="cuda", mixed_precision=False).fit(X, y)
    on_gpu = fitted.predict_proba(X)
    np.testing.assert_allclose(fitted.set_params(device="cpu").predict_proba(X), on_gpu, atol=1e-3)
    half = small(name, device="cuda").fit(X, y)
    together = half.predict_log_proba(X)
    alone = np.vstack([half.predict_log_proba(X.iloc[[i]]) for i in range(len(X))])
    # 5e-4 was seen of the LSTM on an H200 in bfloat16.
    np.testing.assert_allclose(alone, together, atol=2e-3)
