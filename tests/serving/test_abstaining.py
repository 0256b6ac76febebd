"""A model that is bound to be wrong at most so often says where it is not sure: alone, over time, live and served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ser_experiments import build_estimator, load_experiment
from ser_experiments.cli.listen import line
from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP
from ser_experiments.serving import AudioModel, load_folder, save_model
from ser_experiments.serving.http import loaded
from ser_experiments.serving.http.openapi import openapi
from ser_experiments.serving.live import Live
from ser_experiments.serving.timeline import timeline
from ser_experiments.tasks.classes import Classes

RATE = 16_000
TASK = Classes(("angry", "sad"))


def _voice(pitch_hz: float, seed: int, seconds: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * RATE)) / RATE
    moved = pitch_hz * (1 + 0.1 * np.sin(2 * np.pi * 1.5 * time_s))
    phase = 2 * np.pi * np.cumsum(moved) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 15))
    return (0.1 * tone * (1.2 + np.sin(2 * np.pi * 3 * time_s)) + 0.001 * rng.standard_normal(len(time_s))).astype(
        np.float32
    )


def _known() -> dict[str, Any]:
    """Return what a run of eight speakers tells whose answers of 0.9 and more are right."""
    rng = np.random.default_rng(0)
    truth, sure = rng.integers(0, 2, 400), rng.uniform(0.5, 1, 400)
    hit = (sure > 0.9) | (rng.uniform(size=400) < 0.6)
    p_angry = np.where((truth == 0) == hit, sure, 1 - sure)
    frame = pd.DataFrame({"p_angry": p_angry, "p_sad": 1 - p_angry, "label": np.array(TASK.targets)[truth]})
    return TASK.learned(frame.assign(speaker=np.repeat(np.arange(8), 50)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model that tells high voices from low ones."""
    meta = {
        "task": {"kind": "classes", "targets": list(TASK.targets)},
        "experiment": "high",
        "setting": "tones",
        **_known(),
    }
    measuring = AudioModel(LogisticRegression(), [("mfcc", {})], meta)
    sounds = [
        (_voice(pitch + 3 * seed, seed), label) for seed in range(4) for pitch, label in ((320, "angry"), (130, "sad"))
    ]
    table = pd.concat([measuring.features(audio, RATE) for audio, _ in sounds], ignore_index=True)
    plain = {"features.sets": ["mfcc"], "model.C": 0.001, "pipeline.calibrate": "none"}
    estimator = build_estimator(load_experiment("logreg_lld", overrides=plain))
    fitted = estimator.fit(table.assign(**{GROUP: "g"}), np.array([label for _, label in sounds]))
    place = tmp_path_factory.mktemp("model") / "high"
    save_model(AudioModel(fitted, [("mfcc", {})], meta), place)
    return place


def test_it_is_kept_and_bound(folder: Path) -> None:
    model = load_folder(folder)
    assert model.says == ()
    plain = model.answer((_voice(325, 9), RATE))
    assert "candidates" not in plain
    bold, careful = (model.cautious(risk).answer((_voice(325, 9), RATE)) for risk in (0.5, 0.05))
    assert plain["label"] == bold["label"] == "angry"
    assert bold["candidates"] == ["angry"]
    assert plain["probabilities"] == bold["probabilities"] == careful["probabilities"]
    assert max(plain["probabilities"].values()) < 0.9
    assert (careful["label"], careful["candidates"]) == ("unsure", ["angry", "sad"])
    with pytest.raises(InputError, match="a risk of 2; must be between 0 and 1"):
        model.cautious(2)


def test_what_is_no_speech_is_answered_unsure(folder: Path) -> None:
    noise = (0.1 * np.random.default_rng(0).standard_normal(2 * RATE)).astype(np.float32)
    answer = load_folder(folder).cautious(0.5).answer((noise, RATE))
    assert answer["label"] == "unsure"
    assert any("voice" in one for one in answer["warnings"])


def test_over_time_and_live(folder: Path, tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "a.wav", _voice(325, 9), RATE)
    model = load_folder(folder)
    spoken = [one for one in timeline(model.cautious(0.05), tmp_path / "a.wav").answers() if one["probabilities"]]
    assert {one["label"] for one in spoken} == {"unsure"}
    plain = [one for one in timeline(model, tmp_path / "a.wav").answers() if one["probabilities"]]
    assert {one["label"] for one in plain} == {"angry"}
    moments = [one for one in Live(model.cautious(0.05), RATE).hear(_voice(325, 9)) if one.answer["probabilities"]]
    assert moments
    assert all(line(model.task, one).endswith("Unsure: Angry or Sad") for one in moments)


def test_a_server_says_what_it_may_be(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(loaded.RISK, "0.05")
    loaded.model.cache_clear()
    try:
        served = loaded.model(str(folder))
    finally:
        loaded.model.cache_clear()
    assert served.answer((_voice(325, 9), RATE))["candidates"] == ["angry", "sad"]
    told = json.dumps(openapi(served))
    assert '"candidates": {"type": "array"' in told
    assert '"enum": ["angry", "sad", "unsure", ""]' in told
    assert "candidates" not in json.dumps(openapi(load_folder(folder)))
