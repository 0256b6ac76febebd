"""Write and log the one model of a run, with signature and a synthetic input example."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import soundfile
from mlflow.models import Model, ModelSignature
from mlflow.types.schema import ColSpec, DataType, Map, Schema
from sklearn.base import BaseEstimator

from ser_experiments.tracking.audio_model import AudioModel, save_model
from ser_experiments.tracking.model_folder import write_folder

AUDIO_LOADER = "ser_experiments.tracking.audio_model"
TABLE_LOADER = "ser_experiments.tracking.table_model"
_DATA = "ser_model"


def synthetic_recording(seconds: float = 1.0, sample_rate: int = 16_000) -> bytes:
    """Return a WAV of a gliding harmonic tone: an input example that belongs to nobody."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    phase = 2 * np.pi * (120 * time + 40 * time**2)
    tone = sum(np.sin(k * phase) / k for k in range(1, 9)) * np.hanning(len(time))
    buffer = io.BytesIO()
    soundfile.write(buffer, (0.2 * np.asarray(tone)).astype(np.float32), sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _signature(inputs: Sequence[ColSpec]) -> ModelSignature:
    answers = [ColSpec(DataType.string, "label"), ColSpec(Map(DataType.double), "probabilities")]
    return ModelSignature(Schema(list(inputs)), Schema([*answers, ColSpec(DataType.string, "error")]))


def write_audio_model(model: AudioModel, folder: Path) -> None:
    """Write a model that takes audio (one column of bytes)."""
    save_model(model, folder / _DATA)


def write_table_model(estimator: BaseEstimator, columns: Sequence[str], meta: Mapping[str, Any], folder: Path) -> None:
    """Write a model that was trained on a ready-made table and takes its columns."""
    write_folder(folder / _DATA, estimator, {**meta, "columns": list(columns)})


def log_written_model(folder: Path, columns: Sequence[str] | None, run_id: str) -> str:
    """Log a model that was written to `folder` with a run.

    Parameters
    ----------
    folder : Path
        As the functions above wrote it.
    columns : sequence of str or None
        Of a table model; None for one that takes audio.
    run_id : str
        The run.

    Returns
    -------
    str
        Its URI, ``models:/m-...``.
    """
    if columns is None:
        loader, signature = AUDIO_LOADER, _signature([ColSpec(DataType.binary, "audio")])
        example = pd.DataFrame({"audio": [synthetic_recording()]})
    else:
        loader, signature = TABLE_LOADER, _signature([ColSpec(DataType.double, name) for name in columns])
        example = pd.DataFrame(np.zeros((1, len(columns))), columns=list(columns))
    client = mlflow.MlflowClient()
    run = client.get_run(run_id)
    # Made here, in the run's own experiment: without an active run MLflow would put it into the default one.
    made = client.create_logged_model(
        run.info.experiment_id, name="model", source_run_id=run_id, params=dict(run.data.params)
    )
    info = Model.log(
        artifact_path=None,
        name="model",
        flavor=mlflow.pyfunc,
        run_id=run_id,
        model_id=made.model_id,
        loader_module=loader,
        data_path=str(folder / _DATA),
        signature=signature,
        input_example=example,
        pip_requirements=[f"ser_experiments=={version('ser_experiments')}"],
    )
    return str(info.model_uri)
