"""Check an experiment: does anything but the labels carry its score?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.evaluation.permutation import Permutations, permute_within
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.result import Prepared
from ser_experiments.experiment.run import Progress, prepare, score
from ser_experiments.project import Project

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
    """Run the tripwires, then score with true labels and with labels shuffled within speakers; nothing is logged.

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
        Fewer than 20 shuffles, or speakers that have one class each, so that there is nothing to shuffle.
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
    if utterances.groupby("speaker")[truth].nunique().max().max() < 2:
        raise InputError("every speaker has one class only: labels cannot be shuffled within speakers, and a score "
                         "here cannot tell an emotion from a voice")  # fmt: skip
    tell = on_score or (lambda number, value: None)
    primary = prepared.task.primary
    true = score(prepared, jobs=jobs).metrics[primary]
    tell(0, true)
    rng = np.random.default_rng(prepared.seed)
    speakers = utterances["speaker"].to_numpy(dtype=str)
    shuffled = []
    for number in range(1, permutations + 1):
        order = permute_within(np.arange(len(utterances)), speakers, rng)
        told = utterances.assign(**{column: utterances[column].to_numpy()[order] for column in truth})
        value = score(replace(prepared, rows=prepared.rows.told(told)), jobs=jobs).metrics[primary]
        shuffled.append(value)
        tell(number, value)
    return prepared, Permutations(true, shuffled, prepared.task.chance)
