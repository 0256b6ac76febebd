"""Run an experiment: corpus, folds, table, out-of-fold predictions, scores, an MLflow run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sklearn.base import clone
from threadpoolctl import threadpool_limits

from ser_experiments import project
from ser_experiments.corpora import load_corpus
from ser_experiments.evaluation.crossval import FoldResult, cross_validate, member_predictions
from ser_experiments.evaluation.folds import make_folds
from ser_experiments.evaluation.intervals import uar_interval
from ser_experiments.evaluation.metrics import fold_metrics, pooled_metrics
from ser_experiments.evaluation.tripwires import check_leaks
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.experiment.estimator import build_estimator, features_of, views_of
from ser_experiments.experiment.report import log_result, note, tags, warnings_for
from ser_experiments.experiment.result import Prepared, Result
from ser_experiments.experiment.setting import enrol, setting_of, without
from ser_experiments.features import (
    feature_table,
    normalize_by_speaker,
    parse_normalization,
    read_table,
    survey,
)
from ser_experiments.features.storage import file_name
from ser_experiments.parallel import on_cluster

log = logging.getLogger(__name__)


def prepare(
    name: str,
    *,
    corpus: str = "demo",
    root: str | Path | None = None,
    labels: str | None = None,
    subset: str | None = None,
    protocol: str | None = None,
    n_splits: int = 5,
    normalize: str = "none",
    seed: int = 0,
    jobs: int | None = None,
    skip_bad: bool = False,
    table: str | Path | None = None,
    overrides: Sequence[str] | Mapping[str, object] = (),
    corpus_options: Mapping[str, object] | None = None,
    progress: Callable[..., None] | None = None,
) -> Prepared:
    """Load, check and measure everything, without fitting anything; see :func:`run_experiment`."""
    experiment = load_experiment(name, overrides=overrides)
    mode = parse_normalization(normalize)
    estimator = build_estimator(
        experiment, seed=seed, from_table=table is not None, remember=project.find().cache / "fits"
    )
    loaded = load_corpus(corpus, root, labels, subset=subset, **dict(corpus_options or {}))
    # Folds are cut before anything is measured: a protocol that cannot be held should not cost an extraction.
    cut = {"n_splits": n_splits, "shares_room": loaded.spec.shares_room}
    make_folds(enrol(loaded, mode)[0].utterances, protocol, **cut)  # type: ignore[arg-type]
    sets = features_of(experiment) if table is None else {}
    if table is None:
        wanted = sets | views_of(experiment)
        made = feature_table(
            list(wanted), loaded.utterances, params=wanted, jobs=jobs, skip_bad=skip_bad, progress=progress
        )
        facts = survey(loaded.utterances.loc[made.index], jobs=jobs)
    else:
        made = read_table(table, loaded.utterances)
        facts = None
    skipped = dict(made.attrs.get("skipped", {}))
    if skipped:
        loaded = without(loaded, skipped)
    speakers = loaded.utterances["speaker"]
    loaded, enrolled = enrol(loaded, mode)
    made = normalize_by_speaker(made, speakers, mode, enrolled)
    folds = make_folds(loaded.utterances, protocol, **cut)  # type: ignore[arg-type]
    facts = None if facts is None else facts.loc[made.index]
    check_leaks(folds, loaded.utterances, None if facts is None else facts["samples_digest"])
    made["group"] = folds.group.to_numpy(dtype=str)
    setting = setting_of(loaded, folds, str(mode))
    table_file = None if table is None else file_name(table)
    return Prepared(
        experiment, loaded, folds, setting, made, estimator, seed, sets, table_file, skipped, mode, enrolled, facts
    )


def score(
    prepared: Prepared, *, jobs: int | None = None, on_fold: Callable[[FoldResult], None] | None = None
) -> Result:
    """Fit and predict every outer fold and score the out-of-fold predictions; nothing is logged."""
    predictions, results = cross_validate(
        prepared.estimator, prepared.table, prepared.utterances, prepared.folds, jobs=jobs, on_fold=on_fold
    )
    folds = fold_metrics(predictions).loc[[r.fold.name for r in results]]
    folds["fit_s"] = [round(r.fit_s, 3) for r in results]
    interval = uar_interval(predictions, _unit_column(prepared))
    metrics = pooled_metrics(predictions, prepared.corpus.classes)
    metrics |= {"uar_ci_low": interval.low, "uar_ci_high": interval.high}
    metrics |= {"fold_uar_mean": float(folds["fold_uar"].mean()), "fold_uar_std": float(folds["fold_uar"].std())}
    reports = {r.fold.name: dict(r.report) for r in results}
    alone = member_predictions(prepared.utterances, prepared.folds, results)
    members = {name: pooled_metrics(found, prepared.corpus.classes) for name, found in alone.items()}
    said = warnings_for(prepared, metrics)
    return Result(prepared, metrics, interval, folds, predictions, said, reports, members)


def _unit_column(prepared: Prepared) -> str:
    # Of a session protocol the groups; speakers otherwise, also where partners were kept apart.
    return "group" if prepared.folds.unit == "session" else "speaker"


def run_experiment(
    name: str,
    *,
    log_run: bool = True,
    jobs: int | None = None,
    on_fold: Callable[[FoldResult], None] | None = None,
    scheduler: str | None = None,
    **settings: Any,
) -> Result:
    """Run an experiment and log it.

    Parameters
    ----------
    name : str
        A file of ``experiments/`` without ``.toml``.
    log_run : bool, default=True
        Whether to log to MLflow; without it only the result comes back, and no model is fitted on all rows.
    jobs : int, optional
        Processes for extraction and folds; by default one a core. Scores do not depend on it.
    on_fold : callable, optional
        Told of each finished fold.
    scheduler : str, optional
        Address of a Dask scheduler, by default ``DASK_SCHEDULER_ADDRESS``; without either, local processes are used.
        Scores do not depend on it.
    **settings
        ``corpus`` (``"demo"``), ``root``, ``labels``, ``subset``, ``protocol``, ``n_splits`` (5),
        ``normalize`` (``"none"``), ``seed`` (0),
        ``skip_bad`` (False), ``table`` (a ready-made CSV or Parquet), ``overrides`` (``["model.C=1"]``),
        ``corpus_options``, ``progress`` (told of measuring, e.g. a :class:`ser_experiments.features.ProgressBar`).

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
    """
    with on_cluster(scheduler):
        prepared = prepare(name, jobs=jobs, **settings)
        if not log_run:
            return score(prepared, jobs=jobs, on_fold=on_fold)
        return _logged(prepared, jobs, on_fold)


def _logged(prepared: Prepared, jobs: int | None, on_fold: Callable[[FoldResult], None] | None) -> Result:
    """Score and log, and fit the model on all rows."""
    from ser_experiments import tracking

    with tracking.start(
        project.find(),
        name=prepared.experiment.name,
        setting=prepared.setting.name,
        rows=prepared.setting.rows,
        tags=tags(prepared),
        note=note(prepared),
    ) as run:
        result = score(prepared, jobs=jobs, on_fold=on_fold)
        log.info("fitting the model for use on all %d utterances", len(prepared.table))
        with threadpool_limits(limits=1):
            fitted = clone(prepared.estimator).fit(prepared.table, prepared.utterances["label"].to_numpy(dtype=str))
        model_uri = log_result(run, result, fitted)
    told = replace(result, run_id=run.run_id, experiment_id=run.experiment_id, model_uri=model_uri)
    return replace(told, pending=run.away)
