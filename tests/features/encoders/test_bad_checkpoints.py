"""A checkpoint that cannot be used is one line before any recording is read, and leaves nothing behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import soundfile
import torch
from safetensors.numpy import load_file, save_file

from ser_experiments.errors import InputError
from ser_experiments.features import BadRecordings, feature_table, status
from ser_experiments.features.encoders.checkpoint import Checkpoint
from tests.checkpoints import plain_encoder, tiny_whisper
from tests.command import ser
from tests.features.encoders.tiny import speechlike
from tests.iemocap_tree import small_tree

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a checkpoint to spoil."""
    return tiny_whisper(tmp_path / "tiny")


@pytest.fixture
def utterances(tmp_path: Path) -> pd.DataFrame:
    """Return two recordings."""
    paths = []
    for seed in range(2):
        paths.append(tmp_path / f"{seed}.wav")
        soundfile.write(paths[-1], speechlike(0.5, seed), 16_000)
    ids = pd.Index(["a", "b"], name="utterance_id")
    return pd.DataFrame({"path": [str(path) for path in paths], "speaker": ["s", "t"]}, index=ids)


def weights(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Return what changes the weights of a folder."""

    def spoil(folder: Path) -> None:
        found = load_file(folder / WEIGHTS)
        change(found)
        save_file(found, folder / WEIGHTS)

    return spoil


def settings(file: str, **told: object) -> Callable[[Path], object]:
    """Return what changes a configuration of a folder; None takes a key out."""

    def spoil(folder: Path) -> None:
        found = json.loads((folder / file).read_text()) | told
        kept = {key: value for key, value in found.items() if value is not None}
        (folder / file).write_text(json.dumps(kept))

    return spoil


def in_parts(named: object) -> Callable[[Path], object]:
    """Return what puts an index beside weights that lie in a part."""

    def spoil(folder: Path) -> None:
        (folder / WEIGHTS).rename(folder / "model-00001-of-00002.safetensors")
        (folder / INDEX).write_text(json.dumps({"weight_map": named}))

    return spoil


def only_pickled(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")


def truncated(folder: Path) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:-100])


def written(file: str, content: bytes) -> Callable[[Path], object]:
    """Return what writes a file of a folder."""
    return lambda folder: (folder / file).write_bytes(content)


def not_finite(found: dict[str, Any]) -> None:
    found["encoder.layers.1.fc1.weight"][3, 4] = np.nan


FIRST = "model-00001-of-00002.safetensors"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
DEEP = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (weights(lambda w: w.pop("encoder.conv1.bias")), r"1 of 52 weights are missing \(conv1.bias\)"),
    "unexpected": (
        weights(lambda w: w.update({"encoder.layers.9.fc1.bias": np.ones(2, np.float16)})),
        r"1 of 52 weights are none of the network's \(layers.9.fc1.bias\)",
    ),
    "shape": (settings("config.json", encoder_ffn_dim=48), r"weights have another shape \(layers.0.fc1.bias, "),
    "nan": (weights(not_finite), r"weights layers.1.fc1.weight are not finite"),
    "family": (settings("config.json", model_type="wisper"), r"'wisper' is no .* did you mean 'whisper'\?"),
    "text model": (settings("config.json", model_type="bert"), r"model_type 'bert' is no speech encoder"),
    "no family": (settings("config.json", model_type=None), r"model_type None is no speech encoder"),
    "a list for a family": (settings("config.json", model_type=["whisper"]), r"model_type \['whisper'\] is no"),
    "no size": (settings("config.json", d_model=None), r"config.json does not say how big the network is"),
    "size in words": (settings("config.json", d_model="wide"), r"config.json does not say how big"),
    "no size of all": (
        settings("config.json", encoder_attention_heads=5),
        r"of no network that can be built \(ValueError",
    ),
    "a billion layers": (settings("config.json", encoder_layers=10**9), r"tells of 1000000000 layers of 16"),
    "layers below none": (settings("config.json", encoder_layers=-1), r"tells of -1 layers of 16"),
    "hop": (settings("preprocessor_config.json", hop_length="long"), r"of no network that can be built \(ValueError"),
    "no config": (lambda folder: (folder / "config.json").unlink(), r"no config.json; it says which network"),
    "no preprocessor": (lambda folder: (folder / "preprocessor_config.json").unlink(), r"no preprocessor_config.json"),
    "config of bytes": (written("config.json", b"\xff\xfe{}"), r"config.json not UTF-8 text"),
    "config is a list": (written("config.json", b"[]"), r"config.json cannot be read \(not a JSON object\)"),
    "deep config": (written("config.json", DEEP), r"config.json cannot be read"),
    "rate": (settings("preprocessor_config.json", sampling_rate="fast"), r"preprocessor_config.json: sampling_rate"),
    "no rate": (settings("preprocessor_config.json", sampling_rate=0), r"preprocessor_config.json: sampling_rate"),
    "pickle": (only_pickled, r"the weights lie in pytorch_model.bin alone, which can run code"),
    "nothing": (lambda folder: (folder / WEIGHTS).unlink(), r"no model.safetensors; a folder"),
    "pointer": (written(WEIGHTS, LFS), r"a Git LFS pointer instead of the weights; run git lfs pull"),
    "truncated": (truncated, r"half a download, fetch it again"),
    "empty": (written(WEIGHTS, b""), r"no safetensors file, or half a download"),
    "few bytes": (written(WEIGHTS, b"\x01\x02"), r"no safetensors file, or half a download"),
    "huge header": (written(WEIGHTS, b"\xff" * 64), r"no safetensors file, or half a download"),
    "deep header": (written(WEIGHTS, len(DEEP).to_bytes(8, "little") + DEEP), r"no safetensors file"),
    "part": (in_parts({"a": FIRST, "b": "model-00002-of-00002.safetensors"}), r"model-00002-of-00002.* is missing"),
    "path": (in_parts({"a": FIRST, "b": "../x"}), r"names \.\./x, which is no file of the folder"),
    "numbers": (in_parts({"a": 3}), r"index.json names no files"),
    "no map": (in_parts(None), r"index.json names no files"),
    "deep index": (
        lambda folder: (in_parts({})(folder), (folder / INDEX).write_bytes(DEEP)),
        r"index.json cannot be read",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_one_line_before_any_recording(model: Path, utterances: pd.DataFrame, tmp_path: Path, name: str) -> None:
    spoil, said = BAD[name]
    spoil(model)
    with pytest.raises(InputError) as caught:
        feature_table(["encoder"], utterances, params={"encoder": {"model": str(model)}}, cache=tmp_path / "cache")
    assert not isinstance(caught.value, BadRecordings)
    told = str(caught.value)
    assert told.startswith(f"encoder {model}")
    assert re.search(said, told)
    assert "\n" not in told
    assert len(told) < 500
    kept = status(tmp_path / "cache") if (tmp_path / "cache").exists() else pd.DataFrame()
    assert kept.empty or not kept.loc[kept["set"].str.startswith("encoder"), "rows"].sum()


@pytest.mark.parametrize("name", ["wav2vec2_group", "wav2vec2_bert_ctc"])
@pytest.mark.parametrize(
    "told", [{"conv_stride": [5, 2]}, {"conv_kernel": "x"}, {"num_attention_heads": 5}, {"hidden_act": "none"}]
)
def test_a_configuration_that_fits_nothing(
    tmp_path: Path, utterances: pd.DataFrame, name: str, told: dict[str, object]
) -> None:
    from tests.features.encoders.tiny import KINDS

    if name == "wav2vec2_bert_ctc" and any(key.startswith("conv_") for key in told):
        told = {"feature_projection_input_dim": 7}
    folder = KINDS[name].save(tmp_path / "model")
    settings("config.json", **told)(folder)
    with pytest.raises(InputError, match=f"^encoder {folder}.*[^\n]*$") as caught:
        feature_table(["encoder"], utterances, params={"encoder": {"model": str(folder)}}, cache=tmp_path / "cache")
    assert not isinstance(caught.value, BadRecordings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (4, r"no layer 4; .* has layers 0 to 3"),
        ([1, 9], r"no layer 9"),
        (-1, r"no layer -1"),
        ("9", r"layers '9'; expected numbers from 0 to 3"),
        ("50%-20%", "expected numbers"),
        ([], "layers must be numbers"),
        ([True], "no layer True"),
        ([1, 1], "name one twice"),
        (1.5, "layers must be numbers"),
    ],
)
def test_layers_that_do_not_exist(
    model: Path, utterances: pd.DataFrame, tmp_path: Path, layers: object, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        feature_table(["encoder"], utterances, params={"encoder": {"model": str(model), "layers": layers}})


def test_more_memory_than_there_is(
    model: Path, utterances: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1000))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match=r"needs 0\.0 GB for its weights, 0\.0 GB are free; take a smaller one"):
        feature_table(["encoder"], utterances, params={"encoder": {"model": str(model)}}, cache=tmp_path / "cache")


def test_without_the_extra(
    model: Path, utterances: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"not here \(transformers\); say pip install 'ser_experiments\[encoders\]'"):
        feature_table(["encoder"], utterances, params={"encoder": {"model": str(model)}}, cache=tmp_path / "cache")


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[str, ...]:
    """Return the options of a small corpus."""
    return "--corpus", "iemocap", "--root", str(small_tree(tmp_path / "IEMOCAP_full_release"))


def test_a_run_ends_with_one_line(model: Path, project_folder: Path, corpus: tuple[str, ...]) -> None:
    weights(not_finite)(model)
    done = ser("run", "svm_encoder", *corpus, "--set", f"features.params.encoder.model={model}", "--no-log")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"error: encoder {model}: weights layers.1.fc1.weight")
    assert "recordings" not in done.stderr


def test_mended_it_goes_on(model: Path, utterances: pd.DataFrame, tmp_path: Path) -> None:
    whole = (model / WEIGHTS).read_bytes()
    given = {"params": {"encoder": {"model": str(model), "layers": [1, 2]}}, "cache": tmp_path / "cache"}
    truncated(model)
    with pytest.raises(InputError):
        feature_table(["encoder"], utterances, **given)
    (model / WEIGHTS).write_bytes(whole)
    table = feature_table(["encoder"], utterances, **given)
    assert np.isfinite(table.to_numpy()).all()


def test_an_empty_folder_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no config.json"):
        Checkpoint(tmp_path).family  # noqa: B018
    with pytest.raises(InputError, match="no such folder"):
        Checkpoint(tmp_path / "none")


def test_emotions_that_it_has_learned(model: Path, project_folder: Path, corpus: tuple[str, ...]) -> None:
    given = f"features.params.encoder={{model = '{model}', layers = [1], trained_on = ['msp-podcast', 'Iemo_cap']}}"
    done = ser("run", plain_encoder(project_folder), *corpus, "--set", given, "--no-log", "--json")
    assert done.returncode == 0, done.stderr
    assert (
        "encoder learned from emotions of msp-podcast, Iemo_cap: it knows tested labels, so this score says nothing of "
        "unheard speech"
    ) in json.loads(done.stdout)["warnings"]
