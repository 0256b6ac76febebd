"""What MLflow calls: it loads a logged model through :func:`_load_pyfunc` of the installed package.

What lies in MLflow is data alone, so nothing in an artifact is executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ser_experiments.audio.limits import Budget
from ser_experiments.errors import InputError
from ser_experiments.serving import rows
from ser_experiments.serving.audio_model import AudioModel
from ser_experiments.serving.bounds import MAX_ROWS, RECORDING, REQUEST
from ser_experiments.serving.folder import load_any
from ser_experiments.serving.table_model import TableModel


class _Served:
    """A table with one column of bytes in, a table of answers out."""

    def __init__(self, model: AudioModel) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Answer each row; a bad recording gets an ``error`` of its own and spoils no other row."""
        if len(model_input) > MAX_ROWS:
            raise InputError(f"{len(model_input)} rows; a request has at most {MAX_ROWS}")
        budget = Budget(RECORDING, REQUEST)
        found = [rows.answer(self.model, value, budget) for value in model_input.iloc[:, 0]]
        return pd.DataFrame(found, columns=rows.fields(self.model.task))


def _load_pyfunc(path: str) -> _Served | TableModel:
    """Load a model for MLflow; named by ``loader_module`` in the logged model."""
    model = load_any(Path(path))
    return model if isinstance(model, TableModel) else _Served(model)
