"""What MLflow calls: it loads a logged model through :func:`_load_pyfunc` of the installed package.

What lies in MLflow is data alone, so nothing in an artifact is executed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.audio import read_audio
from ser_experiments.audio.container import why_not
from ser_experiments.audio.opening import duration_s
from ser_experiments.errors import AudioError, InputError, SerError
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.folder import load_any
from ser_experiments.serving.table_model import TableModel

#: Longest recording that is predicted as one utterance, and the largest file that is read, in a served request.
MAX_SECONDS, MAX_BYTES = 600.0, 64 * 2**20


class _Served:
    """A table with one column of bytes in, a table of answers out."""

    def __init__(self, model: AudioModel) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Answer each row; a bad recording gets an ``error`` of its own and spoils no other row."""
        rows = [self._answer(value) for value in model_input.iloc[:, 0]]
        return pd.DataFrame(rows, columns=["label", "probabilities", "error"])

    def _answer(self, value: object) -> dict[str, Any]:
        try:
            return {**self.model.predict_audio(*_read(_bytes(value))), "error": ""}
        except SerError as error:
            return {"label": "", "probabilities": dict.fromkeys(self.model.task.targets, 0.0), "error": str(error)}


def _bytes(value: object) -> bytes:
    # A path is never opened here: a served model would let a client read any file of the server.
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InputError("audio must be the bytes of a recording, in base64 within JSON") from error
    raise InputError(f"audio must be bytes, got {type(value).__name__}")


def _read(data: bytes) -> tuple[NDArray[np.float32], int]:
    """Read a recording within bounds, shape (n_samples,), with its rate in Hz."""
    if len(data) > MAX_BYTES:
        raise InputError(f"audio of {len(data)} bytes; at most {MAX_BYTES} are read")
    try:
        said_s = duration_s(data)
    except AudioError as error:
        raise AudioError("<bytes>", why_not(data) or "not audio that libsndfile reads") from error
    _bound(said_s or 0.0)
    audio, rate = read_audio(data)
    # Not every header says it.
    _bound(len(audio) / rate)
    return audio, rate


def _bound(length_s: float) -> None:
    if length_s > MAX_SECONDS:
        raise InputError(f"audio of {length_s:.0f} s; at most {MAX_SECONDS:.0f} s are predicted at once")


def _load_pyfunc(path: str) -> _Served | TableModel:
    """Load a model for MLflow; named by ``loader_module`` in the logged model."""
    model = load_any(Path(path))
    return model if isinstance(model, TableModel) else _Served(model)
