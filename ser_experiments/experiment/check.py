"""Check an experiment: does anything but the labels carry its score?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ser_experiments.errors import InputError
from ser_experiments.evaluation.permutation import Permutations, permute_within
from ser_experiments.experiment.result import Prepared
from ser_experiments.experiment.run import prepare, score

#: Fewer shuffles cannot give a p-value below 0.05.
FEWEST = 20


def check_experiment(
    name: str,
    *,
    permutations: int = FEWEST,
    jobs: int | None = None,
    seed: int = 0,
    on_score: Callable[[int, float], None] | None = None,
    **settings: Any,
) -> tuple[Prepared, Permutations]:
    """Run the tripwires, then score with true labels and with labels shuffled within speakers; nothing is logged.

    Parameters
    ----------
    name : str
        The experiment.
    permutations : int, default=20
        Shuffles, at least 20; each costs what the experiment costs.
    jobs : int, optional
        Processes; by default one a core.
    seed : int, default=0
        Of the estimator and of the shuffles.
    on_score : callable, optional
        Told ``(i, uar)``: 0 is the score with the true labels.
    **settings
        As for :func:`ser_experiments.experiment.run.run_experiment`.

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
    prepared = prepare(name, jobs=jobs, seed=seed, **settings)
    speakers = prepared.utterances["speaker"].to_numpy(dtype=str)
    labels = prepared.utterances["label"].to_numpy(dtype=str)
    if prepared.utterances.groupby("speaker")["label"].nunique().max() < 2:
        raise InputError("every speaker has one class only: labels cannot be shuffled within speakers, and a score "
                         "here cannot tell an emotion from a voice")  # fmt: skip
    tell = on_score or (lambda number, uar: None)
    true = score(prepared, jobs=jobs).metrics["uar"]
    tell(0, true)
    rng = np.random.default_rng(seed)
    shuffled = []
    for number in range(1, permutations + 1):
        uar = score(_labelled(prepared, permute_within(labels, speakers, rng)), jobs=jobs).metrics["uar"]
        shuffled.append(uar)
        tell(number, uar)
    return prepared, Permutations(true, shuffled, 1 / len(prepared.corpus.classes))


def _labelled(prepared: Prepared, labels: np.ndarray) -> Prepared:
    corpus = replace(prepared.corpus, utterances=prepared.utterances.assign(label=labels))
    return replace(prepared, corpus=corpus)
