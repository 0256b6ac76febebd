"""From an experiment to its unfitted scikit-learn estimator."""

from __future__ import annotations

from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.experiment.definition import Experiment
from ser_experiments.models.pipeline import build_pipeline


def build_estimator(experiment: Experiment, *, seed: int = 0, from_table: bool = False) -> BaseEstimator:
    """Build the estimator of an experiment.

    Parameters
    ----------
    experiment : Experiment
        As :func:`load_experiment` returns it.
    seed : int, default=0
        Seed of everything random in it.
    from_table : bool, default=False
        Take every column of the table instead of those of the experiment's feature sets (``--table FILE``).

    Returns
    -------
    estimator
        Unfitted; takes a feature table with its ``group`` column.

    Raises
    ------
    InputError
        The model knows no such parameter, or the experiment names no feature set.
    """
    definition = experiment.definition
    if not definition.features.sets and not from_table:
        raise InputError(
            f"experiments/{experiment.name}.toml: features: no sets; add e.g. sets = ['lld'] or say --table"
        )
    try:
        return build_pipeline(
            definition.model.type,
            definition.model.params,
            sets=() if from_table else definition.features.sets,
            scale=definition.pipeline.scale,
            select=definition.pipeline.select,
            calibrate=definition.pipeline.calibrate,
            random_state=seed,
        )
    except InputError as error:
        raise InputError(f"experiments/{experiment.name}.toml: {error}") from error
