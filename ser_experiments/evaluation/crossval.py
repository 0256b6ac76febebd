"""Out-of-fold predictions: each outer fold is predicted by a model that saw the other groups alone."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ser_experiments import doing
from ser_experiments.errors import SerError
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.rows import Rows
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.frames import Predictions
from ser_experiments.models.report import FitReport, members_of, report_of
from ser_experiments.parallel import (
    ATTEMPTS,
    as_completed,
    chosen_workers,
    one_thread,
    single_threaded,
    worker_lost_errors,
)

log = logging.getLogger(__name__)
#: Folds that take longer than this altogether are worth the start of worker processes.
_WORTH_WORKERS_S = 8.0


@dataclass(frozen=True)
class FoldResult:
    """What one outer fold gave.

    Parameters
    ----------
    fold : Fold
        Which.
    values : ndarray of shape (n_test, n_targets)
        What the model says of the tested rows, as the task asks for it: of classes, probabilities.
    fit_s, predict_s : float
        Wall seconds.
    worked_s : float
        Processor seconds of both, which other work on the machine does not lengthen.
    report : FitReport
        What the estimator tells of its fit: members' weights, what was reused.
    members : dict of str to ndarray of shape (n_test, n_targets)
        Of an ensemble, what each member alone says of the tested rows.
    score : float
        The task's primary score on the tested rows, whose heading is `title`; NaN before it is told, see below.
    pid : int
        The process that fitted it.
    n_done, n_folds : int
        Folds that are done, this one included, of how many.
    left_s : float
        Seconds left for the others, by what folds took that were fitted and how many run side by side; infinite
        while none was fitted.
    """

    fold: Fold
    values: NDArray[np.float64]
    fit_s: float
    predict_s: float
    worked_s: float = 0.0
    report: FitReport = field(default_factory=FitReport)
    members: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    score: float = math.nan
    title: str = ""
    pid: int = 0
    n_done: int = 0
    n_folds: int = 0
    left_s: float = math.inf


def cross_validate(
    estimator: BaseEstimator,
    rows: Rows,
    *,
    jobs: int | None = None,
    on_fold: Callable[[FoldResult], None] | None = None,
) -> tuple[Predictions, list[FoldResult]]:
    """Fit and predict every outer fold.

    Parameters
    ----------
    estimator : estimator
        Unfitted; cloned for each fold.
    rows : Rows
        Features, truth and folds.
    jobs : int, optional
        Processes; by default one a core. The numbers do not depend on it: each fit has one thread of numerics.
    on_fold : callable, optional
        Told of each finished fold, in the order of finishing, with its score.

    Returns
    -------
    predictions : Predictions
        Out of fold, one row an utterance that is tested.
    results : list of FoldResult
        In the order of the folds.
    """
    results: list[FoldResult] = []
    n_folds = len(rows.folds.folds)
    jobs = jobs or os.cpu_count() or 1
    doing.stage("folds", 0, n_folds)
    for result in _each_fold(estimator, rows, jobs):
        results.append(result)
        left_s = _left_s(results, n_folds, jobs)
        doing.stage("folds", len(results), n_folds, left_s=left_s)
        log.debug("fold %s: %s", result.fold.name, _HOW[result.report.reused])
        if on_fold is not None:
            one = _scored(rows, result)
            on_fold(replace(one, n_done=len(results), n_folds=n_folds, left_s=left_s))
    order = {fold.name: i for i, fold in enumerate(rows.folds.folds)}
    results.sort(key=lambda result: order[result.fold.name])
    return _predictions(rows, {result.fold.name: result.values for result in results}), results


def member_predictions(rows: Rows, results: Sequence[FoldResult]) -> dict[str, Predictions]:
    """Return the out-of-fold predictions of each member of an ensemble, as :func:`cross_validate` returns its own."""
    names = results[0].members if results else {}
    return {name: _predictions(rows, {r.fold.name: r.members[name] for r in results}) for name in names}


#: What is said of a fit: by :attr:`FitReport.reused`.
_HOW = {
    True: "the fit of an earlier run on the same rows with the same parameters is reused",
    False: "fitted: no fit of these rows with these parameters is kept",
    None: "fitted: fits of this model are not kept",
}


def _left_s(results: Sequence[FoldResult], n_folds: int, jobs: int) -> float:
    """Return the seconds that the other folds take, as those did that were fitted; several at a time if that pays."""
    fitted = [one for one in results if not one.report.reused]
    rest = n_folds - len(results)
    if not fitted:
        return math.inf
    each = sum(one.fit_s + one.predict_s for one in fitted) / len(fitted)
    worked = sum(one.worked_s for one in fitted) / len(fitted)
    spread = chosen_workers() is not None or worked * rest > _WORTH_WORKERS_S or results[-1].pid != os.getpid()
    side_by_side = (chosen_workers() or jobs) if spread else 1
    return each * math.ceil(rest / side_by_side)


def _scored(rows: Rows, result: FoldResult) -> FoldResult:
    """Return a fold with its score, where that is defined on so few rows."""
    test, task = result.fold.test, rows.task
    names, group = rows.folds.assignment().iloc[test], rows.folds.group.iloc[test]
    told = Predictions.make(rows.utterances.iloc[test], result.values, task, fold=names, group=group)
    score = get_score(task.primary)
    return replace(result, score=score.on(told).whole(), title=score.title)


def _each_fold(estimator: BaseEstimator, rows: Rows, jobs: int) -> Iterable[FoldResult]:
    """Fit folds here until one has shown what a fit costs, and the others in processes if that pays.

    A fold whose fit was remembered from an earlier run costs next to nothing and shows nothing.
    """
    rest = list(rows.folds.folds)
    jobs = chosen_workers() or jobs
    while rest:
        done = _one_fold(estimator, rows, rest.pop(0))
        yield done
        fitted_here = not done.report.reused
        if fitted_here and jobs > 1 and done.worked_s * len(rest) > _WORTH_WORKERS_S:
            break
    left = {fold.name: fold for fold in rest}
    for attempt in range(ATTEMPTS):
        if not left:
            break
        tasks = [delayed(_one_fold)(estimator, rows, fold) for fold in left.values()]
        try:
            for done in as_completed(tasks, jobs):
                del left[done.fold.name]
                yield done
        except worker_lost_errors() as error:
            if attempt == ATTEMPTS - 1:
                raise SerError(f"workers of the cluster were lost again and again: {error}") from error
            log.warning("a worker was lost; the %d folds that are not finished are handed out again", len(left))


def _one_fold(estimator: BaseEstimator, rows: Rows, fold: Fold) -> FoldResult:
    # One thread for each fit whatever the number of jobs, so that sums are taken in the same order.
    with doing.part(fold.name), one_thread():
        start, worked = time.perf_counter(), time.process_time()
        fitted = rows.fitted(estimator, fold.train)
    with single_threaded():
        between = time.perf_counter()
        test = rows.test(fold)
        values = rows.task.response(fitted, test)
        end, worked = time.perf_counter(), time.process_time() - worked
        alone = {name: rows.task.response(member, test) for name, member in members_of(fitted).items()}
    report = report_of(fitted)
    return FoldResult(fold, values, between - start, end - between, worked, report, alone, pid=os.getpid())


def _predictions(rows: Rows, by_fold: Mapping[str, NDArray[np.float64]]) -> Predictions:
    values = np.zeros((len(rows), len(rows.task.targets)))
    for fold in rows.folds.folds:
        values[fold.test] = by_fold[fold.name]
    # Under a partial protocol there are rows that no fold tests.
    tested = rows.folds.tested
    names, group = rows.folds.assignment()[tested], rows.folds.group[tested]
    return Predictions.make(rows.utterances[tested], values[tested], rows.task, fold=names, group=group)
