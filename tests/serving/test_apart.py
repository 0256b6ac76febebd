"""The model in use knows no tracker: it is loaded without one, also by the names of before."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml

from ser_experiments import identity, project
from ser_experiments.audio import read_audio
from ser_experiments.errors import InputError
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import AudioModel, TableModel, load_folder, save_model
from ser_experiments.tasks.classes import Classes
from ser_experiments.tracking import RunRecord, start
from ser_experiments.tracking.backends._mlflow.log_model import synthetic_recording

RUN = {"name": "x", "setting": "s", "rows": "r", "tags": {}, "note": ""}


@pytest.fixture(scope="module")
def model() -> AudioModel:
    columns = get_extractor("mfcc").column_names
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(40, len(columns))).astype(np.float32), columns=columns)
    estimator = build_pipeline("logreg", sets=["mfcc"]).fit(table.assign(group="g"), np.array(["angry", "sad"] * 20))
    return AudioModel(estimator, [("mfcc", {})], {"experiment": "x", "setting": "s"})


@pytest.fixture
def folder(model: AudioModel, tmp_path: Path) -> Path:
    save_model(model, tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, **values: object) -> dict[str, object]:
    """Write other values into a model's description, and return what it was."""
    told: dict[str, object] = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**told, **values}))
    return told


@pytest.mark.slow
def test_a_folder_is_loaded_without_mlflow(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(synthetic_recording())
    program = f"""
import sys
from ser_experiments import load_model, timeline
model = load_model({str(folder)!r})
(answer,) = model.predict([{str(tmp_path / "a.wav")!r}])
assert answer["label"] in ("angry", "sad"), answer
timeline(model, {str(tmp_path / "a.wav")!r})
print([name for name in sys.modules if name.partition(".")[0] == "mlflow"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("loader", "takes"), [("audio_model", "audio"), ("table_model", "table")])
def test_models_that_were_logged_before_are_loaded(
    loader: str, takes: str, model: AudioModel, project_folder: Path
) -> None:
    fitted = build_pipeline("logreg").fit(pd.DataFrame({"a": [0.0, 1.0] * 10, "group": "g"}), np.array(["x", "y"] * 10))
    logged = model if takes == "audio" else TableModel(fitted, ["a"], {})
    with start(project.find(), **RUN) as run:
        uri = run.log(RunRecord(model=logged))
    stored = Path(mlflow.artifacts.download_artifacts(uri))
    about = yaml.safe_load((stored / "MLmodel").read_text())
    about["flavors"]["python_function"]["loader_module"] = f"ser_experiments.tracking.{loader}"
    (stored / "MLmodel").write_text(yaml.safe_dump(about))
    loaded = mlflow.pyfunc.load_model(str(stored))
    asked = pd.DataFrame({"audio": [synthetic_recording()]}) if takes == "audio" else pd.DataFrame({"a": [1.0]})
    answer = loaded.predict(asked)
    assert answer["error"].iloc[0] == ""
    assert answer["label"].iloc[0] in (("angry", "sad") if takes == "audio" else ("y",))


def test_the_first_form_of_a_description_is_read(folder: Path, model: AudioModel) -> None:
    told = json.loads((folder / "model.json").read_text())
    assert told["format"] == 1
    assert told["task"] == {"kind": "classes", "targets": ["angry", "sad"]}
    assert told["estimator_digest"] == identity.of_file(folder / "estimator.skops")
    del told["task"]
    (folder / "model.json").write_text(json.dumps(told))
    loaded = load_folder(folder)
    assert loaded.task == Classes(("angry", "sad"))
    heard = read_audio(synthetic_recording())
    assert loaded.predict_audio(*heard) == model.predict_audio(*heard)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"kind": "smells", "targets": ["a"]}, "model.json: the kind of task 'smells' is unknown here"),
        ({"kind": "classes"}, "model.json: 'task' must be a kind and its targets"),
        (["classes"], "model.json: 'task' must be a kind and its targets"),
    ],
)
def test_a_task_that_is_none(folder: Path, task: object, message: str) -> None:
    change(folder, task=task)
    with pytest.raises(InputError, match=message):
        load_folder(folder)


def saved_extractor(folder: Path) -> dict[str, object]:
    (told,) = json.loads((folder / "model.json").read_text())["extractors"]
    return told


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"version": "0"}, "trained on 'mfcc' version 0, this program has version "),
        ({"sample_rate": 8000}, "trained on 'mfcc' sample_rate = 8000, this program has 16000"),
        ({"params": {"n_mfcc": 99}}, "trained on 'mfcc' n_mfcc = 99, this program has 20"),
        ({"dtype": "float16"}, "trained on 'mfcc' dtype = 'float16', this program has 'float32'"),
        ({"weights": "b2"}, "trained on 'mfcc' weights = 'b2', this program has 'none'"),
    ],
)
def test_what_measures_otherwise_is_refused(folder: Path, changed: dict[str, object], message: str) -> None:
    change(folder, extractors=[{**saved_extractor(folder), **changed}])
    with pytest.raises(InputError, match=message) as refused:
        load_folder(folder)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith("; train it again")


def test_another_version_of_a_library_is_said_and_not_refused(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = load_folder(folder)
    assert before.warnings == ()
    told = saved_extractor(folder)
    change(folder, extractors=[{**told, "libraries": {**told["libraries"], "numpy": "1.0"}}])  # type: ignore[dict-item]
    with caplog.at_level(logging.WARNING):
        loaded = load_folder(folder)
    (said,) = loaded.warnings
    assert said.startswith("'mfcc' was measured with numpy 1.0 (here ")
    assert said in caplog.text
    (answer,) = loaded.predict([synthetic_recording()])
    assert said in answer["warnings"]
    assert answer["error"] == ""
