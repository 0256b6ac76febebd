"""Score predictions: pooled over all rows, by fold or speaker, with intervals; every score of the folder takes part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ser_experiments import plugins
from ser_experiments.evaluation.intervals import Interval, jackknife
from ser_experiments.evaluation.score import Groups, GroupSums, Score
from ser_experiments.frames import FOLD, Predictions
from ser_experiments.task import Task

#: Where a score is one file.
SCORES = "ser_experiments.evaluation.scores"


def score_names() -> list[str]:
    """List the scores there are, without importing them."""
    return plugins.names(SCORES)


def get_score(name: str | Score) -> Score:
    """Return the score of a name; a score is returned as it is.

    Raises
    ------
    InputError
        No such score; the nearest name is given.
    """
    if isinstance(name, Score):
        return name
    score: Score = plugins.load(SCORES, name, "metric", holds="SCORE").SCORE
    return replace(score, name=name.replace("-", "_"))


def scores_of(task: Task, *, values: bool = True) -> list[Score]:
    """Return the scores that a kind of task has.

    Parameters
    ----------
    task : Task
        What is predicted.
    values : bool, default=True
        Whether there are numbers for every target; without them the scores that need some are left out.

    Returns
    -------
    list of Score
        The primary one first, those that need no numbers next, each part in alphabetical order.
    """
    every = [get_score(name) for name in score_names()]
    mine = [score for score in every if task.kind in score.kinds and (values or not score.needs_values)]
    return sorted(mine, key=lambda score: (score.name != task.primary, score.needs_values, score.name))


def chosen_score(predictions: Predictions, score: str | Score | None = None) -> Score:
    """Return a score by name, by default the primary one of what is predicted."""
    return get_score(predictions.task.primary if score is None else score)


def pooled(predictions: Predictions) -> dict[str, float]:
    """Score all rows together.

    Returns
    -------
    dict of str to float
        Every score, the primary one first, then their parts: ``recall_<class>``, ``precision_<class>``, ``f1_<class>``;
        of dimensions ``ccc_<dimension>`` and so on. A part that is not defined, such as the recall of a class without
        rows, is left out.
    """
    scores: dict[str, float] = {}
    parts: dict[str, float] = {}
    for score in scores_of(predictions.task, values=predictions.has_values):
        groups = score.on(predictions)
        scores[score.name] = groups.whole()
        if score.each is not None and isinstance(groups, GroupSums):
            named = zip(predictions.task.targets, groups.each(), strict=True)
            parts |= {f"{score.each.prefix}_{target}": float(value) for target, value in named if np.isfinite(value)}
    return scores | parts


def interval(predictions: Predictions, unit: str, score: str | Score | None = None) -> Interval:
    """Take the interval of a pooled score.

    Parameters
    ----------
    predictions : Predictions
        What is scored.
    unit : str
        The column of the groups: :func:`ser_experiments.frames.unit_column`.
    score : str or Score, optional
        By default the primary one.
    """
    return interval_of(chosen_score(predictions, score).on(predictions, unit))


def interval_of(groups: Groups) -> Interval:
    """Take the interval of a score over groups."""
    limits, scale = groups.score.limits, groups.score.scale
    return jackknife(groups.whole(), groups.without_each(), limits=limits, scale=scale)


def intervals(predictions: Predictions, unit: str) -> dict[str, Interval]:
    """Take the interval of every score; see :func:`interval`."""
    scores = scores_of(predictions.task, values=predictions.has_values)
    return {score.name: interval(predictions, unit, score) for score in scores}


def by(predictions: Predictions, column: str, scores: Sequence[str | Score] | None = None) -> pd.DataFrame:
    """Score each value of a column on its own.

    Parameters
    ----------
    predictions : Predictions
        What is scored.
    column : str
        E.g. ``"speaker"`` or ``"fold"``.
    scores : sequence of str or Score, optional
        By default the primary one.

    Returns
    -------
    DataFrame
        Indexed by the values in the order of appearance, one column a score by its name.
    """
    chosen = [get_score(one) for one in scores or [predictions.task.primary]]
    groups = [score.on(predictions, column) for score in chosen]
    table = pd.DataFrame({one.score.name: one.alone() for one in groups}, index=pd.Index(groups[0].names, name=column))
    return table.reindex(pd.unique(predictions.units(column)))


def per_fold(predictions: Predictions) -> pd.DataFrame:
    """Score each outer fold on its own, over the targets that it tests.

    Returns
    -------
    DataFrame
        Indexed by fold, in the order of appearance: ``fold_<score>`` of the scores that are given by fold (of classes
        ``fold_uar`` and ``fold_wa``), and ``n_test``.
    """
    scores = [one for one in scores_of(predictions.task, values=predictions.has_values) if one.by_fold]
    table = by(predictions, FOLD, scores).add_prefix("fold_")
    folds = pd.Series(predictions.units(FOLD))
    return table.assign(n_test=folds.value_counts().reindex(table.index).to_numpy())
