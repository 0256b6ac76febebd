"""Every corpus trained on, every other one tested: a run for each ordered pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

from ser_experiments.corpora import Place, transfer
from ser_experiments.errors import InputError
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.experiment.definition import Experiment, load_experiment
from ser_experiments.experiment.estimator import features_of
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.run import run_experiment
from ser_experiments.experiment.selection import load, select
from ser_experiments.experiment.setting import Setting

if TYPE_CHECKING:
    from ser_experiments.project import Project
    from ser_experiments.tracking.backend import Backend, StoredRun


class Transfer(NamedTuple):
    """A cell of the matrix.

    Parameters
    ----------
    trained, tested : str
        The corpora, as they stand in the setting.
    score : str
        The primary score of the task.
    value, low, high : float
        Of the tested corpus, with its interval.
    chance : float
        What knowing nothing scores.
    run_id : str or None
        The run.
    earlier : bool
        Whether that run was there before.
    """

    trained: str
    tested: str
    score: str
    value: float
    low: float
    high: float
    chance: float
    run_id: str | None
    earlier: bool


def transfers(
    request: RunRequest,
    places: Sequence[Place],
    project: Project,
    *,
    store: Backend | None,
    again: bool = False,
    tell: Callable[[str], None] = lambda line: None,
    **how: Any,
) -> Iterator[Transfer]:
    """Run an experiment from each corpus to each other, in turn.

    Parameters
    ----------
    request : RunRequest
        The experiment, labels and whatever else; its corpora are those of each pair.
    places : sequence of Place
        At least two corpora.
    project : Project
        Where definitions, tables and runs lie.
    store : Backend, optional
        Where a finished run of the same rows, experiment, changes and seed is looked for; None runs everything.
    again : bool
        Run all of them, whatever is there.
    tell : callable
        Told what is begun.
    **how
        For :func:`ser_experiments.experiment.run_experiment`.

    Raises
    ------
    InputError
        Fewer than two corpora, or a pair that cannot be put together.
    """
    if len(places) < 2:
        raise InputError(f"a transfer needs at least two corpora, got {len(places)}")
    experiment = load_experiment(request.experiment, project.experiments, request.overrides)
    corpora = [
        load(replace(request, corpus=place.corpus, root=place.root), project, among_others=True) for place in places
    ]
    pairs = [
        replace(request, corpus=a.corpus, root=a.root, test_corpus=b.corpus, test_root=b.root)
        for a, b in permutations(places, 2)
    ]
    # All of them are put together first: a pair that has no class in common is better known before hours of work.
    cuts = [select(one, transfer(a, b)) for one, (a, b) in zip(pairs, permutations(corpora, 2), strict=True)]
    for one, cut in zip(pairs, cuts, strict=True):
        task, trained, tested = cut.corpus.task, cut.corpus.parts[0], cut.corpus.tested
        tell(f"{trained} to {tested}")
        earlier = None if store is None or again else _finished(store, experiment, cut.setting, one.seed)
        run = earlier or run_experiment(one, project=project, **how)
        metrics = run.metrics
        name = get_score(task.primary).name
        low, high = (metrics.get(f"{name}_ci_{end}", float("nan")) for end in ("low", "high"))
        yield Transfer(
            trained, tested, name, metrics[name], low, high, task.chance, run.run_id or None, earlier is not None
        )


def _finished(store: Backend, experiment: Experiment, setting: Setting, seed: int) -> StoredRun | None:
    """Return the latest run of the same rows, experiment, changes, seed and feature sets."""
    wanted = {
        "ser.rows": setting.rows,
        "ser.changes": experiment.changes,
        "ser.seed": str(seed),
        "ser.features": ",".join(features_of(experiment)),
    }
    for known in store.settings():
        for run in known.runs if known.name == setting.name else ():
            if run.name == experiment.name and wanted.items() <= run.tags.items():
                return run
    return None
