"""Whether an experiment suits what is to be predicted and how it is normalised, before anything is measured."""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.errors import InputError
from ser_experiments.experiment.definition import Experiment
from ser_experiments.experiment.estimator import fitted_on, single
from ser_experiments.models.pipeline import meaningless
from ser_experiments.models.spec import get_model
from ser_experiments.models.trial import try_out
from ser_experiments.task import Task


def check_task(experiment: Experiment, task: Task) -> None:
    """Refuse what does not fit the task, before anything is measured.

    Raises
    ------
    InputError
        An experiment, or a member of it, weighs classes by name and leaves one out, or has parameters that no fit
        takes.
    """
    for one in single(experiment):
        weights = _weights(one, task)
        missing = [name for name in task.targets if name not in weights] if isinstance(weights, Mapping) else []
        if missing:
            raise InputError(
                f"experiments/{one.name}.toml: model: class_weight has no {missing[0]!r}; every class needs a weight: "
                f"{', '.join(task.targets)}"
            )
        if not one.definition.members:
            try:
                model = one.definition.model
                try_out(model.type, model.params, task.targets, learns=fitted_on(task))
            except InputError as error:
                raise InputError(f"experiments/{one.name}.toml: {error}") from error


def _weights(experiment: Experiment, task: Task) -> object:
    """Return the weights of classes, where these mean something to the task."""
    model = experiment.definition.model
    unused = () if experiment.definition.members else meaningless(model.type, task.learns)
    return None if "class_weight" in unused else model.params.get("class_weight")


def unused_params(experiment: Experiment, task: Task) -> list[str]:
    """Say which parameters of a definition, or of its members, mean nothing to the task, one line each."""
    whose: dict[str, list[str]] = {}
    for one in single(experiment):
        model = one.definition.model
        unused = () if one.definition.members else meaningless(model.type, task.learns)
        for name in unused:
            if name in model.params:
                whose.setdefault(name, []).append(one.name)
    return [
        f"{name} (of {', '.join(dict.fromkeys(names))}) is about classes and is left out: {task.kind} have none"
        for name, names in whose.items()
    ]


def check_normalization(experiment: Experiment, mode: str) -> None:
    """Refuse to normalise by speaker what is to be taken as it is, before anything is measured.

    Raises
    ------
    InputError
        A family of the experiment, or of a member of it, takes its columns as they were measured.
    """
    for one in single(experiment):
        kind = one.definition.model.type
        if mode != "none" and not one.definition.members and not get_model(kind).takes_normalized:
            raise InputError(
                f"experiments/{one.name}.toml: model: {kind!r} takes its columns as they were measured; leave out "
                f"--normalize {mode}"
            )
