"""The logged model takes audio, executes nothing from the artifact, and opens no path a client names."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from ser_experiments import project
from ser_experiments.audio import read_audio
from ser_experiments.errors import InputError
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import AudioModel, TableModel, load_folder, save_model
from ser_experiments.serving.pyfunc import _load_pyfunc
from ser_experiments.tracking import RunRecord, connect, start
from ser_experiments.tracking.backends._mlflow.log_model import synthetic_recording

NOTE = {"name": "x", "setting": "s", "rows": "r", "tags": {}, "note": ""}


@pytest.fixture(scope="module")
def model() -> AudioModel:
    columns = get_extractor("lld").column_names
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(40, len(columns))).astype(np.float32), columns=columns)
    table["group"] = [f"g{i % 4}" for i in range(40)]
    estimator = build_pipeline("logreg", sets=["lld"]).fit(table, np.array(["angry", "sad"] * 20))
    return AudioModel(estimator, [("lld", {})], {"experiment": "x"})


def test_round_trip_gives_the_same_probabilities(model: AudioModel, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    audio = synthetic_recording()
    assert load_folder(tmp_path).predict_audio(*read_audio(audio)) == model.predict_audio(*read_audio(audio))
    assert {path.name for path in tmp_path.iterdir()} == {"estimator.skops", "model.json"}


def test_a_changed_estimator_is_refused(model: AudioModel, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    file = tmp_path / "estimator.skops"
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(InputError, match="does not match model.json"):
        load_folder(tmp_path)


def test_another_extractor_version_is_refused(model: AudioModel, tmp_path: Path) -> None:
    save_model(model, tmp_path)
    path = tmp_path / "model.json"
    meta = json.loads(path.read_text())
    meta["extractors"][0]["version"] = "0"
    path.write_text(json.dumps(meta))
    with pytest.raises(InputError, match="trained on 'lld' version 0"):
        load_folder(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", "{"])
def test_a_folder_that_is_no_model(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    (tmp_path / "estimator.skops").write_bytes(b"PK")
    with pytest.raises(InputError, match=str(tmp_path)):
        load_folder(tmp_path)


def test_a_served_model_answers_each_row_and_opens_no_path(model: AudioModel, tmp_path: Path) -> None:
    save_model(model, tmp_path / "m")
    wav = tmp_path / "secret.wav"
    wav.write_bytes(synthetic_recording())
    served = _load_pyfunc(str(tmp_path / "m"))
    good = synthetic_recording()
    answers = served.predict(
        pd.DataFrame({"audio": [good, base64.b64encode(good).decode(), str(wav), b"not audio", 5, b""]})
    )
    assert answers["label"].iloc[0] == answers["label"].iloc[1] != ""
    assert sum(answers["probabilities"].iloc[0].values()) == pytest.approx(1)
    assert list(answers["error"].iloc[:2]) == ["", ""]
    assert "base64" in answers["error"].iloc[2]
    assert all(answers["error"].iloc[2:])
    assert all(answers["label"].iloc[2:] == "")


def test_logged_and_loaded_through_mlflow(model: AudioModel, project_folder: Path) -> None:
    with start(project.find(), **NOTE) as run:
        uri = run.log(RunRecord(model=model))
    assert uri is not None
    stored_model = connect(project.find()).client.get_logged_model(uri.removeprefix("models:/"))
    assert stored_model.experiment_id == run.experiment_id
    assert stored_model.source_run_id == run.run_id
    assert str(stored_model.status) == "READY"
    assert f"{project_folder}/mlruns/artifacts" in stored_model.artifact_location
    shown = {path.name for path in (project_folder / "mlruns").iterdir() if not path.name.startswith(".")}
    assert shown == {"artifacts", "mlflow.db", "outbox"}
    loaded = mlflow.pyfunc.load_model(uri)
    audio = synthetic_recording()
    answer = loaded.predict(pd.DataFrame({"audio": [audio]}))
    assert answer["probabilities"].iloc[0] == pytest.approx(model.predict_audio(*read_audio(audio))["probabilities"])
    assert loaded.metadata.signature.inputs.to_dict() == [{"type": "binary", "name": "audio", "required": True}]
    assert loaded.metadata.saved_input_example_info is not None
    stored = Path(mlflow.artifacts.download_artifacts(uri))
    kinds = {path.suffix for path in stored.rglob("*") if path.is_file()}
    assert not kinds & {".py", ".pkl", ".pickle", ".pt", ".joblib"}


def test_a_model_of_a_table_takes_columns_and_refuses_audio(project_folder: Path) -> None:
    table = pd.DataFrame({"a": [0.0, 1.0] * 10, "b": 1.0, "group": "g"})
    fitted = build_pipeline("logreg").fit(table, np.array(["x", "y"] * 10))
    with start(project.find(), **NOTE) as run:
        uri = run.log(RunRecord(model=TableModel(fitted, ["a", "b"], {})))
    assert uri is not None
    loaded = mlflow.pyfunc.load_model(uri)
    assert list(loaded.predict(pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 1.0]}))["label"]) == ["x", "y"]
    stored = Path(mlflow.artifacts.download_artifacts(uri)) / "ser_model"
    with pytest.raises(InputError, match="takes no audio"):
        load_folder(stored if stored.is_dir() else next(stored.parent.rglob("model.json")).parent)
