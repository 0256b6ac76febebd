"""The feature set `encoder` in tables: one pass, all layers, and what the store keeps of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments.errors import InputError
from ser_experiments.features import extract, feature_table
from ser_experiments.features.encoders import listening
from ser_experiments.features.extractor import get_extractor, get_extractors, get_measure
from ser_experiments.features.wanted import resolved
from tests.checkpoints import COMMIT, N_LAYERS, WIDTH, tiny_whisper

RATE = 16_000


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, tuple[int, ...]]]:
    """Note each pass: how many clips, and which outputs."""
    noted: list[tuple[int, tuple[int, ...]]] = []
    plain = listening.Listener.__call__

    def listen(self: listening.Listener, clips: list[np.ndarray], numbers: tuple[int, ...]) -> object:
        noted.append((len(clips), tuple(numbers)))
        return plain(self, clips, numbers)

    monkeypatch.setattr(listening.Listener, "__call__", listen)
    return noted


@pytest.fixture
def utterances(tmp_path: Path) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    paths = []
    for number in range(6):
        paths.append(tmp_path / f"{number}.wav")
        soundfile.write(paths[-1], 0.1 * rng.standard_normal(RATE // 2 + 900 * number), RATE)
    index = pd.Index([f"u{n}" for n in range(6)], name="utterance_id")
    return pd.DataFrame({"path": [str(p) for p in paths], "speaker": list("aabbcc")}, index=index)


def table(utterances: pd.DataFrame, cache: Path, *sets: str, **params: object) -> pd.DataFrame:
    return feature_table(sets or ("encoder",), utterances, cache=cache, jobs=1, params={"encoder": params})


def test_what_names_stand_for() -> None:
    assert [one.name for one in get_extractors("encoder")] == ["encoder/layer_1", "encoder/layer_2"]
    assert [one.name for one in get_extractors("encoder/frames", layers=3)] == ["encoder/frames_3"]
    assert [one.name for one in get_extractors("encoder@noise", layers=[0])] == ["encoder/layer_0@noise"]
    every = get_extractors("encoder", layers="all")
    assert [one.name for one in every] == [f"encoder/layer_{k}" for k in range(N_LAYERS + 1)]
    assert len(set(every[1].column_names)) == 2 * WIDTH
    assert every[1].column_names[0] == "encoder_l01_0000__mean"
    several = get_extractors("encoder", layers=[1, 2], functionals=["percentiles", "moments"])
    assert [one.name.removeprefix("encoder/") for one in several] == [
        "layer_1",
        "percentiles_1",
        "layer_2",
        "percentiles_2",
    ]
    assert [one.split("__")[1] for one in several[1].column_names[::WIDTH]] == ["p10", "p50", "p90"]
    assert [one.name for one in get_extractors("encoder", layers=2, functionals="percentiles")] == [
        "encoder/percentiles_2"
    ]
    with pytest.raises(InputError, match="stands for 2 outputs; ask for one of 'encoder/layer_1'"):
        get_extractor("encoder")
    with pytest.raises(InputError, match="unknown output 'layer_9'"):
        get_extractor("encoder/layer_9")


@pytest.mark.parametrize("layers", [4, -1, [1, 9], [], [1, 1], "midle", "70%-20%", "0%-101%", True, [[1]], 1.5, {}])
def test_layers_that_are_none(layers: object) -> None:
    with pytest.raises(InputError, match=r"layer") as told:
        get_measure("encoder", layers=layers)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "params", [{"window_s": 0}, {"window_s": "30"}, {"overlap_s": 0.0}, {"silence_s": -1}, {"silence_s": float("nan")},
               {"precision": "float16"}, {"precision": None}, {"functionals": "percentile"}, {"functionals": []},
               {"functionals": ["moments", 1]}, {"functionals": None}, {"functionals": "percentiles,moments"},
               {"functionals": ["mean", "moments"]}]
)  # fmt: skip
def test_numbers_out_of_range(params: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(params))):
        get_measure("encoder", **params)


def test_an_output_is_the_same_whichever_layers_were_asked_for() -> None:
    one, two = get_extractor("encoder/layer_1", layers=[1]), get_extractor("encoder/layer_1", layers=[2, 3])
    assert one.digest == two.digest
    assert resolved("encoder", {"layers": [1], "silence_s": 1.0}) == {
        "encoder/layer_1": {"silence_s": 1.0, "model": f"openai/whisper-base@{COMMIT}"}
    }
    assert get_extractor("encoder/layer_1", silence_s=1.0).digest != one.digest
    assert get_extractor("encoder/layer_2").digest != one.digest


def test_a_row_of_moments_is_the_same_beside_percentiles() -> None:
    plain, beside = (get_extractors("encoder", functionals=what)[0] for what in ("moments", ["moments", "percentiles"]))
    assert plain.digest == beside.digest
    assert get_extractor("encoder/percentiles_1").digest != plain.digest


def test_the_mean_alone_is_that_of_the_moments(utterances: pd.DataFrame, tmp_path: Path) -> None:
    moments = table(utterances, tmp_path / "cache", layers=[1, 2])
    means = table(utterances, tmp_path / "cache", layers=[1, 2], functionals="mean")
    assert means.shape == (len(utterances), 2 * WIDTH)
    assert means.columns[0] == "encoder_l01_0000__amean"
    of_moments = moments.loc[:, moments.columns.str.endswith("__mean")]
    np.testing.assert_array_equal(means.to_numpy(), of_moments.to_numpy())


def test_percentiles_are_computed_where_they_are_wanted(
    utterances: pd.DataFrame, tmp_path: Path, passes: list[tuple[int, tuple[int, ...]]]
) -> None:
    n_states, cache = N_LAYERS + 1, tmp_path / "cache"
    found = table(utterances, cache, layers=[1], functionals="percentiles")
    assert {numbers for _, numbers in passes} == {(0, 1, 2 * n_states, 2 * n_states + 1)}
    passes.clear()
    assert found.shape == (len(utterances), 3 * WIDTH)
    # Both functionals of the layers below were kept.
    both = table(utterances, cache, layers=[0, 1], functionals=["moments", "percentiles"])
    assert passes == []
    assert both.shape == (len(utterances), 2 * 5 * WIDTH)
    frames = table(utterances, cache, "encoder/frames_1")["encoder/frames_1"]
    for name, cell in frames.items():
        wanted = np.quantile(np.asarray(cell, dtype=float), 0.9, axis=0)
        np.testing.assert_allclose(found.loc[name].to_numpy()[2 * WIDTH :], wanted, atol=5e-3)


def test_where_the_weights_lie_does_not_count_and_every_bit_of_them_does(tmp_path: Path) -> None:
    here, there = tiny_whisper(tmp_path / "a"), tiny_whisper(tmp_path / "b")
    digests = {get_extractor("encoder/layer_1", model=str(folder)).digest for folder in (here, there)}
    assert len(digests) == 1
    weights = bytearray((there / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (there / "model.safetensors").write_bytes(weights)
    assert get_extractor("encoder/layer_1", model=str(there)).digest not in digests


def test_one_pass_keeps_the_functionals_of_all_layers_below(
    utterances: pd.DataFrame, tmp_path: Path, passes: list[tuple[int, tuple[int, ...]]]
) -> None:
    cache = tmp_path / "cache"
    both = table(utterances, cache, layers=[1, 2])
    assert {numbers for _, numbers in passes} == {(0, 1, 2)}
    passes.clear()
    lower = table(utterances, cache, layers=[0, 1])
    assert passes == []
    assert lower.filter(like="l01").equals(both.filter(like="l01"))
    higher = table(utterances, cache, layers=[3])
    assert {numbers for _, numbers in passes} == {(0, 1, 2, 3)}
    passes.clear()
    every = table(utterances, cache, layers="all")
    assert passes == []
    assert every.filter(like="l03").equals(higher.filter(like="l03"))
    frames = table(utterances, cache, "encoder/frames", layers=[2])
    assert {numbers for _, numbers in passes} == {(0, 1, 2, N_LAYERS + 1 + 2)}
    cell = np.asarray(frames["encoder/frames_2"].iloc[0], dtype=np.float32)
    np.testing.assert_allclose(cell.mean(axis=0), both.filter(like="l02").iloc[0, :WIDTH], atol=2e-3)


def test_a_table_is_what_each_recording_gives_alone(utterances: pd.DataFrame, tmp_path: Path) -> None:
    found = table(utterances, tmp_path / "cache", layers=[1, 3], silence_s=0.5)
    for utterance, path in utterances["path"].items():
        audio, rate = soundfile.read(path, dtype="float32")
        alone = extract("encoder", audio, rate, layers=[1, 3], silence_s=0.5)
        row = found.loc[utterance, list(alone.index)].to_numpy(dtype=np.float32)
        np.testing.assert_allclose(row, alone.to_numpy(), rtol=1e-4, atol=1e-5)


def test_the_folder_of_a_table_says_whose_weights_it_is_of(utterances: pd.DataFrame, tmp_path: Path) -> None:
    table(utterances, tmp_path / "cache", layers=[1])
    (told,) = (tmp_path / "cache" / "tables" / "encoder.layer_1").glob("*/identity.json")
    identity = json.loads(told.read_text())["identity"]
    assert identity["assets"]["model"] == get_measure("encoder").needs.digests()["model"]
    assert "model" not in identity["params"]
    assert "layers" not in identity["params"]
    assert {"torch", "transformers"} <= set(identity["libraries"])


def test_long_recordings_are_cut_and_each_frame_counts_once() -> None:
    rng = np.random.default_rng(1)
    audio = (0.1 * rng.standard_normal(7 * RATE + 123)).astype(np.float32)
    one = get_measure("encoder", window_s=2.0, overlap_s=0.4)
    whole = get_measure("encoder")
    place = [output.name for output in one.outputs].index("frames_1")
    cut, uncut = (m.outputs_of(audio, RATE, [1, place]) for m in (one, whole))
    assert cut[place].shape == uncut[place].shape == (-(-(len(audio) // 160) // 2), WIDTH)
    np.testing.assert_allclose(cut[1][:WIDTH], cut[place].astype(np.float32).mean(axis=0), atol=2e-3)


def test_a_hub_id_that_was_not_fetched_is_one_line() -> None:
    with pytest.raises(InputError, match=r"encoder openai/whisper-huge: not on this machine; say ser encoders pull"):
        get_measure("encoder", model="openai/whisper-huge")
    with pytest.raises(InputError, match=r"no such folder"):
        get_measure("encoder", model="/no/such/folder")


def test_a_gpu_counts_like_the_version_of_a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    from ser_experiments.features.sets import encoder
    from ser_experiments.serving.extractors import check_extractors

    here = get_extractors("encoder", layers=[1])
    assert "device" not in here[0].identity["libraries"]
    monkeypatch.setattr(encoder, "device_kind", lambda: "cuda")
    there = get_extractors("encoder", layers=[1])
    assert there[0].identity["libraries"]["device"] == "cuda"
    assert there[0].digest != here[0].digest
    assert there[0].measure.needs.batch_s > here[0].measure.needs.batch_s
    # A model that was trained there answers here, and says so.
    (said,) = check_extractors("model", [one.identity for one in there], here)
    assert "device cuda (here none)" in said


def test_torch_is_not_imported_to_find_that_there_is_no_gpu() -> None:
    code = (
        "import sys; from ser_experiments.features.encoders.device import device_kind, _may_be_gpu\n"
        "print(device_kind(), _may_be_gpu(), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kind, may_be, imported = done.stdout.split()
    assert imported == may_be
    assert kind == "cpu" or imported == "True"
