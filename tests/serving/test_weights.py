"""The weights that a model needs lie beside it, and it answers where there are no others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ser_experiments import plugins
from ser_experiments.errors import InputError
from ser_experiments.serving import load_folder
from ser_experiments.tracking.backend import PACKAGE
from ser_experiments.tracking.loading import load_model
from tests.checkpoints import tiny_whisper
from tests.command import ser
from tests.iemocap_tree import small_tree

SETTING = ("--corpus", "iemocap")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


PROBE = """
[features]
sets = ["encoder"]
[model]
type = "logreg"
"""


def run(tree: Path, encoder: Path, *more: str) -> None:
    Path("experiments", "probe.toml").write_text(PROBE)
    done = ser(
        "run",
        "probe",
        *SETTING,
        "--root",
        str(tree),
        "--set",
        f"features.params.encoder.model={encoder}",
        *more,
    )
    assert done.returncode == 0, done.stderr


def recording(tree: Path) -> str:
    return str(next(tree.rglob("*.wav")))


@pytest.mark.slow
@pytest.mark.parametrize("tracker", plugins.names(PACKAGE))
def test_a_champion_answers_without_the_encoder_it_was_trained_with(
    tmp_path: Path, project_folder: Path, tree: Path, tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_TRACKER", tracker)
    encoder = tiny_whisper(tmp_path / "whisper", seed=3)
    run(tree, encoder)
    done = ser("register")
    assert done.returncode == 0, done.stderr
    assert "weights that it needs lie beside it" in done.stderr
    before = json.loads(ser("predict", recording(tree), "--json").stdout)
    encoder.rename(tmp_path / "gone")
    after = ser("predict", recording(tree), "--json")
    assert after.returncode == 0, after.stderr
    assert json.loads(after.stdout) == before
    # What is copied elsewhere needs nothing of where it was.
    (assets,) = Path("mlruns").rglob("assets")
    copied = shutil.copytree(assets.parent, tmp_path / "elsewhere")
    (answer,) = load_folder(copied).predict([recording(tree)])
    assert answer["label"] in load_model(copied).classes
    assert answer["error"] == ""


@pytest.mark.slow
def test_weights_are_kept_once_and_only_if_wanted(tmp_path: Path, project_folder: Path, tree: Path) -> None:
    encoder = tiny_whisper(tmp_path / "whisper", seed=3)
    run(tree, encoder)
    assert ser("register", "--no-weights").returncode == 0
    assert not list(Path("mlruns").rglob("assets"))
    assert ser("register", "--force", "probe").returncode == 0
    run(tree, encoder, "--seed", "1")
    run(tree, encoder, "--seed", "2")
    for seed in ("1", "2"):
        runs = json.loads(ser("compare", "--json").stdout)["runs"]
        (run_id,) = (one["run_id"] for one in runs if str(one["seed"]) == seed)
        assert ser("register", "--force", run_id).returncode == 0
    files = list(Path("mlruns").rglob("model.safetensors"))
    assert len(files) == 3
    assert len({file.stat().st_ino for file in files}) == 1


@pytest.mark.slow
def test_weights_that_are_gone_are_named(tmp_path: Path, project_folder: Path, tree: Path) -> None:
    encoder = tiny_whisper(tmp_path / "whisper", seed=3)
    run(tree, encoder)
    encoder.rename(tmp_path / "gone")
    done = ser("register")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no such folder" in done.stderr
    assert "--no-weights" in done.stderr
    assert ser("register", "--no-weights").returncode == 0
    done = ser("predict", recording(tree))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.slow
def test_other_weights_beside_a_model_are_refused(tmp_path: Path, project_folder: Path, tree: Path) -> None:
    run(tree, tiny_whisper(tmp_path / "whisper", seed=3))
    assert ser("register").returncode == 0
    (assets,) = Path("mlruns").rglob("assets")
    (own,) = assets.iterdir()
    shutil.copy(tiny_whisper(tmp_path / "other", seed=4) / "model.safetensors", own / "model.safetensors")
    with pytest.raises(InputError, match="trained on"):
        load_folder(assets.parent)
