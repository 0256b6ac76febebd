"""Networks on the frames of an encoder: from recordings to a champion that answers without what it was trained with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments import project
from ser_experiments.errors import InputError
from ser_experiments.experiment import run_experiment
from ser_experiments.serving import load_folder
from ser_experiments.tracking import connect
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_run_shows_what_it_thinks_of_each_layer(tmp_path: Path, tree: Path) -> None:
    run("attention_encoder", tree, tiny_whisper(tmp_path / "whisper", seed=7))
    (table,) = Path("mlruns").rglob("layer_weights.csv")
    assert (table.parent / "plots" / "layer_weights.png").is_file()
    weights = pd.read_csv(table).set_index("fold")
    # "middle" of three blocks.
    assert list(weights.columns) == ["encoder/frames_1", "encoder/frames_2"]
    assert weights.index[-1] == "all rows"
    assert weights.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)
    fits = json.loads((table.parent / "fits.json").read_text())
    assert fits[weights.index[0]]["layer_weights"] == pytest.approx(weights.iloc[0].to_dict(), abs=1e-5)


@pytest.mark.slow
def test_frames_are_normalised_by_speaker_in_training_and_in_use(tree: Path) -> None:
    """A network on arrays over time, what it is told of a new speaker included."""
    small = {"model.n_epochs": 2, "features.params.encoder.layers": [1, 2]}
    result = run_experiment("attention_encoder", corpus="iemocap", root=tree, normalize="speaker", overrides=small)
    plain = run_experiment("attention_encoder", corpus="iemocap", root=tree, overrides=small, log_run=False)
    assert np.isfinite(result.predictions.filter(like="p_").to_numpy()).all()
    assert not np.allclose(result.predictions.filter(like="p_"), plain.predictions.filter(like="p_"))
    folder = connect(project.find()).model_folder(result.model_uri)
    model = load_folder(folder)
    utterances = result.prepared.utterances
    of_one = utterances[utterances["speaker"] == utterances["speaker"].iloc[0]]
    paths = [str(path) for path in of_one["path"]]
    with pytest.raises(InputError, match="normalised by speaker"):
        model.predict(paths[:1])
    answers = list(model.for_speaker(paths).predict(paths[:2]))
    assert [one["error"] for one in answers] == ["", ""]
    # The same frames minus the same means: what the estimator says of the table's own rows.
    rows = result.prepared.table.loc[of_one.index[:2]]
    values = model.task.response(model.estimator, rows)
    np.testing.assert_allclose([list(one["probabilities"].values()) for one in answers], values, atol=1e-3)
