"""Log the one model of a run, with signature and a synthetic input example."""

from __future__ import annotations

import base64
import io
import json
import platform
import shutil
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import yaml
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import ColSpec, DataType, Map, Schema

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


def log_written_model(client: mlflow.MlflowClient, folder: Path, columns: Sequence[str] | None, run_id: str) -> str:
    """Log a model with a run.

    MLflow's own way to log a model answers the example with it, which imports and compiles everything that measures;
    here the files that it would write are written, and nothing is run.

    Parameters
    ----------
    client : MlflowClient
        The store.
    folder : Path
        Holds the model's own folder and nothing else.
    columns : sequence of str or None
        Of a model on a ready-made table; None for one that takes audio.
    run_id : str
        The run.

    Returns
    -------
    str
        Its id, ``m-...``.
    """
    run = client.get_run(run_id)
    known = run.outputs.model_outputs if run.outputs else []
    if known and client.get_logged_model(known[0].model_id).status == LoggedModelStatus.READY:
        return str(known[0].model_id)
    made = client.create_logged_model(
        run.info.experiment_id, name="model", source_run_id=run_id, params=dict(run.data.params)
    )
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=0)])
    with tempfile.TemporaryDirectory() as temporary:
        written = Path(temporary) / "model"
        shutil.copytree(folder, written / DATA)
        (own,) = (written / DATA).iterdir()
        about = Model(
            artifact_path=made.artifact_location, model_uuid=made.model_id, run_id=run_id, model_id=made.model_id
        )
        _describe(about, written, f"{DATA}/{own.name}", columns)
        client.log_model_artifacts(made.model_id, str(written))
    client.finalize_logged_model(made.model_id, LoggedModelStatus.READY)
    return str(made.model_id)


def _describe(about: Model, folder: Path, data: str, columns: Sequence[str] | None) -> None:
    """Write ``MLmodel``, the example, and which environment the model needs."""
    if columns is None:
        inputs = [ColSpec(DataType.binary, "audio")]
        # As MLflow writes bytes: in base64 with the line breaks of MIME.
        example: dict[str, Any] = {"columns": ["audio"], "data": [[base64.encodebytes(synthetic_recording()).decode()]]}
    else:
        inputs = [ColSpec(DataType.double, name) for name in columns]
        example = {"columns": list(columns), "data": [[0.0] * len(columns)]}
    (folder / _EXAMPLE).write_text(json.dumps(example), encoding="utf-8")
    (folder / _SERVED_EXAMPLE).write_text(json.dumps({"dataframe_split": example}, indent=2), encoding="utf-8")
    about.signature = _signature(inputs)
    about.saved_input_example_info = {
        "artifact_path": _EXAMPLE, "type": "dataframe", "pandas_orient": "split", "serving_input_path": _SERVED_EXAMPLE,
    }  # fmt: skip
    about.add_flavor(
        "python_function", loader_module=LOADER, data=data, code=None, streamable=False,
        python_version=platform.python_version(), env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
    )  # fmt: skip
    about.model_size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    about.save(str(folder / "MLmodel"))
    _environment(folder)


def _environment(folder: Path) -> None:
    packages = [f"mlflow=={mlflow.__version__}", f"ser_experiments=={version('ser_experiments')}"]
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


def _signature(inputs: Sequence[ColSpec]) -> ModelSignature:
    answers = [ColSpec(DataType.string, "label"), ColSpec(Map(DataType.double), "probabilities")]
    return ModelSignature(Schema(list(inputs)), Schema([*answers, ColSpec(DataType.string, "error")]))
