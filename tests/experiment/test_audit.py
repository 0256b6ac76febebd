"""An audit answers on changed recordings with models that have not heard the voice, and holds groups against chance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments.evaluation.fairness import FAILED, PASSED, UNKNOWN, fairness
from ser_experiments.frames import Predictions
from tests.command import ser


def _predictions(right: dict[str, float]) -> Predictions:
    """Return answers of speakers, of whom such shares are right."""
    rng = np.random.default_rng(0)
    rows = []
    for speaker, share in right.items():
        for number in range(40):
            label = "ab"[number % 2]
            hit = number // 2 < share * 20
            answered = label if hit else "ba"[number % 2]
            p_a = 0.9 if answered == "a" else 0.1
            rows.append((f"{speaker}{number}", speaker, label, answered, p_a, 1 - p_a))
    frame = pd.DataFrame(rows, columns=["utterance_id", "speaker", "label", "predicted", "p_a", "p_b"])
    return Predictions.of_classes(frame.sample(frac=1, random_state=rng).set_index("utterance_id"))


def test_a_difference_that_chance_does_not_make_fails() -> None:
    right = {f"f{i}": 0.9 for i in range(6)} | {f"m{i}": 0.6 for i in range(6)}
    found = fairness(_predictions(right), "gender", {one: one[0] for one in right})
    assert found is not None
    assert found.scores == pytest.approx({"f": 0.9, "m": 0.6})
    assert found.n_speakers == {"f": 6, "m": 6}
    assert found.difference == pytest.approx(0.3)
    assert 0 < found.threshold < 0.3
    assert found.verdict == FAILED


def test_one_bad_speaker_is_no_group() -> None:
    right = {f"f{i}": 0.9 for i in range(6)} | {f"m{i}": 0.9 for i in range(5)} | {"m5": 0.3}
    found = fairness(_predictions(right), "gender", {one: one[0] for one in right})
    assert found is not None
    assert found.verdict == PASSED


def test_what_so_few_cannot_tell() -> None:
    right = {"f0": 0.9, "f1": 0.9, "m0": 0.4, "m1": 0.4}
    found = fairness(_predictions(right), "gender", {one: one[0] for one in right})
    assert found is not None
    assert found.verdict == UNKNOWN
    assert np.isnan(found.threshold)
    assert fairness(_predictions(right), "gender", dict.fromkeys(right, "f")) is None
    # Who has no group is left out.
    assert fairness(_predictions(right), "gender", {"f0": "f", "m0": "m"}).n_speakers == {"f": 1, "m": 1}  # type: ignore[union-attr]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Return a corpus of six speakers whose classes are told by pitch, which noise at 0 dB leaves alone."""
    lines = ["path,label,speaker,gender"]
    for speaker in range(6):
        for number in range(6):
            label, rng = ("angry", "sad")[number % 2], np.random.default_rng(10 * speaker + number)
            time_s = np.arange(int(rng.uniform(0.5, 1.0) * 16_000)) / 16_000
            swell = np.interp(time_s, np.linspace(0, time_s[-1], 12), rng.uniform(0.2, 1.0, 12))
            pitch = (300 if label == "angry" else 140) + 5 * speaker + number
            tone = sum(np.sin(2 * np.pi * pitch * k * time_s) / k for k in range(1, 12))
            audio = 0.2 * tone * swell + 0.002 * rng.standard_normal(len(time_s))
            soundfile.write(tmp_path / f"{speaker}_{number}.wav", audio, 16_000)
            lines.append(f"{speaker}_{number}.wav,{label},s{speaker},{'fm'[speaker % 2]}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_command(recordings: Path, project_folder: Path) -> None:
    arguments = ("logreg_lld", "--root", str(recordings), "--jobs", "1")
    asked = ("--condition", "20 dB quieter", "--condition", "white noise 0 dB")
    done = ser("audit", *arguments, *asked, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    quieter, noisy = told["robustness"]
    assert told["uar"] == 1.0
    assert (quieter["condition"], quieter["uar"], quieter["unchanged"]) == ("20 dB quieter", 1.0, 1.0)
    assert quieter["fall"] == quieter["fall_low"] == 0.0
    assert quieter["verdict"] == PASSED
    assert noisy["uar"] < 0.9
    assert noisy["fall"] == pytest.approx(1.0 - noisy["uar"])
    assert {one["by"] for one in told["fairness"]} == {"gender", "pitch"}
    assert list(told["speakers"]) == [f"s{one}" for one in range(6)]
    lines = ser("audit", *arguments, *asked).stdout
    assert "20 dB quieter" in lines
    assert "worst speakers: " in lines


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--condition", "nois"), "unknown condition 'nois'; did you mean 'noise'"),
        (("--normalize", "enrol-1"), "recordings that are enrolled are of no condition"),
        (("--protocol", "random"), "tests voices that were trained on"),
    ],
)
def test_what_cannot_be_audited(more: tuple[str, ...], said: str, recordings: Path, project_folder: Path) -> None:
    done = ser("audit", "logreg_lld", "--root", str(recordings), "--jobs", "1", *more)
    assert done.returncode == 2
    assert said in done.stderr
