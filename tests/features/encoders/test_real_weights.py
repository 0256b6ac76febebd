"""Real weights on real speech: Whisper base, where it lies beside the recordings."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments.audio import read_audio
from ser_experiments.features.extractor import get_measure
from tests.command import ser

pytestmark = [pytest.mark.slow, pytest.mark.speech]
DEFINITION = """
description = "A linear model on the middle of a speech encoder"
[features]
sets = ["encoder"]
[model]
type = "logreg"
C = 0.01
class_weight = "balanced"
"""


@pytest.fixture(scope="module")
def whisper() -> Path:
    """Return the folder of Whisper base, or skip the test where there is none."""
    folder = Path(os.environ.get("SER_TEST_MODELS") or "-") / "whisper-base-encoder"
    if not folder.is_dir():
        pytest.skip("needs real weights: set SER_TEST_MODELS to a folder with whisper-base-encoder")
    return folder


@pytest.fixture(scope="module")
def clips(speech_corpora: Path) -> list[np.ndarray]:
    paths = sorted((speech_corpora / "emodb4").rglob("*.flac"))[::70]
    return [read_audio(path, sample_rate=16_000)[0] for path in paths]


def test_thirty_seconds_are_what_transformers_makes_of_them(whisper: Path, clips: list[np.ndarray]) -> None:
    """The usual way, padded to 30 s: the same hidden states, pooled over the recording's own frames."""
    import torch
    from transformers import WhisperFeatureExtractor

    from ser_experiments.features.encoders.checkpoint import Checkpoint
    from ser_experiments.features.encoders.loading import load_network

    network = load_network(Checkpoint(whisper), torch.float32, torch.device("cpu"))
    extractor = WhisperFeatureExtractor.from_pretrained(whisper)
    ours = get_measure("encoder", model=str(whisper), silence_s=30.0).measured(clips, range(5))
    for clip, found in zip(clips, ours, strict=True):
        with torch.no_grad():
            mel = extractor(clip, sampling_rate=16_000, return_tensors="pt").input_features
            states = network(mel, output_hidden_states=True).hidden_states
        n_frames = -(-(len(clip) // 160) // 2)
        for layer in range(5):
            frames = states[layer][0, :n_frames]
            expected = torch.cat([frames.mean(0), frames.std(0, correction=0)]).numpy()
            np.testing.assert_allclose(found[layer], expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_a_clip_is_the_same_in_any_batch(whisper: Path, clips: list[np.ndarray]) -> None:
    measure = get_measure("encoder", model=str(whisper))
    together = measure.measured(clips, [6])
    for clip, found in zip(clips, together, strict=True):
        (alone,) = measure.measured([clip], [6])
        for layer in range(7):
            np.testing.assert_allclose(found[layer], alone[layer], rtol=1e-4, atol=1e-4 * np.abs(alone[layer]).max())


def test_an_experiment_from_recordings_to_a_model_in_use(
    whisper: Path, speech_corpora: Path, project_folder: Path, tmp_path: Path
) -> None:
    """Five speakers of emodb4: far above what functionals give, registered, and in use without the encoder's folder."""
    table = pd.read_csv(speech_corpora / "emodb4" / "metadata.csv", dtype=str)
    few = table[table["speaker"].isin(sorted(table["speaker"].unique())[:5])].iloc[::2]
    few = few.assign(path=[str(speech_corpora / "emodb4" / path) for path in few["path"]])
    few.to_csv(tmp_path / "few.csv", index=False)
    Path("experiments", "probe.toml").write_text(DEFINITION)
    encoder = tmp_path / "whisper"
    encoder.mkdir()
    for file in whisper.iterdir():
        (encoder / file.name).write_bytes(file.read_bytes())
    corpus = ["--corpus", "manifest", "--root", str(tmp_path / "few.csv"), "--allow-outside"]
    done = ser("run", "probe", *corpus, "--set", f"features.params.encoder.model={encoder}", "--json")
    assert done.returncode == 0, done.stderr
    assert '"uar": 0.' in done.stdout
    uar = float(done.stdout.split('"uar": ')[1].split(",")[0])
    assert uar > 0.8
    assert ser("register").returncode == 0
    encoder.rename(tmp_path / "gone")
    answers = ser("predict", *few["path"].iloc[:4])
    assert answers.returncode == 0, answers.stderr
    assert len(answers.stdout.splitlines()) == 4
