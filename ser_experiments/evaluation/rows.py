"""The rows of an experiment: features, truth and folds, aligned once and for all where they are put together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import Fold, Folds
from ser_experiments.frames import GROUP, TRIED_ON
from ser_experiments.models.wrapper import fit
from ser_experiments.task import Task


@dataclass(frozen=True)
class Rows:
    """What an estimator is fitted on and tested on, fold by fold.

    Made by :meth:`align`, so that row i of each part is the same utterance.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Features and, in ``group``, what the folds keep apart.
    utterances : DataFrame of n_rows rows
        With ``speaker``, ``session`` and the truth.
    folds : Folds
        Positions refer to these rows.
    task : Task
        What is predicted.
    weights : ndarray of shape (n_rows,), optional
        What each row weighs where it is trained on; no score is weighted.
    """

    table: pd.DataFrame
    utterances: pd.DataFrame
    folds: Folds
    task: Task
    weights: NDArray[np.float64] | None = None

    @classmethod
    def align(
        cls,
        table: pd.DataFrame,
        utterances: pd.DataFrame,
        folds: Folds,
        task: Task,
        weights: pd.Series | None = None,
    ) -> Rows:
        """Put a feature table into the order of the utterances and write the groups of the folds into it.

        Parameters
        ----------
        table : DataFrame
            Holds the utterances, perhaps others too and in another order; the frame itself is left as it is.
        utterances : DataFrame
            Whose order counts.
        folds : Folds
            Cut from `utterances`.
        task : Task
            What is predicted.
        weights : Series of float, optional
            Of the utterances.

        Raises
        ------
        InputError
            The folds were cut from other utterances, or an utterance has no row in the table.
        """
        if not folds.group.index.equals(utterances.index):
            raise InputError("the folds were cut from other utterances than those of the table; cut them again")
        if not table.index.equals(utterances.index):
            missing = utterances.index.difference(table.index)
            if len(missing):
                raise InputError(f"the table has no row for utterance {missing[0]!r} ({len(missing)} missing)")
            table = table.loc[utterances.index]
        group = folds.group
        if folds.development is not None:
            group = group.where(~folds.development, TRIED_ON + group)
        known = None if weights is None else weights.loc[utterances.index].to_numpy(dtype=np.float64)
        return cls(table.assign(**{GROUP: group.to_numpy(dtype=str)}), utterances, folds, task, known)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def truth(self) -> NDArray[Any]:
        """Return what estimators are fitted on, one row an utterance."""
        return self.task.truth(self.utterances)

    def fitted(self, estimator: BaseEstimator, rows: NDArray[np.intp] | None = None) -> BaseEstimator:
        """Return a copy of an estimator that is fitted on some rows, by default all."""
        chosen = np.arange(len(self)) if rows is None else rows
        weights = None if self.weights is None else self.weights[chosen]
        return fit(clone(estimator), self.table.iloc[chosen], self.truth[chosen], weights)

    def test(self, fold: Fold) -> pd.DataFrame:
        """Return the features of the tested side of a fold: the truth is not among them."""
        return self.table.iloc[fold.test]

    def told(self, utterances: pd.DataFrame) -> Rows:
        """Return the same rows with another truth, e.g. shuffled labels."""
        if not utterances.index.equals(self.utterances.index):
            raise InputError("another truth must be of the same utterances in the same order")
        return replace(self, utterances=utterances)
