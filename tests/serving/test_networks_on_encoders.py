"""Networks on the frames of an encoder: from recordings to a champion that answers without what it was trained with."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from tests.checkpoints import tiny_whisper
from tests.command import ser
from tests.iemocap_tree import small_tree


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SER_TRACKER", "json")
    return small_tree(tmp_path / "IEMOCAP_full_release")


def run(name: str, tree: Path, encoder: Path) -> None:
    told = ("--set", f"features.params.encoder.model={encoder}", "--set", "model.n_epochs=2")
    done = ser("run", name, "--corpus", "iemocap", "--root", str(tree), *told)
    assert done.returncode == 0, done.stderr


def test_a_tuned_tail_answers_where_its_encoder_lies_beside_it(tmp_path: Path, tree: Path) -> None:
    encoder = tiny_whisper(tmp_path / "whisper", seed=7)
    run("tail_encoder", tree, encoder)
    assert ser("register").returncode == 0
    recording = str(next(tree.rglob("*.wav")))
    before = ser("predict", recording, "--json")
    assert before.returncode == 0, before.stderr
    encoder.rename(tmp_path / "gone")
    after = ser("predict", recording, "--json")
    assert after.returncode == 0, after.stderr
    assert json.loads(after.stdout) == json.loads(before.stdout)


def test_a_run_shows_what_it_thinks_of_each_layer(tmp_path: Path, tree: Path) -> None:
    run("attention_encoder", tree, tiny_whisper(tmp_path / "whisper", seed=7))
    (table,) = Path("mlruns").rglob("layer_weights.csv")
    assert (table.parent / "plots" / "layer_weights.png").is_file()
    weights = pd.read_csv(table).set_index("fold")
    # "15%-70%" of three blocks.
    assert list(weights.columns) == ["encoder/frames_0", "encoder/frames_1", "encoder/frames_2"]
    assert weights.index[-1] == "all rows"
    assert weights.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    fits = json.loads((table.parent / "fits.json").read_text())
    assert fits[weights.index[0]]["layer_weights"] == pytest.approx(weights.iloc[0].to_dict(), abs=1e-5)
