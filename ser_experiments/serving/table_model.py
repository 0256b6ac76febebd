"""A model that was trained on a ready-made table: it takes the table's columns and refuses audio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.frames import GROUP
from ser_experiments.serving.targets import task_of
from ser_experiments.task import Task


@dataclass(frozen=True)
class TableModel:
    """A fitted estimator on the columns of a ready-made table.

    Parameters
    ----------
    estimator : estimator
        Fitted on the table.
    columns : sequence of str
        Of the table, in the order in which it was fitted on them.
    meta : mapping
        Setting, experiment, task.
    """

    estimator: BaseEstimator
    columns: Sequence[str]
    meta: Mapping[str, Any]

    @cached_property
    def task(self) -> Task:
        """Return what it predicts."""
        return task_of(self.meta, self.estimator)

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, object] | None = None) -> pd.DataFrame:
        """Answer each row of a table that has the training table's columns.

        Returns
        -------
        DataFrame
            As :meth:`AudioModel.predict_audio` answers, a column a field, and ``error`` (empty).

        Raises
        ------
        InputError
            A column is missing.
        """
        missing = [name for name in self.columns if name not in model_input]
        if missing:
            raise InputError(f"the table has no column {missing[0]!r} ({len(missing)} missing)")
        values = self.task.response(self.estimator, model_input[list(self.columns)].assign(**{GROUP: ""}))
        answers = [self.task.answer(row, self.meta) for row in values]
        told = {name: [one[name] for one in answers] for name in self.task.answer_fields}
        return pd.DataFrame({**told, "error": [""] * len(answers)})
