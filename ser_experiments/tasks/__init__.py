"""What can be predicted: each kind of task is one file, whose class is ``TASK``."""

from __future__ import annotations

from collections.abc import Iterable

from ser_experiments import plugins
from ser_experiments.errors import InputError, nearest
from ser_experiments.task import Task

PACKAGE = "ser_experiments.tasks"


def task_kinds() -> dict[str, type[Task]]:
    """Return the kinds of tasks by name."""
    return {module.TASK.kind: module.TASK for _, module in plugins.each(PACKAGE, "kind of task", holds="TASK")}


def task_of(kind: str, targets: Iterable[str]) -> Task:
    """Return a task by its kind and targets.

    Raises
    ------
    InputError
        This version does not know the kind.
    """
    kinds = task_kinds()
    if kind not in kinds:
        raise InputError(f"the kind of task {kind!r} is unknown here{nearest(kind, kinds)}")
    return kinds[kind](tuple(targets))


def task_of_columns(columns: Iterable[object]) -> Task | None:
    """Return the task that a table of predictions is of, as the names of its columns tell; None where none does.

    Where several kinds could be meant, it is the one that has a use for the most columns: a table of votes has all that
    one of classes has.
    """
    named = list(columns)
    found = [task for task in (kind.of_columns(named) for kind in task_kinds().values()) if task is not None]
    return max(found, key=lambda task: len({*task.truth_columns, *task.columns} & {*named}), default=None)
