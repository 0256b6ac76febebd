"""Fits that are remembered by what went into them: the rows, the labels and the parameters.

A fit on the same rows with the same parameters gives the same model, so a stack can take the fits of its members that
earlier runs have made, and an interrupted run goes on where it stopped. What may never be reused are the *outer*
out-of-fold predictions of finished runs: they come from models that saw the other test speakers.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from ser_experiments.errors import InputError
from ser_experiments.models.persistence import load_estimator, save_estimator
from ser_experiments.parallel import one_piece

log = logging.getLogger(__name__)
#: Fits that take less are not worth a file.
WORTH_S = 0.5
#: Libraries whose versions can change a fit.
_LIBRARIES = ("scikit-learn", "numpy", "scipy", "lightgbm", "torch", "ser_experiments")


class Remembered(ClassifierMixin, BaseEstimator):
    """Fit a classifier, or take the fit from a folder if one with the same key lies there.

    Parameters
    ----------
    estimator : classifier
        What is fitted.
    folder : str, optional
        Where fits are kept; None remembers nothing. It changes no number and is no part of the key.

    Attributes
    ----------
    estimator_ : classifier
        Fitted.
    reused_ : bool
        Whether the fit came from the folder.
    """

    def __init__(self, estimator: BaseEstimator, folder: str | None = None) -> None:
        self.estimator = estimator
        self.folder = folder

    def fit(self, X: pd.DataFrame, y: object) -> Remembered:
        """Fit, or find the fit.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            A feature table.
        y : array-like of shape (n_rows,)
            Class labels.
        """
        labels = np.asarray(y)
        path = None if self.folder is None else Path(self.folder) / f"{fit_key(self.estimator, X, labels)}.skops"
        found = None if path is None else _find(path)
        self.reused_ = found is not None
        if found is None:
            start = time.perf_counter()
            # A search hands out its own fits; any other fit stays in one piece.
            with nullcontext() if getattr(self.estimator, "hands_out", False) else one_piece():
                found = clone(self.estimator).fit(X, labels)
            if path is not None and time.perf_counter() - start > WORTH_S:
                _keep(found, path)
        self.estimator_ = found
        self.classes_ = found.classes_
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities in the order of ``classes_``."""
        return self.estimator_.predict_proba(X)

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Return the most probable class of each row."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def __getstate__(self) -> dict[str, Any]:
        """Leave the folder out of a fitted model: it is a path of this machine."""
        state: dict[str, Any] = dict(super().__getstate__())
        return {**state, "folder": None} if "estimator_" in state else state

    @property
    def fit_report_(self) -> dict[str, Any]:
        """What the fitted classifier tells of its fit, and whether it was reused."""
        return {**getattr(self.estimator_, "fit_report_", {}), "reused": self.reused_}


def fit_key(estimator: BaseEstimator, X: pd.DataFrame, y: NDArray[np.str_]) -> str:
    """Return 32 hexadecimal digits for an estimator with its parameters, the columns it takes and their rows.

    Columns that the estimator does not take are left out, so that a member of a stack, which sees the table of all
    members, has the key of its own run.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in _words(estimator):
        digest.update(part.encode() + b"\0")
    for name in _taken(estimator, X):
        digest.update(str(name).encode() + b"\0")
        digest.update(_bytes(X[name]))
    digest.update("\n".join(map(str, X.index)).encode())
    digest.update("\n".join(map(str, y)).encode())
    return digest.hexdigest()


def _words(estimator: BaseEstimator) -> Iterable[str]:
    yield f"{type(estimator).__module__}.{type(estimator).__qualname__}"
    for name, value in sorted(estimator.get_params(deep=True).items()):
        if name.split("__")[-1] in {"folder", "n_jobs", "verbose", "progress"}:
            continue
        shown = type(value).__qualname__ if isinstance(value, BaseEstimator) else repr(value)
        # Containers of estimators (the steps of a pipeline) are spelt out by their own parameters.
        yield f"{name}={type(value).__name__ if isinstance(value, list) else shown}"
    yield from (f"{name} {version(name)}" for name in _LIBRARIES)


def _taken(estimator: BaseEstimator, X: pd.DataFrame) -> list[str]:
    from ser_experiments.models.grouping import GROUP, columns_taken

    names = set(columns_taken(estimator, X))
    return [name for name in X.columns if name in names or name == GROUP]


def _bytes(column: pd.Series) -> bytes:
    if column.dtype == object:
        return "\n".join(repr(cell) for cell in column).encode()
    values = column.to_numpy()
    return values.tobytes() if values.dtype.kind in "fiub" else "\n".join(map(str, values)).encode()


def _find(path: Path) -> BaseEstimator | None:
    if not path.is_file():
        return None
    try:
        return load_estimator(path)
    except InputError as error:
        log.warning("a remembered fit cannot be used and is made again: %s", error)
        return None


def _keep(fitted: BaseEstimator, path: Path) -> None:
    """Write the fit beside its name and move it there whole, so that nobody ever reads half of it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        os.close(handle)
        temporary = Path(name)
        try:
            save_estimator(fitted, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, InputError) as error:
        log.warning("a fit could not be remembered: %s", error)
