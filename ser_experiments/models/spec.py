"""What a model is: a function that builds one scikit-learn estimator for a feature table.

Each file of :mod:`ser_experiments.models.zoo` holds one family as ``SPEC = ModelSpec(...)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sklearn.base import BaseEstimator

from ser_experiments import plugins

ZOO = "ser_experiments.models.zoo"


@dataclass(frozen=True)
class ModelSpec:
    """One family of models.

    Parameters
    ----------
    build : callable
        ``build(**params)`` returns the bare, unfitted classifier: scikit-learn's contract, string labels accepted,
        ``predict_proba`` in the order of ``classes_``. Row models take a 2-D float array, array models a sequence
        of arrays of shape (n_frames, n_columns).
    params : callable
        Returns the names that ``build`` accepts.
    layout : {"row", "array"}
        What it takes: functionals, or one array over time an utterance.
    reads_group : bool
        Whether the classifier wants the table as a DataFrame that still holds the ``group`` column, to hold out
        groups of the training rows itself (early stopping). It must drop the column and do without it.
    trusted_types : sequence of str
        The types, besides skops's own, that a saved model of this family holds. Constant: a file never adds to it.
    """

    build: Callable[..., BaseEstimator]
    params: Callable[[], Sequence[str]]
    layout: Literal["row", "array"] = "row"
    reads_group: bool = False
    trusted_types: tuple[str, ...] = ()


def model_names() -> list[str]:
    """List the families there are, without importing them."""
    return plugins.names(ZOO)


def get_model(name: str) -> ModelSpec:
    """Return the family of that name.

    Raises
    ------
    InputError
        No such family; the nearest name is given.
    """
    spec: ModelSpec = plugins.load(ZOO, name, "model", holds="SPEC").SPEC
    return spec
