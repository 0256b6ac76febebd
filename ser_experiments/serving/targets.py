"""What a saved model predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError, nearest
from ser_experiments.task import Classes, Task


def task_of(meta: Mapping[str, Any], estimator: BaseEstimator) -> Task:
    """Return the task of a model; one that was saved before tasks were, predicts the classes that it was fitted on.

    Raises
    ------
    InputError
        The model is of a kind that this version does not know.
    """
    said = meta.get("task")
    if said is None:
        return Classes.of(estimator.classes_)
    kinds = {one.kind: one for one in Task.__subclasses__()}
    if said["kind"] not in kinds:
        raise InputError(f"the model predicts {said['kind']!r}, which is unknown here{nearest(said['kind'], kinds)}")
    return kinds[said["kind"]](tuple(said["targets"]))
