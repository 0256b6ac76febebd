"""Every family of encoders: what it gives is what transformers gives of the single clip, whatever is beside it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from ser_experiments import plugins
from ser_experiments.features.encoders.checkpoint import Checkpoint
from ser_experiments.features.encoders.family import FAMILIES
from ser_experiments.features.encoders.listening import Listener, Listening
from tests.features.encoders.tiny import KINDS, LAYERS, RATE, WIDTH, reference, speechlike

EACH = pytest.mark.parametrize("name", KINDS)
ROWS = tuple(range(LAYERS + 1))
FRAMES = tuple(LAYERS + 1 + k for k in ROWS)
PERCENTILES = tuple(2 * (LAYERS + 1) + k for k in ROWS)
#: An odd number of frames for w2v-BERT, whose last is left out; Whisper's as transformers has it takes pairs only.
CLIP = speechlike((160 * 100 + 400) / RATE)
PAIRS = CLIP[: 160 * 100]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a saved checkpoint of each kind."""
    base = tmp_path_factory.mktemp("encoders")
    return {name: kind.save(base / name) for name, kind in KINDS.items()}


@pytest.fixture(scope="module")
def opened(folders: dict[str, Path]) -> dict[str, Listener]:
    """Return each kind, listening with the defaults."""
    return {name: listener(folder) for name, folder in folders.items()}


def listener(
    folder: Path, precision: str = "float32", window_s: float = 30.0, overlap_s: float = 2.0, silence_s: float = 0.0
) -> Listener:
    """Open an encoder."""
    found = Listening(str(folder), precision, window_s, overlap_s, silence_s)()
    assert isinstance(found, Listener)
    return found


def states(found: Listener, clip: NDArray[np.float32], last: int = LAYERS, silence: int = 0) -> list[torch.Tensor]:
    """Return the hidden states of one clip."""
    ready = np.pad(found.net.ready(clip), (0, silence))
    with torch.inference_mode():
        return [state[0] for state in found.net.states([ready], [len(clip)], last)]


def apart(found: NDArray[np.floating], wanted: NDArray[np.floating]) -> float:
    """Return how far two arrays are apart, relative to the second."""
    return float(np.linalg.norm(np.asarray(found, float) - wanted) / np.linalg.norm(np.asarray(wanted, float)))


def test_every_family_has_a_checkpoint_here(folders: dict[str, Path]) -> None:
    tested = {Checkpoint(folder).config["model_type"] for folder in folders.values()}
    there = {t for _, m in plugins.each(FAMILIES, "encoder family", holds="FAMILY") for t in m.FAMILY.model_types}
    assert tested == there


@EACH
def test_hidden_states_are_those_of_transformers(opened: dict[str, Listener], name: str) -> None:
    clip = PAIRS if name == "whisper_whole" else CLIP
    found, wanted = states(opened[name], clip), reference(KINDS[name], clip)
    assert len(found) == len(wanted) == LAYERS + 1
    n_frames = opened[name].net.n_frames(len(clip))
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == (n_frames, WIDTH)
        # w2v-BERT's own extractor keeps a last frame that it masks.
        # It also takes moments of bands in float32, and divides by them: the last digits differ.
        most = 3e-5 if name == "wav2vec2_bert_ctc" else 1e-5
        torch.testing.assert_close(ours, theirs[:n_frames], rtol=most, atol=most)


@EACH
def test_clips_do_not_depend_on_each_other(opened: dict[str, Listener], name: str) -> None:
    clips = [speechlike(seconds, seed) for seed, seconds in enumerate((0.31, 4.7, 1.0, 1.01, 0.05, 2.3))]
    together = opened[name](clips, (*ROWS, *FRAMES, *PERCENTILES))
    for clip, row in zip(clips, together, strict=True):
        (alone,) = opened[name]([clip], (*ROWS, *FRAMES, *PERCENTILES))
        for number in (*ROWS, *PERCENTILES):
            assert apart(row[number], alone[number]) < 1e-4
            np.testing.assert_allclose(row[number], alone[number], atol=1e-4)
        for number in FRAMES:
            assert row[number].shape == alone[number].shape
            assert apart(row[number], alone[number]) < 1e-3  # they are kept as float16


@EACH
@pytest.mark.parametrize("last", [0, 1, 2])
def test_layers_below_the_last_are_those_of_the_whole(opened: dict[str, Listener], name: str, last: int) -> None:
    found, whole = states(opened[name], CLIP, last), states(opened[name], CLIP)
    assert len(found) == last + 1
    for few, all_of_them in zip(found, whole[: last + 1], strict=True):
        torch.testing.assert_close(few, all_of_them, rtol=0, atol=0)


@EACH
def test_two_passes_are_one(opened: dict[str, Listener], folders: dict[str, Path], name: str) -> None:
    first, second = (states(one, CLIP) for one in (opened[name], listener(folders[name])))
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one, other)


@EACH
def test_rows_are_moments_of_the_frames(opened: dict[str, Listener], name: str) -> None:
    (found,) = opened[name]([CLIP], (*ROWS, *FRAMES))
    for row, frames in zip(found[: LAYERS + 1], states(opened[name], CLIP), strict=True):
        wanted = np.concatenate([frames.numpy().mean(axis=0), frames.numpy().std(axis=0)])
        np.testing.assert_allclose(row, wanted, rtol=1e-5, atol=1e-5)


@EACH
@pytest.mark.parametrize("n_samples", [400, 1700, len(CLIP)])
def test_percentiles_are_those_of_the_frames(opened: dict[str, Listener], name: str, n_samples: int) -> None:
    clip = speechlike(1.2)[:n_samples]
    (found,) = opened[name]([clip], PERCENTILES)
    if n_samples < opened[name].net.least:
        clip = np.pad(clip, (0, opened[name].net.least - n_samples))
    for row, frames in zip(found, states(opened[name], clip), strict=True):
        wanted = np.quantile(frames.numpy().astype(float), [0.1, 0.5, 0.9], axis=0).ravel()
        np.testing.assert_allclose(row, wanted, rtol=1e-5, atol=1e-5)


@EACH
def test_percentiles_of_windows_are_averaged(folders: dict[str, Path], name: str) -> None:
    cut = listener(folders[name], window_s=2.0, overlap_s=0.5)
    clip = speechlike(5.3, 3)
    (found,) = cut([clip], (FRAMES[1], PERCENTILES[1]))
    frames, row = found[0].astype(float), found[1].reshape(3, WIDTH)
    spread = np.quantile(frames, [0.1, 0.5, 0.9], axis=0)
    # Those of all frames are near; exact where every window says the same.
    assert apart(row[1], spread[1]) < 0.2
    assert (row[0] <= row[1] + 1e-6).all()
    assert (row[1] <= row[2] + 1e-6).all()
    same = clip[: 2 * RATE]
    (whole,), (again,) = cut([same], PERCENTILES), listener(folders[name])([same], PERCENTILES)
    np.testing.assert_allclose(whole[1], again[1], rtol=1e-5, atol=1e-5)


@EACH
def test_windows_of_a_long_recording(opened: dict[str, Listener], folders: dict[str, Path], name: str) -> None:
    clip = speechlike(7.31, 3)
    cut = listener(folders[name], window_s=2.0, overlap_s=0.5)
    (whole,), (pieces,) = (one([clip], (*ROWS, *FRAMES)) for one in (opened[name], cut))
    for number in FRAMES:
        assert pieces[number].shape == whole[number].shape
    for number in ROWS:
        # Whisper counts positions from the start of each window, which is much of what random weights tell.
        assert apart(pieces[number], whole[number]) < (0.6 if name == "whisper_whole" else 0.2)
    assert apart(pieces[0], whole[0]) > 0


@EACH
def test_longer_than_a_window(opened: dict[str, Listener], name: str) -> None:
    clip = speechlike(31.2, 4)
    (found,) = opened[name]([clip], (1, LAYERS + 2))
    assert len(found[1]) == opened[name].net.n_frames(len(clip))
    np.testing.assert_allclose(found[0][:WIDTH], found[1].mean(axis=0, dtype=float), atol=5e-3)


@EACH
@pytest.mark.parametrize("n_samples", [1, 100, 399, 400, 401, 640, 881])
def test_shorter_than_its_receptive_field(opened: dict[str, Listener], name: str, n_samples: int) -> None:
    (found,) = opened[name]([speechlike(0.1)[:n_samples]], (*ROWS, *FRAMES))
    assert all(np.isfinite(one).all() for one in found)
    assert all(len(found[number]) >= 1 for number in FRAMES)


@EACH
def test_silence_behind(folders: dict[str, Path], opened: dict[str, Listener], name: str) -> None:
    silence, clip = RATE // 2, PAIRS if name == "whisper_whole" else CLIP
    (found,) = listener(folders[name], silence_s=0.5)([clip], (*ROWS, *FRAMES))
    (without,) = opened[name]([clip], (*ROWS, *FRAMES))
    assert all(found[number].shape == without[number].shape for number in FRAMES)
    assert apart(found[LAYERS], without[LAYERS]) > 1e-3
    if name == "wav2vec2_bert_ctc":
        # Nothing but the recording counts in the moments of its bands.
        np.testing.assert_array_equal(found[FRAMES[0]], without[FRAMES[0]])
        return
    n_frames = opened[name].net.n_frames(len(clip))
    for row, wanted in zip(found, reference(KINDS[name], clip, silence), strict=False):
        frames = wanted[:n_frames].numpy()
        np.testing.assert_allclose(row, [*frames.mean(axis=0), *frames.std(axis=0)], rtol=1e-4, atol=1e-5)


@EACH
def test_half_precision(folders: dict[str, Path], opened: dict[str, Listener], name: str) -> None:
    clips = [CLIP, speechlike(2.2, 1)]
    for half, full in zip(listener(folders[name], "bfloat16")(clips, ROWS), opened[name](clips, ROWS), strict=True):
        for number in ROWS:
            assert np.isfinite(half[number]).all()
            assert 0 < apart(half[number], full[number]) < 0.05


@EACH
def test_weights_in_parts(tmp_path: Path, folders: dict[str, Path], opened: dict[str, Listener], name: str) -> None:
    folder = KINDS[name].save(tmp_path / "parts", max_shard_size="40KB")
    assert len(list(folder.glob("*.safetensors"))) > 1
    for one, other in zip(states(listener(folder), CLIP), states(opened[name], CLIP), strict=True):
        assert torch.equal(one, other)
    # It is the same encoder, and is known for it.
    assert Checkpoint(folder).digest == Checkpoint(folders[name]).digest


@pytest.mark.parametrize("name", ["wav2vec2_group", "wav2vec2_layer", "hubert_group", "wavlm_layer"])
def test_old_names_of_weights(tmp_path: Path, folders: dict[str, Path], opened: dict[str, Listener], name: str) -> None:
    old = rewritten(
        folders[name],
        tmp_path / "old",
        lambda weights: {
            one.replace("parametrizations.weight.original0", "weight_g").replace(
                "parametrizations.weight.original1", "weight_v"
            ): value
            for one, value in weights.items()
        },
    )
    assert any(one.endswith("weight_g") for one in load_file(old / "model.safetensors"))
    for one, other in zip(states(listener(old), CLIP), states(opened[name], CLIP), strict=True):
        assert torch.equal(one, other)
    assert Checkpoint(old).digest == Checkpoint(folders[name]).digest


def rewritten(folder: Path, new: Path, change) -> Path:
    """Write a checkpoint with other weights and return its folder."""
    new.mkdir()
    for file in folder.glob("*.json"):
        (new / file.name).write_bytes(file.read_bytes())
    save_file(change(load_file(folder / "model.safetensors")), new / "model.safetensors")
    return new


def encoder_alone(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return what is left without decoder and heads."""
    gone = ("decoder.", "lm_head.", "classifier.", "projector.", "proj_out.", "adapter.", "quantizer.", "project_")
    return {name: value for name, value in weights.items() if not any(one in f".{name}" for one in gone)}


@EACH
def test_a_head_is_no_part_of_it(tmp_path: Path, folders: dict[str, Path], name: str) -> None:
    alone = rewritten(folders[name], tmp_path / "another name", encoder_alone)
    assert Checkpoint(alone).digest == Checkpoint(folders[name]).digest
    assert Checkpoint(alone).n_weights == Checkpoint(folders[name]).n_weights
    listener(alone)


@EACH
def test_every_bit_counts(tmp_path: Path, folders: dict[str, Path], name: str) -> None:
    def spoil(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        last = next(key for key in sorted(weights) if "layers.2." in key and "encoder" in key)
        bits = weights[last].view(torch.int32)
        bits.view(-1)[-1] ^= 1
        return weights

    digests = {Checkpoint(folders[name]).digest}
    digests.add(Checkpoint(rewritten(folders[name], tmp_path / "weights", spoil)).digest)
    for file, key, value in (
        ("config.json", "layer_norm_eps", 0.1),
        ("config.json", "hidden_act", "relu"),
        ("preprocessor_config.json", "do_normalize", "no"),
    ):
        other = rewritten(folders[name], tmp_path / key, dict)
        told = json.loads((other / file).read_text())
        (other / file).write_text(json.dumps({**told, key: value}))
        digests.add(Checkpoint(other).digest)
    assert len(digests) == 5
    note = rewritten(folders[name], tmp_path / "note", dict)
    told = json.loads((note / "config.json").read_text())
    (note / "config.json").write_text(json.dumps({**told, "transformers_version": "0", "architectures": ["Other"]}))
    assert Checkpoint(note).digest in digests
