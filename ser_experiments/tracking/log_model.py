"""Log the one model of a run, with signature and a synthetic input example."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import soundfile
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, DataType, Map, Schema
from sklearn.base import BaseEstimator

from ser_experiments.tracking.audio_model import AudioModel, save_model
from ser_experiments.tracking.model_folder import write_folder

AUDIO_LOADER = "ser_experiments.tracking.audio_model"
TABLE_LOADER = "ser_experiments.tracking.table_model"


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


def log_audio_model(model: AudioModel) -> str:
    """Log a model that takes audio (one column of bytes) with the active run.

    Returns
    -------
    str
        Its URI, ``models:/m-...``.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "ser_model"
        save_model(model, data)
        example = pd.DataFrame({"audio": [synthetic_recording()]})
        return _log(data, AUDIO_LOADER, _signature([ColSpec(DataType.binary, "audio")]), example)


def log_table_model(estimator: BaseEstimator, columns: Sequence[str], meta: Mapping[str, Any]) -> str:
    """Log a model that was trained on a ready-made table and takes its columns; return its URI."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "ser_model"
        write_folder(data, estimator, {**meta, "columns": list(columns)})
        example = pd.DataFrame(np.zeros((1, len(columns))), columns=list(columns))
        return _log(data, TABLE_LOADER, _signature([ColSpec(DataType.double, name) for name in columns]), example)


def _log(data: Path, loader: str, signature: ModelSignature, example: pd.DataFrame) -> str:
    info = mlflow.pyfunc.log_model(
        name="model",
        loader_module=loader,
        data_path=str(data),
        signature=signature,
        input_example=example,
        pip_requirements=[f"ser_experiments=={version('ser_experiments')}"],
    )
    return str(info.model_uri)
