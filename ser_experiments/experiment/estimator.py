"""From an experiment to its unfitted scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.experiment.definition import Definition, Experiment, Pipeline, load_experiment
from ser_experiments.features.extractor import get_extractor, params_of
from ser_experiments.features.views import on_view
from ser_experiments.models.ensemble import ENSEMBLES
from ser_experiments.models.pipeline import build_pipeline, require_probabilities
from ser_experiments.models.remember import Remembered
from ser_experiments.models.search_space import flat_space
from ser_experiments.models.spec import get_model
from ser_experiments.models.tuned import Tuned
from ser_experiments.task import Task


def build_estimator(
    experiment: Experiment, *, seed: int = 0, from_table: bool = False, remember: Path | None = None
) -> BaseEstimator:
    """Build the estimator of an experiment.

    Parameters
    ----------
    experiment : Experiment
        As :func:`load_experiment` returns it.
    seed : int, default=0
        Seed of everything random in it.
    from_table : bool, default=False
        Take every column of the table instead of those of the experiment's feature sets (``--table FILE``).
    remember : Path, optional
        Where fits are kept and found again; it changes no number.

    Returns
    -------
    estimator
        Unfitted; takes a feature table with its ``group`` column.

    Raises
    ------
    InputError
        The model knows no such parameter or gives no probabilities, or the experiment names no feature set.
    """
    definition = experiment.definition
    if definition.members:
        members = [
            (member.name, build_estimator(member, seed=seed, from_table=from_table, remember=remember))
            for member in members_of(experiment)
        ]
        return ENSEMBLES[definition.model.type](members)
    if not definition.features.sets and not from_table:
        raise InputError(
            f"experiments/{experiment.name}.toml: features: no sets; add e.g. sets = ['lld'] or say --table"
        )
    if definition.features.augment and from_table:
        raise InputError(
            f"experiments/{experiment.name}.toml: features: augment needs recordings; a ready-made table has no views "
            "of them: leave out --table, or say --set features.augment=[]"
        )
    recipe: dict[str, Any] = {
        "model": definition.model.type,
        "params": definition.model.params,
        "sets": () if from_table else definition.features.sets,
        "set_params": {} if from_table else definition.features.params,
        "scale": definition.pipeline.scale,
        "select": definition.pipeline.select,
        "balance": definition.pipeline.balance,
        "calibrate": definition.pipeline.calibrate,
        "random_state": seed,
    }
    if definition.features.augment:
        recipe["augment"] = definition.features.augment
    kept = None if remember is None else str(remember)
    try:
        for name in recipe["sets"]:
            # What a set does not take is said now, and not when the corpus has been read.
            get_extractor(name, **params_of(name, definition.features.params))
        pipeline = build_pipeline(**recipe)
        require_probabilities(pipeline, definition.model.type)
        if definition.search is not None:
            space = dict(flat_space(definition.search.space, _searchable(definition)))
            pipeline = Tuned(recipe, space, definition.search.trials, definition.search.folds, seed, kept)
            pipeline.check_space()
    except InputError as error:
        raise InputError(f"experiments/{experiment.name}.toml: {error}") from error
    return Remembered(pipeline, kept)


def _searchable(definition: Definition) -> dict[str, Sequence[str]]:
    """Return what a search may change; calibration is no part of it, as it changes no prediction."""
    return {
        "model": get_model(definition.model.type).params(),
        "pipeline": [name for name in Pipeline.model_fields if name != "calibrate"],
    }


def members_of(experiment: Experiment) -> list[Experiment]:
    """Read the definitions of an ensemble's members, from the folder that its own lies in.

    Raises
    ------
    InputError
        A member is unknown, or an ensemble itself.
    """
    members = []
    for name in experiment.definition.members:
        member = load_experiment(name, experiment.folder)
        if member.definition.members:
            raise InputError(
                f"experiments/{experiment.name}.toml: member {name!r} is an ensemble; name its members instead"
            )
        members.append(member)
    return members


def check_task(experiment: Experiment, task: Task) -> None:
    """Refuse what does not fit the task, before anything is measured.

    Raises
    ------
    InputError
        An experiment, or a member of it, weighs classes by name and leaves one out.
    """
    for one in members_of(experiment) or [experiment]:
        weights = one.definition.model.params.get("class_weight")
        missing = [name for name in task.targets if name not in weights] if isinstance(weights, Mapping) else []
        if missing:
            raise InputError(
                f"experiments/{one.name}.toml: model: class_weight has no {missing[0]!r}; every class needs a weight: "
                f"{', '.join(task.targets)}"
            )


def features_of(experiment: Experiment) -> dict[str, dict[str, object]]:
    """Return the feature sets of an experiment, or of all members, with their parameters.

    Raises
    ------
    InputError
        Two members want one set with different parameters.
    """
    found: dict[str, dict[str, object]] = {}
    for one in members_of(experiment) or [experiment]:
        features = one.definition.features
        for name in features.sets:
            params = dict(params_of(name, features.params))
            if found.setdefault(name, params) != params:
                raise InputError(f"experiments/{experiment.name}.toml: members want {name!r} with different parameters")
    return found


def views_of(experiment: Experiment) -> dict[str, dict[str, object]]:
    """Return the sets, as measured on views, that an experiment or its members train on, with their parameters."""
    found: dict[str, dict[str, object]] = {}
    for one in members_of(experiment) or [experiment]:
        features = one.definition.features
        for view in features.augment:
            found |= {on_view(name, view): dict(params_of(name, features.params)) for name in features.sets}
    return found
