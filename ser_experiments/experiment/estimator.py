"""From an experiment to its unfitted scikit-learn estimator."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from ser_experiments.errors import InputError
from ser_experiments.experiment.definition import Experiment, load_experiment
from ser_experiments.experiment.lookup import ENDING
from ser_experiments.experiment.sections import Definition, Pipeline
from ser_experiments.features.extractor import get_extractors, get_measure, params_of, set_of
from ser_experiments.features.progress import Callback
from ser_experiments.features.views import on_view
from ser_experiments.features.wanted import fetch, resolved
from ser_experiments.files import path_of
from ser_experiments.models import ensemble, number_ensemble
from ser_experiments.models.pipeline import build_pipeline, require_probabilities
from ser_experiments.models.remember import Remembered
from ser_experiments.models.search_space import EACH, FEATURES, flat_space
from ser_experiments.models.shares import FromShares
from ser_experiments.models.spec import check_libraries, get_model
from ser_experiments.models.tuned import Tuned
from ser_experiments.task import Learns, Task

#: By what is learned, the kinds of ensembles that a definition with ``members`` can have as ``type``.
ENSEMBLES: Mapping[Learns, Mapping[str, type[BaseEstimator]]] = {
    "labels": ensemble.ENSEMBLES,
    "numbers": number_ensemble.ENSEMBLES,
}
#: What is learned by estimators of something else, and what is put around those to do it.
THROUGH: Mapping[Learns, tuple[Learns, Callable[[BaseEstimator, tuple[str, ...]], BaseEstimator]]] = {
    "shares": ("labels", FromShares),
}


def build_estimator(
    experiment: str | os.PathLike[str] | Experiment,
    *,
    seed: int = 0,
    from_table: bool = False,
    remember: Path | None = None,
    task: Task | None = None,
) -> BaseEstimator:
    """Build the estimator of an experiment.

    Parameters
    ----------
    experiment : str, path or Experiment
        The name of an experiment, the ``.toml`` file of one, or what :func:`load_experiment` returns.
    seed : int, default=0
        Seed of everything random in it.
    from_table : bool, default=False
        Take every column of the table instead of those of the experiment's feature sets (``--table FILE``).
    remember : Path, optional
        Where fits are kept and found again; it changes no number.
    task : Task, optional
        What is predicted; by default classes, whichever there are.

    Returns
    -------
    estimator
        Unfitted; ``fit(table, y, groups=speakers)`` takes a feature table, and the groups that inner folds keep apart.

    Raises
    ------
    InputError
        No such experiment, the model knows no such parameter or gives no probabilities, or the experiment names no
        feature set.

    Examples
    --------
    >>> from ser_experiments import build_estimator, feature_table, load_corpus
    >>> corpus = load_corpus("recordings/metadata.csv")
    >>> svm = build_estimator("svm_lld")
    >>> table = feature_table("lld", corpus)
    >>> fitted = svm.fit(table, corpus.utterances["label"], groups=corpus.utterances["speaker"])
    >>> fitted.classes_.tolist()
    ['angry', 'sad']
    """
    experiment = _read(experiment)
    learns = "labels" if task is None else fitted_on(task)
    estimator = _estimator(experiment, seed=seed, from_table=from_table, remember=remember, learns=learns)
    if task is None or task.learns not in THROUGH:
        return estimator
    _, around = THROUGH[task.learns]
    return around(estimator, task.targets)


def _read(said: str | os.PathLike[str] | Experiment) -> Experiment:
    if isinstance(said, Experiment):
        return said
    if not isinstance(said, str | os.PathLike):
        raise InputError(f"an experiment is a name, a file, or what load_experiment returns; got {type(said).__name__}")
    if isinstance(said, str) and not said.endswith(".toml"):
        return load_experiment(said)
    path = path_of(said)
    return load_experiment(path.stem, path.parent)


def fitted_on(task: Task) -> Learns:
    """Return what the estimators of a task are fitted on in the end."""
    learns, _ = THROUGH.get(task.learns, (task.learns, None))
    return learns


def _estimator(
    experiment: Experiment, *, seed: int, from_table: bool, remember: Path | None, learns: Learns
) -> BaseEstimator:
    """Build the estimator of an experiment, or of a member of one, that is fitted on labels or numbers."""
    definition = experiment.definition
    if definition.members:
        told: dict[str, Any] = {"seed": seed, "from_table": from_table, "remember": remember, "learns": learns}
        members = [(member.name, _estimator(member, **told)) for member in members_of(experiment)]
        return ENSEMBLES[learns][definition.model.type](members)
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
        "calibrate": definition.pipeline.said_calibrate,
        "random_state": seed,
        "learns": learns,
    }
    # What is not said is no part of a recipe, so that trials and fits of before are still known.
    if definition.pipeline.clip is not None:
        recipe["clip"] = definition.pipeline.clip
    if definition.features.augment:
        recipe["augment"] = definition.features.augment
    kept = None if remember is None else str(remember)
    try:
        check_libraries(definition.model.type)
        for name in recipe["sets"]:
            # What a set does not take is said now, and not when the corpus has been read.
            get_extractors(name, **params_of(name, definition.features.params))
        pipeline = build_pipeline(**recipe)
        require_probabilities(pipeline, definition.model.type)
        if definition.search is not None:
            space = _space(definition)
            pipeline = Tuned(recipe, space, definition.search.trials, definition.search.folds, seed, kept)
            pipeline.check_space()
    except InputError as error:
        raise InputError(f"experiments/{experiment.name}.toml: {error}") from error
    return Remembered(pipeline, kept)


def check_definition(experiment: Experiment, **told: Any) -> None:
    """Refuse a definition of which no estimator can be built, whatever is learned.

    Parameters
    ----------
    experiment : Experiment
        The definition.
    **told
        As for :func:`build_estimator`.

    Raises
    ------
    InputError
        What is wrong with it where classes are learned.
    """
    errors = []
    for learns in ENSEMBLES:
        try:
            _estimator(experiment, learns=learns, **told)
        except InputError as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def _searchable(definition: Definition) -> dict[str, Sequence[str]]:
    """Return what a search may change; calibration is no part of it, as it changes no prediction."""
    spec = get_model(definition.model.type)
    of_numbers = () if spec.regression is None else spec.regression.params()
    return {
        "model": list(dict.fromkeys([*spec.params(), *of_numbers])),
        "pipeline": [name for name in Pipeline.model_fields if name != "calibrate"],
        "features": [f"{name}.{param}" for name in _sets(definition) for param in _chosen_by(definition, name)],
    }


def _space(definition: Definition) -> dict[str, Any]:
    """Return what is searched; ``"each"`` of a feature set's parameter is every value that stands for one output."""
    if definition.search is None:
        return {}
    found = dict(flat_space(definition.search.space, _searchable(definition)))
    for name, values in found.items():
        if name.startswith(FEATURES):
            one, param = name.removeprefix(FEATURES).rsplit(".", 1)
            single = list(_chosen_by(definition, one)[param])
            found[name] = [each for value in values for each in (single if value == EACH else [value])]
    return found


def _sets(definition: Definition) -> list[str]:
    """Return the sets themselves that outputs are asked for by name."""
    return list(dict.fromkeys(set_of(name) for name in definition.features.sets))


def _chosen_by(definition: Definition, name: str) -> Mapping[str, tuple[object, ...]]:
    """Return the parameters of a set that choose among its outputs, with the values that stand for one."""
    return get_measure(name, **params_of(name, definition.features.params)).chooses


def _choices(definition: Definition) -> list[dict[str, dict[str, Any]]]:
    """Return the parameters of the sets: those of the definition, and each that a search may choose instead."""
    params = definition.features.params
    chosen = {name: values for name, values in _space(definition).items() if name.startswith(FEATURES)}
    found: list[dict[str, dict[str, Any]]] = [dict(params)]
    for values in product(*chosen.values()) if chosen else ():
        changed = dict(params)
        for name, value in zip(chosen, values, strict=True):
            one, param = name.removeprefix(FEATURES).rsplit(".", 1)
            changed[one] = {**changed.get(one, {}), param: value}
        found.append(changed)
    return found


def members_of(experiment: Experiment) -> list[Experiment]:
    """Read the definitions of an ensemble's members: the project's own before the shipped ones.

    Raises
    ------
    InputError
        A member is unknown, or an ensemble itself.
    """
    members = []
    folders = (experiment.folder, *experiment.then)
    for name in experiment.definition.members:
        if name.endswith(ENDING):
            raise InputError(f"{experiment.name}: members: {name!r} is a file; name the experiment, without {ENDING}")
        plain = load_experiment(name, folders)
        changes = experiment.overrides_of(plain.definition)
        member = load_experiment(name, folders, changes) if changes else plain
        if member.definition.members:
            raise InputError(
                f"experiments/{experiment.name}.toml: member {name!r} is an ensemble; name its members instead"
            )
        members.append(member)
    return members


def single(experiment: Experiment) -> list[Experiment]:
    """Return the experiments that measure and fit: the members of an ensemble, or the one itself."""
    return members_of(experiment) or [experiment]


def fetch_assets(experiment: Experiment, progress: Callback | None = None) -> None:
    """Fetch what the feature sets of an experiment or its members are made of and is not on this machine."""
    for one in single(experiment):
        features = one.definition.features
        try:
            fetch(features.sets, features.params, progress=progress)
        except InputError as error:
            raise InputError(f"experiments/{one.name}.toml: {error}") from error


def features_of(experiment: Experiment) -> dict[str, dict[str, object]]:
    """Return the outputs of feature sets that an experiment, or all its members, take, with their parameters.

    Raises
    ------
    InputError
        Two members want one output with different parameters.
    """
    found: dict[str, dict[str, object]] = {}
    for one in single(experiment):
        for params in _choices(one.definition):
            for name in one.definition.features.sets:
                _add(found, experiment, name, params_of(name, params))
    return found


def views_of(experiment: Experiment) -> dict[str, dict[str, object]]:
    """Return the outputs, as measured on views, that an experiment or its members train on, with their parameters."""
    found: dict[str, dict[str, object]] = {}
    for one in single(experiment):
        features = one.definition.features
        for params in _choices(one.definition) if features.augment else ():
            for view, name in product(features.augment, features.sets):
                _add(found, experiment, on_view(name, view), params_of(name, params))
    return found


def _add(found: dict[str, dict[str, object]], experiment: Experiment, name: str, params: Mapping[str, object]) -> None:
    for output, given in resolved(name, params).items():
        if found.setdefault(output, given) != given:
            raise InputError(f"experiments/{experiment.name}.toml: members want {output!r} with different parameters")
