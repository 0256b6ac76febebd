"""An installed package: its corpus, feature set, family and score go the whole way, with nothing of ours edited."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.command import program

PACKAGE = Path(__file__).parent / "plugin_package"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Build the package and install it into a folder of its own, without a network."""
    source, target = tmp_path / "source", tmp_path / "site"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    arguments = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, str(source)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def recordings(root: Path) -> None:
    """Write what a family can learn: who is angry is louder, and louder in the beginning."""
    rng = np.random.default_rng(0)
    for speaker, level in {"ann": 0.1, "bob": 0.11, "cem": 0.09, "dea": 0.1}.items():
        for emotion, louder in {"angry": 3.0, "calm": 1.0}.items():
            for number in range(4):
                n_samples = int(rng.integers(6_000, 9_000))
                envelope = level * np.linspace(louder, 1.0, n_samples) * rng.uniform(0.9, 1.1)
                path = root / speaker / f"{emotion}_{number}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, envelope * rng.standard_normal(n_samples) / 4, 16_000)


@pytest.mark.slow
def test_a_package_goes_the_whole_way(installed: Path, project_folder: Path, tmp_path: Path) -> None:
    recordings(tmp_path / "voices")
    # All three outputs of the set are used: functionals, the means of both halves, and frames by one of our networks.
    for name, sets, model in (
        ("nearest_envelope", ["envelope"], 'type = "nearest"'),
        ("nearest_halves", ["envelope", "envelope/halves"], 'type = "nearest"\nsharpness = 4.0'),
        ("lstm_envelope", ["envelope/frames"], 'type = "lstm"\nn_epochs = 2\nhidden = 4'),
    ):
        text = f"[features]\nsets = {sets}\n[model]\n{model}\n"
        (project_folder / "experiments" / f"{name}.toml").write_text(text)
    names = ["nearest_envelope", "nearest_halves", "lstm_envelope"]
    path = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH")]))

    def ser(*arguments: str) -> str:
        done = program(*arguments, cwd=project_folder, PYTHONPATH=path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "nearest_envelope" in ser("list")
    assert "voices: Recordings in folders" in ser("corpora", "list")
    for name in names:
        result = json.loads(ser("run", name, "--corpus", "voices", "--root", str(tmp_path / "voices"), "--json"))
        kappa = result["metrics"]["kappa"]
        assert (0.8 < kappa <= 1) or name == "lstm_envelope"
    board = json.loads(ser("compare", "--json", "--metric", "kappa"))
    assert {row["experiment"] for row in board["runs"]} == set(names)
    assert json.loads(ser("register", "nearest_halves", "--json"))["aliases"] == ["champion"]
    answers = json.loads(ser("predict", "--json", *_files(tmp_path / "voices" / "dea")))
    assert [answer["label"] for answer in answers] == ["angry"] * 4 + ["calm"] * 4
    _without_it(lambda *arguments: program(*arguments, cwd=project_folder))


def _files(folder: Path) -> list[str]:
    return [str(path) for path in sorted(folder.glob("*.wav"))]


def _without_it(ser: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Where the package is not installed an experiment that wants it is a line, and the rest goes on."""
    listed = ser("list")
    assert listed.returncode == 0
    assert "xgb_lld" in listed.stdout
    assert listed.stderr.count("unknown feature set 'envelope") == 3
    done = ser("run", "nearest_envelope", "--corpus", "voices")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
