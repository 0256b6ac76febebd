"""A model that was trained on a ready-made table: it takes the table's columns and refuses audio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.tracking.model_folder import read_folder


class TableModel:
    """A fitted estimator on the columns of a ready-made table."""

    def __init__(self, estimator: BaseEstimator, meta: Mapping[str, Any]) -> None:
        self.estimator = estimator
        self.meta = meta

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Answer each row of a table that has the training table's columns."""
        missing = [name for name in self.meta["columns"] if name not in model_input]
        if missing:
            raise InputError(f"the table has no column {missing[0]!r} ({len(missing)} missing)")
        table = model_input[self.meta["columns"]].assign(group="")
        chances = self.estimator.predict_proba(table)
        classes = [str(c) for c in self.estimator.classes_]
        return pd.DataFrame(
            {
                "label": [classes[i] for i in chances.argmax(axis=1)],
                "probabilities": [dict(zip(classes, map(float, row), strict=True)) for row in chances],
                "error": "",
            }
        )


def _load_pyfunc(path: str) -> TableModel:
    """Load a model for MLflow; named by ``loader_module`` in the logged model."""
    return TableModel(*read_folder(Path(path)))
