"""The folder of the one model of a run as MLflow writes it, with signature and a synthetic input example.

MLflow's own way to write it answers the example with the model, which imports and compiles everything that measures;
here nothing is run, and MLflow is not imported.
"""

from __future__ import annotations

import base64
import io
import json
import platform
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ser_experiments.files import read_json
from ser_experiments.serving.folder import ABOUT
from ser_experiments.serving.targets import task_said
from ser_experiments.task import AnswerType, Task
from ser_experiments.tracking.backends._mlflow.writer import NewModel

#: What a logged model is called.
MODEL_NAME = "model"
#: What MLflow is told to load the model through; it takes the model's folder.
LOADER = "ser_experiments.serving.pyfunc"
#: The folder within a logged model that holds the model's own.
DATA = "data"
_EXAMPLE, _SERVED_EXAMPLE = "input_example.json", "serving_input_example.json"


def synthetic_recording(seconds: float = 1.0, sample_rate: int = 16_000) -> bytes:
    """Return a WAV of a gliding harmonic tone: an input example that belongs to nobody."""
    import soundfile

    time = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * (120 * time + 40 * time**2)
    tone = sum(np.sin(k * phase) / k for k in range(1, 9)) * np.hanning(len(time))
    buffer = io.BytesIO()
    soundfile.write(buffer, (0.2 * np.asarray(tone)).astype(np.float32), sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def write_model(files: Path, new: NewModel, columns: Sequence[str] | None, run_id: str) -> None:
    """Write a model's folder, which is made where it is not there, with what MLflow keeps beside it.

    Parameters
    ----------
    files : Path
        Holds the model's own folder and nothing else.
    new : NewModel
        Where it goes, and what it is to MLflow.
    columns : sequence of str or None
        Of a model on a ready-made table; None for one that takes audio.
    run_id : str
        The run that made it.
    """
    shutil.copytree(files, new.folder / DATA, dirs_exist_ok=True)
    describe_model(new, columns, run_id)


def describe_model(new: NewModel, columns: Sequence[str] | None, run_id: str) -> None:
    """Write what MLflow keeps beside a model's own folder, which is there; see :func:`write_model`."""
    import yaml

    folder = new.folder
    (own,) = (folder / DATA).iterdir()
    task = task_said(read_json(own / ABOUT))
    _write_example(folder, columns)
    about = {
        "artifact_path": new.uri,
        "flavors": {
            "python_function": {
                "code": None, "data": f"{DATA}/{own.name}", "loader_module": LOADER, "streamable": False,
                "python_version": platform.python_version(),
                "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
            }
        },
        "is_signature_from_type_hint": False,
        "mlflow_version": version("mlflow"),
        "model_id": new.model_id,
        "model_size_bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        "model_uuid": new.model_id,
        "prompts": None,
        "run_id": run_id,
        "saved_input_example_info": {
            "artifact_path": _EXAMPLE, "pandas_orient": "split", "serving_input_path": _SERVED_EXAMPLE,
            "type": "dataframe",
        },
        "signature": _signature(columns, task),
        "type_hint_from_example": False,
        "utc_time_created": str(datetime.now(UTC).replace(tzinfo=None)),
    }  # fmt: skip
    (folder / "MLmodel").write_text(yaml.safe_dump(about, default_flow_style=False), encoding="utf-8")
    _write_environment(folder)


def _write_example(folder: Path, columns: Sequence[str] | None) -> None:
    if columns is None:
        # As MLflow writes bytes: in base64 with the line breaks of MIME.
        example: dict[str, Any] = {"columns": ["audio"], "data": [[base64.encodebytes(synthetic_recording()).decode()]]}
    else:
        example = {"columns": list(columns), "data": [[0.0] * len(columns)]}
    (folder / _EXAMPLE).write_text(json.dumps(example), encoding="utf-8")
    (folder / _SERVED_EXAMPLE).write_text(json.dumps({"dataframe_split": example}, indent=2), encoding="utf-8")


#: How MLflow writes what a field of an answer holds.
_TYPES: dict[AnswerType, dict[str, object]] = {
    "text": {"type": "string"},
    "numbers": {"type": "map", "values": {"type": "double"}},
    "ranges": {"type": "map", "values": {"type": "array", "items": {"type": "double"}}},
}


def _signature(columns: Sequence[str] | None, task: Task) -> dict[str, str | None]:
    """Return what goes in and what comes out."""
    audio = [{"type": "binary", "name": "audio", "required": True}]
    inputs = audio if columns is None else [{"type": "double", "name": name, "required": True} for name in columns]
    outputs: list[dict[str, object]] = [
        *({**_TYPES[holds], "name": name, "required": True} for name, holds in task.answer_fields.items()),
        {"type": "array", "items": {"type": "string"}, "name": "warnings", "required": True},
        {"type": "string", "name": "error", "required": True},
    ]
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs), "params": None}


def _write_environment(folder: Path) -> None:
    """Write which environment the model needs."""
    import yaml

    packages = [f"{name}=={version(name)}" for name in ("mlflow", "ser_experiments")]
    python = platform.python_version()
    (folder / "requirements.txt").write_text("\n".join(packages), encoding="utf-8")
    for name, told in (
        ("python_env.yaml", {"python": python, "build_dependencies": ["pip"], "dependencies": ["-r requirements.txt"]}),
        (
            "conda.yaml",
            {"name": "mlflow-env", "channels": ["conda-forge"],
             "dependencies": [f"python={python}", "pip", {"pip": packages}]},
        ),
    ):  # fmt: skip
        (folder / name).write_text(yaml.safe_dump(told, default_flow_style=False), encoding="utf-8")
