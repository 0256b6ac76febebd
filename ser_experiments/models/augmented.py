"""Training on views of the recordings: the same words in another room, with noise, by a faster voice.

Audio cannot be changed inside a pipeline on a table, so the views are measured beforehand and stand in the table as
columns of their own beside those of the recordings. Here they become rows, of the training side alone: whatever cuts
folds around this estimator cuts the recordings, and all views of a recording go where it goes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from ser_experiments.errors import InputError
from ser_experiments.features.views import on_view
from ser_experiments.frames import GROUP
from ser_experiments.models.grouping import TakeColumns
from ser_experiments.models.wrapper import Wrapper, fit, inner_has


class Augmented(Wrapper):
    """Fit an estimator on the recordings and their views; predict from the recordings alone.

    Parameters
    ----------
    estimator : estimator
        A pipeline that begins with :class:`~ser_experiments.models.grouping.TakeColumns`.
    views : tuple of str
        Views whose columns the table holds, e.g. ``("noise", "speed")``.

    Attributes
    ----------
    estimator_ : estimator
        Fitted on ``n_rows * (1 + n_views)`` rows; a view has the label and the group of its recording.
    """

    def __init__(self, estimator: BaseEstimator, views: tuple[str, ...] = ()) -> None:
        self.estimator = estimator
        self.views = views

    def fit(self, X: pd.DataFrame, y: object, sample_weight: NDArray[np.float64] | None = None) -> Augmented:
        """Stack the views below the recordings and fit.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A feature table with the columns of the views beside those of the recordings, and perhaps ``group``.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows; a view has that of its recording.

        Raises
        ------
        InputError
            The table does not hold the columns of a view.
        """
        names = self._columns(X)
        missing = [name for name in self.input_columns(X) if name not in X.columns]
        if missing:
            raise InputError(f"the table has no column {missing[0]!r} ({len(missing)} missing); measure the views")
        beside = [GROUP] if GROUP in X.columns else []
        parts = [X[[*names, *beside]]]
        for view in self.views:
            part = X[[*(on_view(name, view) for name in names), *beside]]
            parts.append(part.set_axis([*names, *beside], axis=1).set_axis([on_view(i, view) for i in X.index]))
        labels = np.asarray(y)
        weights = None if sample_weight is None else np.tile(sample_weight, len(parts))
        self._hold(fit(clone(self.estimator), pd.concat(parts), np.concatenate([labels] * len(parts)), weights))
        return self

    @inner_has("predict_proba")
    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities in the order of ``classes_``; views in the table are not looked at."""
        return self.estimator_.predict_proba(self._recorded(X))

    @inner_has("decision_function")
    def decision_function(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the decision values of the classifier; views in the table are not looked at."""
        return self.estimator_.decision_function(self._recorded(X))

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the most probable class of each row, or its numbers; views in the table are not looked at."""
        return self.estimator_.predict(self._recorded(X))

    def input_columns(self, X: pd.DataFrame) -> list[str]:
        """Return the columns that a fit depends on."""
        names = self._columns(X)
        return [*names, *(on_view(name, view) for view in self.views for name in names)]

    def _columns(self, X: pd.DataFrame) -> list[str]:
        taker: TakeColumns = self.estimator.steps[0][1]
        return taker.input_columns(X)

    def _recorded(self, X: pd.DataFrame) -> pd.DataFrame:
        names = self.estimator_.steps[0][1].columns_
        return X[[*names, GROUP]] if GROUP in X.columns else X[names]


#: What a saved model may hold of this module.
PERSISTED = (Augmented,)
