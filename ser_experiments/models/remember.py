"""Fits that are kept by what went into them: the estimator, the rows and the truth.

A fit on the same rows with the same parameters gives the same model, so a stack can take the fits of its members that
earlier runs have made, and an interrupted run goes on where it stopped. What may never be reused are the *outer*
out-of-fold predictions of finished runs: they come from models that saw the other test speakers.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone

from ser_experiments import doing
from ser_experiments.models.fit_key import fit_key
from ser_experiments.models.fits import FIT, find_fit, keep_fit
from ser_experiments.models.grouping import with_groups
from ser_experiments.models.report import FitReport, report_of
from ser_experiments.models.wrapper import Wrapper, fit
from ser_experiments.parallel import single_threaded

#: Fits that take less are not worth a file.
WORTH_S = 0.5


class Remembered(Wrapper):
    """Fit an estimator, or take the fit from a folder if one with the same key lies there.

    Parameters
    ----------
    estimator : estimator
        What is fitted.
    folder : str, optional
        Where fits are kept; None keeps none. It changes no number and is no part of the key.

    Attributes
    ----------
    estimator_ : estimator
        Fitted.
    reused_ : bool
        Whether the fit came from the folder.
    """

    without_effect = ("folder",)

    def __init__(self, estimator: BaseEstimator, folder: str | None = None) -> None:
        self.estimator = estimator
        self.folder = folder

    def fit(
        self, X: pd.DataFrame, y: object, sample_weight: NDArray[np.float64] | None = None, groups: object = None
    ) -> Remembered:
        """Fit, or find the fit.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A feature table.
        y : array-like of shape (n_rows,) or (n_rows, n_targets)
            Class labels, or numbers.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.
        groups : array-like of shape (n_rows,), optional
            The speaker or session of each row, which inner folds keep apart; by default the column ``group``.
        """
        X = with_groups(X, groups)
        truth = np.asarray(y)
        path = None
        if self.folder is not None:
            path = Path(self.folder) / f"{fit_key(self.estimator, X, truth, sample_weight)}{FIT}"
        found = None if path is None else find_fit(path)
        self.reused_ = found is not None
        if found is None:
            start, began = time.process_time(), time.perf_counter()
            # A search hands out its own fits; any other fit stays in one piece.
            inside = isinstance(self.estimator, Wrapper) and self.estimator.parallel_inside
            with doing.part(_model_of(self.estimator)), nullcontext() if inside else single_threaded():
                found = fit(clone(self.estimator), X, truth, sample_weight)
            # Kept with the fit: what it cost is told as well when it is found again.
            found.fit_s_ = round(time.perf_counter() - began, 3)
            if path is not None and time.process_time() - start > WORTH_S:
                keep_fit(found, path)
        self._hold(found)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave the folder out of a fitted model: it is a path of this machine."""
        state: dict[str, Any] = dict(super().__getstate__())
        return {**state, "folder": None} if "estimator_" in state else state

    @property
    def fit_report_(self) -> FitReport:
        """What the fitted estimator tells of its fit, whether it was reused, and how long it took when it was made."""
        seconds = getattr(self.estimator_, "fit_s_", None)
        return replace(report_of(self.estimator_), reused=self.reused_, seconds=seconds)


def _model_of(estimator: BaseEstimator) -> str:
    """Return the class of the model that wrappers and pipelines are around."""
    while True:
        steps = getattr(estimator, "steps", None)
        inner = steps[-1][1] if steps else getattr(estimator, "estimator", None)
        if not isinstance(inner, BaseEstimator):
            return type(estimator).__name__
        estimator = inner


def keeping_nothing(estimator: BaseEstimator) -> BaseEstimator:
    """Return an unfitted copy that neither keeps fits and trials nor looks for any, however deep they are made.

    For fits that nobody will ask for again, such as those on shuffled labels.
    """
    folders = [name for name in estimator.get_params(deep=True) if name.split("__")[-1] == "folder"]
    return clone(estimator).set_params(**dict.fromkeys(folders))


#: What a saved model may hold of this module.
PERSISTED = (Remembered,)
