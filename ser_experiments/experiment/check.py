"""Check an experiment: does anything but the labels carry its score?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.permutation import Permutations, choose_shuffle
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.result import Prepared
from ser_experiments.experiment.run import Progress, prepare, score
from ser_experiments.project import Project

#: Shuffles that are drawn for one that can be scored.
_MOST_DRAWN = 1000
#: Fewer shuffles cannot give a p-value below 0.05.
FEWEST = 20


def check_experiment(
    request: RunRequest,
    project: Project,
    *,
    permutations: int = FEWEST,
    on_score: Callable[[int, float], None] | None = None,
    progress: Progress | None = None,
) -> tuple[Prepared, Permutations]:
    """Run the tripwires, then score with true labels and with shuffled ones; nothing is logged.

    Labels are shuffled within speakers. Where that moves hardly any, as with one clip a speaker, whole speakers
    exchange theirs.

    Parameters
    ----------
    request : RunRequest
        The experiment and its setting; its seed is that of the shuffles too.
    project : Project
        Where definitions and tables lie. Fits are not kept: nobody asks again for those of shuffled labels.
    permutations : int, default=20
        Shuffles, at least 20; each costs what the experiment costs.
    on_score : callable, optional
        Told ``(i, score)`` of the task's primary score: 0 is that with the true labels.
    progress : callable, optional
        Told of measuring.

    Returns
    -------
    prepared : Prepared
        What was checked; the tripwires have passed.
    found : Permutations
        The scores.

    Raises
    ------
    InputError
        Fewer than 20 shuffles, or no shuffle moves a third of the labels.
    LeakError
        A tripwire fired.
    """
    if permutations < FEWEST:
        raise InputError(f"--permutations must be at least {FEWEST}, got {permutations}: fewer give no p below 0.05")
    return check_prepared(
        prepare(request, project, remember=False, progress=progress),
        permutations=permutations,
        jobs=request.jobs,
        on_score=on_score,
    )


def check_prepared(
    prepared: Prepared,
    *,
    permutations: int = FEWEST,
    jobs: int | None = None,
    on_score: Callable[[int, float], None] | None = None,
) -> tuple[Prepared, Permutations]:
    """Check what is prepared already; see :func:`check_experiment`."""
    truth = list(prepared.task.truth_columns)
    utterances = prepared.utterances
    speakers = utterances["speaker"].to_numpy(dtype=str)
    # Rows of several columns are told apart by all of them.
    names = utterances[truth].astype(str).agg("\t".join, axis=1).to_numpy(dtype=str)
    shuffle = choose_shuffle(names, speakers, permutations)
    tell = on_score or (lambda number, value: None)
    primary = prepared.task.primary
    true = score(prepared, jobs=jobs).metrics[primary]
    tell(0, true)
    rng = np.random.default_rng(prepared.seed)
    example = {name: place for place, name in enumerate(names)}
    shuffled = []
    for number in range(1, permutations + 1):
        order = [example[name] for name in _drawn(shuffle.draw, names, speakers, rng, prepared.folds.folds)]
        told = utterances.assign(**{column: utterances[column].to_numpy()[order] for column in truth})
        value = score(replace(prepared, rows=prepared.rows.told(told)), jobs=jobs).metrics[primary]
        shuffled.append(value)
        tell(number, value)
    better = get_score(primary).better
    return prepared, Permutations(true, shuffled, prepared.task.chance, shuffle.how, shuffle.moved, better)


def _drawn(
    draw: Callable[..., NDArray[Any]],
    names: NDArray[np.str_],
    speakers: NDArray[np.str_],
    rng: np.random.Generator,
    folds: Sequence[Fold],
) -> NDArray[np.str_]:
    """Draw a shuffle under which every training side holds every class, if it does with the true labels."""
    every = len(np.unique(names))
    if any(len(np.unique(names[fold.train])) < every for fold in folds):
        return draw(names, speakers, rng)
    for _ in range(_MOST_DRAWN):
        found: NDArray[np.str_] = draw(names, speakers, rng)
        if all(len(np.unique(found[fold.train])) == every for fold in folds):
            return found
    raise InputError(
        "no shuffle of the labels left every training side with every class; check on more recordings of the rarest "
        "class, or choose --labels without it"
    )
