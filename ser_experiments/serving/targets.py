"""What a saved model predicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments.task import Task
from ser_experiments.tasks import task_of as known_task
from ser_experiments.tasks.classes import Classes


def task_of(meta: Mapping[str, Any], estimator: BaseEstimator) -> Task:
    """Return the task of a model; one that was saved before tasks were, predicts the classes that it was fitted on.

    Raises
    ------
    InputError
        The model is of a kind that this version does not know.
    """
    return Classes.of(estimator.classes_) if meta.get("task") is None else task_said(meta)


def task_said(meta: Mapping[str, Any]) -> Task:
    """Return the task that a ``model.json`` says; those of versions before tasks name classes alone."""
    said = meta.get("task")
    if said is None:
        return Classes.of(meta["classes"])
    return known_task(said["kind"], said["targets"])
