"""Out-of-fold predictions: each outer fold is predicted by a model that saw the other groups alone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from joblib import delayed
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from ser_experiments.errors import SerError
from ser_experiments.evaluation.folds import Fold, Folds
from ser_experiments.evaluation.metrics import PROBABILITY
from ser_experiments.models.report import FitReport, members_of, report_of
from ser_experiments.parallel import ATTEMPTS, as_completed, chosen_workers, single_threaded, worker_lost_errors

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
    chances : ndarray of shape (n_test, n_classes)
        Probabilities of the tested rows, in the order of all classes.
    fit_s, predict_s : float
        Wall seconds.
    report : FitReport
        What the estimator tells of its fit: members' weights, what was reused.
    members : dict of str to ndarray of shape (n_test, n_classes)
        Of an ensemble, what each member alone says of the tested rows.
    """

    fold: Fold
    chances: NDArray[np.float64]
    fit_s: float
    predict_s: float
    report: FitReport = field(default_factory=FitReport)
    members: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


def cross_validate(
    estimator: BaseEstimator,
    table: pd.DataFrame,
    utterances: pd.DataFrame,
    folds: Folds,
    *,
    jobs: int | None = None,
    on_fold: Callable[[FoldResult], None] | None = None,
) -> tuple[pd.DataFrame, list[FoldResult]]:
    """Fit and predict every outer fold.

    Parameters
    ----------
    estimator : estimator
        Unfitted; cloned for each fold.
    table : DataFrame of shape (n_utterances, n_columns)
        The feature table, in the order of `utterances`; its column ``group`` is set to the groups of the folds.
    utterances : DataFrame
        With ``label``, ``speaker`` and ``session``.
    folds : Folds
        The outer folds.
    jobs : int, optional
        Processes; by default one a core. The numbers do not depend on it: each fit has one thread of numerics.
    on_fold : callable, optional
        Told of each finished fold, in the order of finishing.

    Returns
    -------
    predictions : DataFrame
        Indexed by utterance id: ``fold``, ``speaker``, ``session``, ``label``, ``group``, ``predicted`` (the most
        probable class) and a probability ``p_<class>`` for each class.
    results : list of FoldResult
        In the order of the folds.
    """
    classes = sorted(utterances["label"].unique())
    labels = utterances["label"].to_numpy(dtype=str)
    table = table.assign(group=folds.group.to_numpy(dtype=str))
    tell = on_fold or (lambda result: None)
    results: list[FoldResult] = []
    for result in _each_fold(estimator, table, labels, folds.folds, classes, jobs or os.cpu_count() or 1):
        results.append(result)
        tell(result)
    order = {fold.name: i for i, fold in enumerate(folds.folds)}
    results.sort(key=lambda result: order[result.fold.name])
    return _predictions(utterances, folds, results, classes), results


def member_predictions(
    utterances: pd.DataFrame, folds: Folds, results: Sequence[FoldResult]
) -> dict[str, pd.DataFrame]:
    """Return the out-of-fold predictions of each member of an ensemble, as :func:`cross_validate` returns its own."""
    classes = sorted(utterances["label"].unique())
    names = results[0].members if results else {}
    return {
        name: _predictions(utterances, folds, [replace(r, chances=r.members[name]) for r in results], classes)
        for name in names
    }


def _each_fold(
    estimator: BaseEstimator,
    table: pd.DataFrame,
    labels: NDArray[np.str_],
    folds: Sequence[Fold],
    classes: Sequence[str],
    jobs: int,
) -> Iterable[FoldResult]:
    """Fit folds here until one has shown what a fit costs, and the others in processes if that pays.

    A fold whose fit was remembered from an earlier run costs next to nothing and shows nothing.
    """
    rest = list(folds)
    jobs = chosen_workers() or jobs
    while rest:
        done = _one_fold(estimator, table, labels, rest.pop(0), classes)
        yield done
        fitted_here = not done.report.reused
        if fitted_here and jobs > 1 and (done.fit_s + done.predict_s) * len(rest) > _WORTH_WORKERS_S:
            break
    left = {fold.name: fold for fold in rest}
    for attempt in range(ATTEMPTS):
        if not left:
            break
        tasks = [delayed(_one_fold)(estimator, table, labels, fold, classes) for fold in left.values()]
        try:
            for done in as_completed(tasks, jobs):
                del left[done.fold.name]
                yield done
        except worker_lost_errors() as error:
            if attempt == ATTEMPTS - 1:
                raise SerError(f"workers of the cluster were lost again and again: {error}") from error
            log.warning("a worker was lost; the %d folds that are not finished are handed out again", len(left))


def _one_fold(
    estimator: BaseEstimator, table: pd.DataFrame, labels: NDArray[np.str_], fold: Fold, classes: Sequence[str]
) -> FoldResult:
    # One thread for each fit whatever the number of jobs, so that sums are taken in the same order.
    with threadpool_limits(limits=1):
        start = time.perf_counter()
        fitted = clone(estimator).fit(table.iloc[fold.train], labels[fold.train])
    with single_threaded():
        between = time.perf_counter()
        test = table.iloc[fold.test]
        chances = align(fitted.predict_proba(test), fitted.classes_, classes)
        end = time.perf_counter()
        alone = {name: member.predict_proba(test) for name, member in members_of(fitted).items()}
    members = {name: align(value, fitted.classes_, classes) for name, value in alone.items()}
    return FoldResult(fold, chances, between - start, end - between, report_of(fitted), members)


def align(chances: NDArray[np.floating], present: Sequence[str], classes: Sequence[str]) -> NDArray[np.float64]:
    """Put the probability columns of `present` classes among all `classes`; a class that is absent gets zero."""
    full = np.zeros((len(chances), len(classes)))
    full[:, [list(classes).index(c) for c in present]] = chances
    return full


def _predictions(
    utterances: pd.DataFrame, folds: Folds, results: Sequence[FoldResult], classes: Sequence[str]
) -> pd.DataFrame:
    chances = np.zeros((len(utterances), len(classes)))
    for result in results:
        chances[result.fold.test] = result.chances
    frame = utterances[["speaker", "session", "label"]].copy()
    frame.insert(0, "fold", folds.assignment())
    frame["group"] = folds.group
    frame["predicted"] = np.asarray(classes, dtype=str)[chances.argmax(axis=1)]
    for column, name in enumerate(classes):
        frame[PROBABILITY.format(name)] = chances[:, column]
    return frame
