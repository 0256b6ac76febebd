"""Run an experiment: corpus, folds, table, out-of-fold predictions, scores, a logged run."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields as fields_of
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ser_experiments import doing
from ser_experiments import project as projects
from ser_experiments.corpora import meant, of_corpus
from ser_experiments.corpora._options import options_of
from ser_experiments.csvfile import write_csv
from ser_experiments.errors import StoreError
from ser_experiments.evaluation import abstention
from ser_experiments.evaluation.crossval import FoldResult, cross_validate, member_predictions
from ser_experiments.evaluation.rows import Rows
from ser_experiments.evaluation.scoring import intervals, per_fold, pooled
from ser_experiments.evaluation.tripwires import check_leaks
from ser_experiments.experiment.asked import kept_request
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.experiment.estimator import (
    build_estimator,
    check_definition,
    fetch_assets,
)
from ser_experiments.experiment.measured import Measured, Progress, measure
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.result import Prepared, Result
from ser_experiments.experiment.selection import Selection, load_setting, select, without
from ser_experiments.experiment.suited import check_normalization, check_task, unused_params
from ser_experiments.experiment.view import run_name, view
from ser_experiments.experiment.weights import weighed, weights_of
from ser_experiments.experiment.words import note, tags, warnings_for
from ser_experiments.features import measuring_cost, normalize_by_speaker
from ser_experiments.features.quality import qualities
from ser_experiments.features.storage import file_name
from ser_experiments.frames import unit_column
from ser_experiments.parallel import on_cluster, one_thread
from ser_experiments.tracking.backend import check_chosen
from ser_experiments.tracking.names import check_names

if TYPE_CHECKING:
    from ser_experiments.project import Project
    from ser_experiments.tracking import Backend

log = logging.getLogger(__name__)
OnFold = Callable[[FoldResult], None]


def prepare(
    request: RunRequest,
    project: Project,
    *,
    remember: bool = True,
    progress: Progress | None = None,
    ready: Callable[[], object] | None = None,
) -> Prepared:
    """Load, cut, measure and check everything, without fitting anything.

    Parameters
    ----------
    request : RunRequest
        What is wanted.
    project : Project
        Where definitions, tables and fits lie.
    remember : bool
        Whether fits are kept in the project's cache and taken from there.
    progress : callable, optional
        Told of measuring.
    ready : callable, optional
        Called when the request is known to be sound, before anything is measured; what it raises ends the run there.
    """
    log.debug("project %s, cache %s", project.folder, project.cache)
    doing.stage("reading the definition")
    experiment = load_experiment(request.experiment, project.experiments, request.overrides)
    ready_made = request.table is not None
    check_normalization(experiment, request.normalize)
    if not ready_made:
        fetch_assets(experiment, progress)
    kept_in = project.cache / "fits" if remember else None
    told: dict[str, Any] = {"seed": request.seed, "from_table": ready_made, "remember": kept_in}
    # What no task could be learned with is said before a corpus of hours is read.
    check_definition(experiment, **told)
    doing.stage("reading the corpus")
    corpus = load_setting(request, project)
    log.debug("corpus %s, labels %s: %d utterances", corpus.name, corpus.labels.name, len(corpus.utterances))
    estimator = build_estimator(experiment, task=corpus.task, **told)
    check_task(experiment, corpus.task)
    weights_of(corpus.utterances, request.weights)
    # Folds are cut before anything is measured: a protocol that cannot be held should not cost an extraction.
    selection = select(request, corpus)
    check_names(selection.setting.name, corpus.classes, (fold.name for fold in selection.folds.folds))
    log.debug("%d folds are cut: %s", len(selection.folds.folds), selection.folds.words)
    if ready is not None:
        doing.stage("opening the store")
        ready()
    doing.stage("looking up recordings")
    measured = measure(request, experiment, corpus.utterances, project, progress)
    if measured.skipped:
        corpus = without(corpus, measured.skipped)
        selection = select(request, corpus)
    doing.stage("checking for leaks")
    rows = _rows(selection, corpus.utterances["speaker"], measured, request.weights)
    notes = check_leaks(selection.folds, rows.utterances, **measured.traces(rows.utterances.index))
    return Prepared(
        experiment,
        selection,
        rows,
        estimator,
        request.seed,
        measured.sets,
        None if request.table is None else file_name(request.table),
        measured.skipped,
        measured.facts_of(rows.utterances.index),
        (
            *notes,
            *measured.notes,
            *unused_params(experiment, corpus.task),
            *weighed(rows.weights, request.weights),
            *(f"column {name!r} of the table was allowed, whatever it tells" for name in request.allow_columns),
        ),
        measuring_cost(measured.sets, project.cache),
        request.weights,
    )


def _rows(selection: Selection, speakers: pd.Series, measured: Measured, weights: str | None) -> Rows:
    """Take out the speaker and align."""
    corpus, folds = selection.corpus, selection.folds
    table = normalize_by_speaker(measured.table, speakers, selection.normalization, selection.enrolled)
    return Rows.align(table, corpus.utterances, folds, corpus.task, weights_of(corpus.utterances, weights))


def score(prepared: Prepared, *, jobs: int | None = None, on_fold: OnFold | None = None) -> Result:
    """Fit and predict every outer fold and score the out-of-fold predictions; nothing is logged."""
    predictions, results = cross_validate(prepared.estimator, prepared.rows, jobs=jobs, on_fold=on_fold)
    doing.stage("scoring")
    primary = predictions.task.primary
    folds = per_fold(predictions).loc[[r.fold.name for r in results]]
    folds["fit_s"] = [round(r.fit_s, 3) for r in results]
    ranges = intervals(predictions, unit_column(prepared.folds.unit))
    metrics = pooled(predictions)
    for part in prepared.selection.pooled:
        metrics[f"{primary}_in_{part}"] = pooled(predictions.rows(of_corpus(predictions.frame, part)))[primary]
    for name, interval in ranges.items():
        metrics |= interval.metrics(name)
    judged = abstention.judged(predictions)
    metrics |= abstention.means(judged, predictions)
    metrics |= {f"rater_{name}": value for name, value in prepared.selection.raters.items() if name in ranges}
    by_fold = folds[f"fold_{primary}"]
    metrics |= {f"fold_{primary}_mean": float(by_fold.mean()), f"fold_{primary}_std": float(by_fold.std())}
    # What is not defined, such as the AUROC of confidence where every answer is right, is no number.
    metrics = {name: value for name, value in metrics.items() if math.isfinite(value)}
    reports = {r.fold.name: r.report for r in results}
    alone = member_predictions(prepared.rows, results)
    members = {name: pooled(found) for name, found in alone.items()}
    said = warnings_for(prepared, metrics)
    return Result(prepared, metrics, ranges[primary], folds, predictions, said, reports, members, judged)


def run_experiment(
    experiment: str | Path | RunRequest,
    *,
    project: Project | None = None,
    log_run: bool = True,
    on_fold: OnFold | None = None,
    progress: Progress | None = None,
    **fields: Any,
) -> Result:
    """Run an experiment and log it.

    Parameters
    ----------
    experiment : str, path or RunRequest
        The name of an experiment, the ``.toml`` file of one, or everything that can be said of a run in one value.
    project : Project, optional
        Where definitions, tables and runs lie; by default the project of the current folder.
    log_run : bool, default=True
        Whether to log the run; without it only the result comes back, and no model is fitted on all rows.
    on_fold : callable, optional
        Told of each finished fold.
    progress : callable, optional
        Told of measuring: it takes a :class:`ser_experiments.features.Progress`.
    **fields
        With a name, the other fields of :class:`~ser_experiments.experiment.request.RunRequest`: ``corpus``
        (``"demo"``), ``root``, ``labels``, ``protocol``, ``normalize``, ``seed``, ``jobs``, ``overrides`` and so on;
        and the options of the corpus, such as a manifest's ``name``.

    Returns
    -------
    Result
        Metrics, intervals and out-of-fold predictions.

    Raises
    ------
    InputError
        Anything that was handed in and cannot be used; nothing was fitted.
    LeakError
        The test side of a fold is known to its training side.

    Examples
    --------
    >>> from ser_experiments import load_corpus, run_experiment
    >>> result = run_experiment("dummy", corpus="recordings/metadata.csv", log_run=False)
    >>> result
    Result dummy on recordings-as-is-leave-one-speaker-out: UAR 0.500 [0.500, 0.500] over 3 speakers
    >>> result.predictions.columns.tolist()[:3]
    ['fold', 'speaker', 'session']

    With changes, on a corpus in hand:

    >>> corpus = load_corpus("recordings/metadata.csv")
    >>> changed = run_experiment("logreg_lld", corpus=corpus, overrides={"model.C": 0.1}, log_run=False)
    >>> changed.metrics["uar"] >= 0.5
    True
    """
    request = experiment if isinstance(experiment, RunRequest) else _requested(experiment, fields)
    project = project or projects.find()
    if log_run:
        check_chosen()
    # A store that cannot take the run is better known before hours of work than after.
    store = lru_cache(partial(_opened, project))
    with on_cluster(request.scheduler):
        prepared = prepare(request, project, progress=progress, ready=store if log_run else None)
        if not log_run:
            return score(prepared, jobs=request.jobs, on_fold=on_fold)
        return _logged(prepared, project, request, on_fold, store())


def _opened(project: Project) -> Backend:
    from ser_experiments import tracking

    return tracking.open_store(project)


def _requested(experiment: str | Path, told: dict[str, Any]) -> RunRequest:
    """Return the request; what is no field of it and an option of the corpus is told to the corpus's reader."""
    known = {one.name for one in fields_of(RunRequest)}
    corpora = RunRequest(experiment=experiment, corpus=told.get("corpus", ())).corpora
    named = meant(corpora, told.get("root"))
    own = {option.keyword for name in named for option in options_of(name)} - known
    options = {**told.pop("corpus_options", {}), **{name: told.pop(name) for name in own & told.keys()}}
    return RunRequest(experiment=experiment, corpus_options=options, **told)


def _logged(
    prepared: Prepared, project: Project, request: RunRequest, on_fold: OnFold | None, store: Backend
) -> Result:
    """Score and log, and fit the model on all rows."""
    from ser_experiments import tracking
    from ser_experiments.experiment.record import describe

    here, asked = tracking.environment(project.folder), kept_request(request, project)
    with tracking.start(
        project,
        name=run_name(prepared),
        setting=prepared.setting.name,
        rows=prepared.setting.rows,
        tags=tags(prepared, here),
        note=note(prepared),
        view=view(prepared),
        backend=store,
    ) as run:
        result = score(prepared, jobs=request.jobs, on_fold=on_fold)
        with _kept(result, project, run.run_id):
            doing.stage(f"fitting the model for use on all {len(prepared.rows)} utterances")
            with one_thread():
                fitted = prepared.rows.fitted(prepared.estimator)
            heard = None if prepared.facts is None else qualities(prepared.utterances, cache=project.cache)
            doing.stage("logging")
            drawn = not request.no_pictures
            model_uri = run.log(describe(result, fitted, here, drawn=drawn, asked=asked, qualities=heard))
    told = replace(result, run_id=run.run_id, experiment_id=run.experiment_id, model_uri=model_uri)
    return replace(told, pending=run.away, link=_link(store, run.experiment_id))


def _link(store: Backend, setting_id: str) -> str:
    """Return where the runs of a setting are seen; "" of a store that has gone away, or has no pages."""
    try:
        return store.link(setting_id)
    except StoreError:
        return ""


@contextmanager
def _kept(result: Result, project: Project, run_id: str) -> Iterator[None]:
    """Keep scores and predictions on disk if what follows on them fails: they cost the folds."""
    try:
        yield
    except BaseException as error:
        folder = project.mlruns / "kept" / run_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_csv(result.predictions, folder / "predictions.csv")
            (folder / "result.json").write_text(json.dumps(result.as_dict(), indent=2, default=str), encoding="utf-8")
        except OSError as full:
            log.warning("the results could not be kept: %s", full)
        else:
            error.add_note(f"scores and predictions are kept in {folder}")
        raise
