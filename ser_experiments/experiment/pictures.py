"""The pictures and tables of a run that are nice to have: none of them may stop it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.model_selection import GroupKFold

from ser_experiments.evaluation.agreement import by_agreement
from ser_experiments.evaluation.importance import descriptors, permutation_importance
from ser_experiments.evaluation.mistakes import surely_wrong
from ser_experiments.evaluation.plots import (
    pictures_of,
    plot_choices,
    plot_importance,
    plot_layer_weights,
    plot_learning,
    plot_map,
    plot_spectrograms,
)
from ser_experiments.evaluation.scoring import get_score
from ser_experiments.evaluation.selective import coverage_by
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.grouping import groups_of
from ser_experiments.models.report import report_of
from ser_experiments.models.search_space import FEATURES
from ser_experiments.parallel import one_thread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ser_experiments.experiment.result import Result

#: A fold that took longer to fit is not fitted once more for a picture.
_REFIT_S = 3.0
#: Rows that are shuffled for importance, and what that may take: so many seconds, or this share of what the folds took.
_MOST_ROWS, _SHUFFLE_S, _SHARE_OF_FITS = 120, 0.75, 0.05

#: What a fit on all rows is called beside those of the folds: it is that of the model, and no score is of it.
ALL_ROWS = "all rows"
#: The feature set that is drawn as it is.
SPECTROGRAMS = "melspec"

Make = Callable[["Result", BaseEstimator], "Figure | pd.DataFrame | None"]


def pictures(
    result: Result, fitted: BaseEstimator, *, drawn: bool = True
) -> dict[str, Callable[[], Figure | pd.DataFrame | None]]:
    """Return what makes each picture of the predictions, and what :data:`MAKERS` has besides, when it is called.

    Parameters
    ----------
    result : Result
        The scored experiment.
    fitted : estimator
        Fitted on all rows.
    drawn : bool, default=True
        Whether pictures are wanted; without, tables alone are made.
    """
    title = _title(result)
    shown = {name: partial(one.draw, result.scored, title) for name, one in pictures_of(result.scored).items()}
    kind = result.prepared.task.kind
    made = {name: one.make for name, one in MAKERS.items() if not one.kinds or kind in one.kinds}
    others = {name: partial(make, result, fitted) for name, make in made.items()}
    every: dict[str, Callable[[], Figure | pd.DataFrame | None]] = {**shown, **others}
    return {name: make for name, make in every.items() if drawn or not name.endswith(".png")}


def _title(result: Result) -> str:
    return f"{result.prepared.experiment.name}, {result.prepared.setting.name}"


def _map(result: Result, fitted: BaseEstimator) -> Figure | None:
    numbers = result.prepared.recorded.select_dtypes("number")
    if numbers.shape[1] < 2:
        return None
    utterances = result.prepared.utterances
    return plot_map(numbers, result.prepared.task.strata(utterances), utterances["speaker"], _title(result))


def _importance(result: Result, fitted: BaseEstimator) -> Figure | None:
    """Shuffle on groups that were held out; where one more fit would take long, on rows that were fitted."""
    prepared = result.prepared
    if len(descriptors(list(prepared.recorded.columns))) < 2:
        return None
    truth = prepared.rows.truth
    groups = groups_of(prepared.rows.table)
    rows, model = np.arange(len(truth)), fitted
    how = "on rows it was fitted on: what it relies on, not what generalises"
    with one_thread():
        if float(result.folds["fit_s"].median()) <= _REFIT_S:
            train, rows = next(GroupKFold(min(3, len(np.unique(groups)))).split(rows, groups=groups))
            model = prepared.rows.fitted(prepared.estimator, train)
            how = f"on {len(np.unique(groups[rows]))} held-out {prepared.folds.unit}s"
        if len(rows) > _MOST_ROWS:
            rows = np.sort(np.random.default_rng(0).choice(rows, _MOST_ROWS, replace=False))
        score = get_score(prepared.task.finest)
        tested = prepared.utterances.iloc[rows]
        budget_s = max(_SHUFFLE_S, _SHARE_OF_FITS * float(result.folds["fit_s"].sum()))
        recorded = prepared.recorded.iloc[rows]
        found = permutation_importance(model, recorded, tested, prepared.task, score=score, budget_s=budget_s)
    if (found["worse"] == 0).all():
        return None
    return plot_importance(found, _title(result), how, score)


def history(fitted: BaseEstimator) -> list[Mapping[str, float]]:
    """Return what a network tells of its epochs; nothing of other models."""
    return list(report_of(fitted).history)


def _learning(result: Result, fitted: BaseEstimator) -> Figure | None:
    rows = history(fitted)
    if not rows:
        return None
    return plot_learning(rows, f"{_title(result)}, fitted on all rows", report_of(fitted).best_epoch)


def layer_weights(result: Result, fitted: BaseEstimator) -> dict[str, Mapping[str, float]]:
    """Return the weights that networks gave to layers, by fold and then of the fit on all rows; nothing of others."""
    found = {**result.reports, ALL_ROWS: report_of(fitted)}
    return {fold: report.layer_weights for fold, report in found.items() if report.layer_weights}


def _layers(result: Result, fitted: BaseEstimator) -> Figure | None:
    found = layer_weights(result, fitted)
    if ALL_ROWS not in found:
        return None
    return plot_layer_weights(found.pop(ALL_ROWS), found, _title(result))


def _layer_table(result: Result, fitted: BaseEstimator) -> pd.DataFrame | None:
    found = layer_weights(result, fitted)
    return pd.DataFrame(found).T.rename_axis("fold") if found else None


def _choices(result: Result, fitted: BaseEstimator) -> Figure | None:
    """Show what the inner folds thought of each choice among a feature set's outputs, such as the layers."""
    searches = [report.search for report in result.reports.values() if report.search is not None]
    named = [name for search in searches for name in search.best_params if name.startswith(FEATURES)]
    if not named:
        return None
    chosen = [(one.trials, one.best_params) for one in searches]
    return plot_choices(chosen, named[0], _title(result), get_score(searches[0].metric))


def _spectrograms(result: Result, fitted: BaseEstimator) -> Figure | None:
    """Take of each class, or part of the scale, the utterance of middling length."""
    prepared = result.prepared
    if SPECTROGRAMS not in prepared.table:
        return None
    extractor = get_extractor(SPECTROGRAMS, **prepared.sets[SPECTROGRAMS])
    examples = {}
    for name, cells in prepared.table[SPECTROGRAMS].groupby(prepared.task.strata(prepared.utterances)):
        order = sorted(cells.index, key=lambda utterance: len(cells[utterance]))
        middle = order[len(order) // 2]
        examples[str(name)] = (str(middle), np.asarray(cells[middle]))
    hop_s = float(extractor.params["hop_ms"]) / 1000  # type: ignore[arg-type]
    return plot_spectrograms(examples, _title(result), hop_s=hop_s, top_hz=extractor.sample_rate / 2)


def _mistakes(result: Result, fitted: BaseEstimator) -> pd.DataFrame:
    return surely_wrong(result.scored)


def _coverage(result: Result, fitted: BaseEstimator) -> pd.DataFrame:
    return coverage_by(result.scored)


def _agreement(result: Result, fitted: BaseEstimator) -> pd.DataFrame | None:
    """Score by how far raters agree, where it is known."""
    votes = result.prepared.corpus.labels.counts(result.prepared.utterances.loc[result.predictions.index])
    return None if votes is None else by_agreement(result.scored, votes.to_numpy())


class Maker(NamedTuple):
    """What makes one artifact, and the kinds of tasks that it is for; none means all."""

    make: Make
    kinds: tuple[str, ...] = ()


#: What is logged besides the pictures of the predictions, by the name of its artifact.
MAKERS: dict[str, Maker] = {
    "plots/table_map.png": Maker(_map),
    "plots/importance.png": Maker(_importance),
    "plots/choices.png": Maker(_choices),
    "plots/learning_curves.png": Maker(_learning),
    "plots/melspec.png": Maker(_spectrograms),
    "plots/layer_weights.png": Maker(_layers),
    "layer_weights.csv": Maker(_layer_table),
    "by_agreement.csv": Maker(_agreement),
    "surely_wrong.csv": Maker(_mistakes, kinds=("classes",)),
    "coverage_by_speaker.csv": Maker(_coverage, kinds=("classes",)),
}
