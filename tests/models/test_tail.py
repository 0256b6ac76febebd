"""Fine-tuning from a layer of an encoder up, on tiny encoders with random weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import clone

from ser_experiments.errors import InputError
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.reference import EncoderRef
from ser_experiments.features.extractor import get_extractors
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.spec import get_model
from tests.checkpoints import N_LAYERS, WIDTH, tiny_whisper
from tests.features.test_upper import CASES, clips, tiny

torch = pytest.importorskip("torch")

from ser_experiments.models.nets.tail import TunedTail  # noqa: E402 -- needs torch

COLUMN = "encoder/frames_1"
SMALL: dict[str, Any] = {
    "layer": 1,
    "blocks": 2,
    "rank": 2,
    "n_epochs": 4,
    "batch_size": 8,
    "lr": 0.01,
    "blocks_lr": 0.01,
    "crop_frames": None,
    "random_state": 0,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def speech(encoder: Path) -> tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]:
    """Return frames of layer 1 of 30 clips by 5 speakers, their labels, and frames of layer 3 of the same."""
    rng = np.random.default_rng(1)
    y = rng.choice(["anger", "neutral", "sadness"], 30)
    extractors = [get_extractors(f"encoder/frames_{k}", model=str(encoder))[0] for k in (1, 3)]
    tables: dict[str, NDArray[Any]] = {one.name: np.empty(30, dtype=object) for one in extractors}
    for i, label in enumerate(y):
        time = np.arange(rng.integers(8_000, 16_000)) / 16_000
        pitch = {"anger": 300, "neutral": 150, "sadness": 100}[label]
        clip = (0.1 * np.sin(2 * np.pi * pitch * time) + 0.01 * rng.normal(size=len(time))).astype(np.float32)
        for one in extractors:
            tables[one.name][i] = one(clip, 16_000)
    X = pd.DataFrame(tables | {"group": [f"s{i % 5}" for i in range(30)]})
    return X[[COLUMN, "group"]], y, X[["encoder/frames_3", "group"]]


def build(encoder: Path, **params: Any) -> Any:
    return get_model("tail").build(**{"encoder": str(encoder), **SMALL, **params})


def whole(fitted: Any) -> dict[str, NDArray[Any]]:
    """Return every weight that a fitted network answers with."""
    state = {name: torch.from_numpy(value) for name, value in fitted.weights_.items()}
    return {name: value.numpy() for name, value in fitted._restored(state, WIDTH).state_dict().items()}


def changed(before: dict[str, NDArray[Any]], after: dict[str, NDArray[Any]]) -> set[str]:
    return {name for name in before if not np.array_equal(before[name], after[name])}


@pytest.mark.slow
def test_low_rank_matrices_and_the_classifier_alone_learn(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]
) -> None:
    X, y, _ = speech
    frozen = build(encoder, frozen_epochs=99).fit(X, y)
    tuned = build(encoder, frozen_epochs=0).fit(X, y)
    # It learns: more epochs fit better than few.
    assert tuned.history_[-1]["refit_loss"] < tuned.history_[0]["train_loss"]
    names = changed(whole(frozen), whole(tuned))
    assert {name.rpartition(".")[2] for name in names if name.startswith("upper.")} == {"down", "up"}
    assert all(name in frozen.weights_ for name in whole(frozen) if not name.startswith("upper."))
    assert all(name.endswith(("down", "up")) for name in tuned.weights_ if name.startswith("upper."))
    adapted = {name.split(".")[-2] for name in tuned.weights_ if name.endswith(".up")}
    assert adapted == {"q_proj", "v_proj", "out_proj", "fc1", "fc2"}


def test_without_rank_the_blocks_learn_themselves_and_no_others_are_kept(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]
) -> None:
    X, y, _ = speech
    frozen, tuned = (build(encoder, rank=0, blocks=1, frozen_epochs=n).fit(X, y) for n in (99, 0))
    names = changed(whole(frozen), whole(tuned))
    assert {"upper.blocks.0.self_attn.k_proj.weight", "upper.blocks.0.fc1.weight"} <= names
    assert not any(name.startswith("upper.blocks.1") for name in tuned.weights_)


def test_while_blocks_are_frozen_it_is_a_probe_of_the_layer_above(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]
) -> None:
    """The blocks give what the whole encoder gives, in batches with padding, and hold still."""
    X, y, above = speech
    tail = build(encoder, rank=0, frozen_epochs=99).fit(X, y)
    probe = build(encoder, rank=0, layer=3, blocks=0).fit(above, y)
    np.testing.assert_allclose(tail.predict_proba(X), probe.predict_proba(above), atol=5e-3)
    # What is stored of a layer is rounded to half precision; nothing else is between the two.
    adapted = build(encoder, frozen_epochs=99).fit(X, y)
    assert not any(adapted.weights_[name].any() for name in adapted.weights_ if name.endswith(".up"))


def test_layer_0_and_all_blocks(encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]) -> None:
    X, y, _ = speech
    fitted = build(encoder, layer=0, blocks=N_LAYERS, frozen_epochs=0).fit(X, y)
    assert sum(name.endswith("q_proj.up") for name in fitted.weights_) == N_LAYERS
    with pytest.raises(InputError, match=r"blocks must be at most 2 above layer 1 of .*, got 3"):
        build(encoder, blocks=3).fit(X, y)


def test_neighbours_change_no_answer(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]
) -> None:
    X, y, _ = speech
    fitted = build(encoder, frozen_epochs=0).fit(X, y)
    alone = np.vstack([fitted.predict_log_proba(X.iloc[[i]]) for i in range(8)])
    np.testing.assert_allclose(alone, fitted.predict_log_proba(X)[:8], atol=1e-4)


@pytest.mark.parametrize("rank", [2, 0])
def test_a_saved_model_is_small_and_answers_the_same(
    rank: int, encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame], tmp_path: Path
) -> None:
    X, y, _ = speech
    fitted = build(encoder, rank=rank, frozen_epochs=0).fit(X, y)
    save_estimator(fitted, tmp_path / "model.skops")
    again = load_estimator(tmp_path / "model.skops")
    np.testing.assert_allclose(again.predict_proba(X), fitted.predict_proba(X), atol=1e-6)
    kept, all_of_it = (sum(value.nbytes for value in part.values()) for part in (fitted.weights_, whole(fitted)))
    assert kept < 0.5 * all_of_it or rank == 0
    assert again.encoder == fitted.encoder


def test_an_encoder_that_went_or_changed_is_one_line(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame], tmp_path: Path
) -> None:
    X, y, _ = speech
    # Weights that nobody else in this process has met.
    here = tiny_whisper(tmp_path / "here", seed=11)
    fitted = build(here, n_epochs=1).fit(X, y)
    expected = fitted.predict_proba(X)
    there = Path(shutil.move(here, tmp_path / "there"))
    with pytest.raises(InputError, match=r"^encoder .*here: is not there; the model was trained on .* bring them$"):
        fitted.predict(X)
    tiny_whisper(here, seed=12)
    with pytest.raises(InputError, match=r"^encoder .*here: is another encoder now; .* bring them$"):
        fitted.predict(X)
    # Whoever measures with the same weights in this process tells by that where they lie.
    assert Checkpoint(str(there)).digest == fitted.encoder.digest
    np.testing.assert_allclose(fitted.predict_proba(X), expected, atol=1e-6)


def test_weights_count_by_what_is_in_them(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame], tmp_path: Path
) -> None:
    X, y, _ = speech
    moved = Path(shutil.copytree(encoder, tmp_path / "moved"))
    other = tiny_whisper(tmp_path / "other", seed=5)
    keys = [fit_key(build(one), X, y) for one in (encoder, moved, other)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0] != fit_key(build(encoder, layer=0), X, y)


def test_an_experiment_tells_encoder_and_layer(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]
) -> None:
    X, y, _ = speech
    given = {key: value for key, value in SMALL.items() if key not in ("layer", "random_state")}
    named = {"model": str(encoder), "layers": [1]}
    for sets in (["encoder/frames_1"], ["encoder/frames"]):
        pipeline = build_pipeline("tail", given, sets=sets, set_params={"encoder": named})
        model = pipeline.steps[-1][1]
        assert (model.encoder, model.layer) == (EncoderRef.to(str(encoder)), 1)
    assert set(clone(pipeline).fit(X, y).predict(X)) <= set(y)
    with pytest.raises(InputError, match=r"'tail' takes the frames of one layer of an encoder, got .*frames_1', 'enc"):
        build_pipeline("tail", given, sets=["encoder/frames"], set_params={"encoder": named | {"layers": [1, 2]}})
    with pytest.raises(InputError, match="'tail' takes the frames of one layer of an encoder, got 'melspec'"):
        build_pipeline("tail", given, sets=["melspec"])
    with pytest.raises(InputError, match=r"model: encoder must be an encoder: a folder.*, got None"):
        build_pipeline("tail", given)
    with pytest.raises(InputError, match=r"model: blocks must be at most 2 above layer 1"):
        build_pipeline("tail", given | {"blocks": 3}, sets=sets, set_params={"encoder": named})


def test_people_are_held_out_to_stop_by(
    encoder: Path, speech: tuple[pd.DataFrame, NDArray[np.str_], pd.DataFrame]
) -> None:
    X, y, _ = speech
    fitted = build(encoder, frozen_epochs=0).fit(X, y)
    assert "valid_uar" in fitted.history_[0]
    assert "refit_loss" in fitted.history_[-1]
    assert len([row for row in fitted.history_ if "refit_loss" in row]) == fitted.best_epoch_


def test_learning_rates_by_group_warm_up_and_freezing(encoder: Path) -> None:
    how = build(encoder, lr=0.01, blocks_lr=0.001, layer_decay=0.5, rank=0)
    how.classes_ = np.array(["a", "b"])
    network = how._network(WIDTH, 2)
    by_share = [group["share"] for group in how.parameter_groups(network)]
    assert by_share == pytest.approx([1, 1, 0.1, 0.1, 0.05, 0.05])
    held = {id(one) for group in how.parameter_groups(network) for one in group["params"]}
    assert held == {id(one) for one in network.parameters()}
    how.begin_epoch(network.train(), 0)
    assert not any(one.requires_grad for one in network.upper.parameters())
    assert not network.upper.training
    how.begin_epoch(network.train(), 1)
    assert all(one.requires_grad for one in network.upper.blocks.parameters())
    assert network.upper.training


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_low_rank_matrices_begin_as_nothing_and_learn_in_every_family(name: str) -> None:
    """Also where attention reads the matrices of its projections instead of calling them, as WavLM's does."""
    family, network, states = tiny(name)
    assert family.upper is not None
    network.requires_grad_(requires_grad=False)
    with torch.no_grad():
        below = states(clips(0.6), 1)[1]
        plain = family.upper(network, 1, 3)(below, None)
    tail = TunedTail(16, 2, upper=family.upper(network, 1, 3), rank=2, dropout=0.0)
    found = tail.states(below, None)
    np.testing.assert_allclose(found.detach().numpy(), plain.numpy(), atol=1e-5)
    found.square().mean().backward()
    ups = [one for n, one in tail.named_parameters() if n.endswith(".up")]
    assert len(ups) >= 10
    assert all(one.grad is not None and one.grad.any() for one in ups)
    assert all(one.grad is None for n, one in tail.named_parameters() if n in tail.told)
