"""Run an experiment: corpus, folds, table, out-of-fold predictions, scores, an MLflow run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator, clone
from threadpoolctl import threadpool_limits

from ser_experiments import project
from ser_experiments.corpora import Corpus, load_corpus
from ser_experiments.evaluation.crossval import FoldResult, cross_validate, member_predictions
from ser_experiments.evaluation.folds import Folds, make_folds
from ser_experiments.evaluation.intervals import Interval, uar_interval
from ser_experiments.evaluation.metrics import fold_metrics, pooled_metrics
from ser_experiments.evaluation.tripwires import check_leaks
from ser_experiments.experiment.definition import Experiment, load_experiment
from ser_experiments.experiment.estimator import build_estimator, features_of
from ser_experiments.experiment.report import log_result, note, tags, warnings_for
from ser_experiments.experiment.setting import Setting, enrol, setting_of, without
from ser_experiments.features import (
    Normalization,
    feature_table,
    normalize_by_speaker,
    parse_normalization,
    read_table,
    survey,
)
from ser_experiments.parallel import on_cluster

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """Everything an experiment needs before anything is fitted.

    Parameters
    ----------
    experiment : Experiment
        The definition.
    corpus : Corpus
        The utterances that are used, after bad recordings were left out.
    folds : Folds
        The outer folds; leak tripwires have passed.
    setting : Setting
        What the score may be compared with.
    table : DataFrame
        The feature table in the order of the utterances, with ``group``.
    estimator : estimator
        Unfitted.
    seed : int
        Seed of the estimator.
    sets : dict of str to dict
        Feature sets with their parameters; of an ensemble those of all members.
    table_file : Path or None
        Where a ready-made table came from.
    skipped : dict of str to str
        Bad recordings that were left out, and why.
    normalization : Normalization
        What was taken out by speaker.
    enrolled : dict of str to list of str
        Utterances by speaker that were given for it, and are neither trained on nor tested.
    facts : DataFrame or None
        Of the recordings: ``duration_s``, ``sample_rate``, ``rms_db`` and others; None with a ready-made table.
    """

    experiment: Experiment
    corpus: Corpus
    folds: Folds
    setting: Setting
    table: pd.DataFrame
    estimator: BaseEstimator
    seed: int
    sets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    table_file: Path | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    normalization: Normalization = field(default_factory=lambda: Normalization("none"))
    enrolled: Mapping[str, Sequence[str]] = field(default_factory=dict)
    facts: pd.DataFrame | None = None

    @property
    def features(self) -> str:
        """Name the feature sets, or the file of a ready-made table."""
        return ",".join(self.sets) if self.table_file is None else f"table:{self.table_file.name}"

    @property
    def utterances(self) -> pd.DataFrame:
        """Return the utterances of the corpus."""
        return self.corpus.utterances


@dataclass(frozen=True)
class Result:
    """What an experiment gave.

    Parameters
    ----------
    prepared : Prepared
        What went in.
    metrics : dict of str to float
        Pooled over all out-of-fold rows; ``uar`` first.
    interval : Interval
        Of the UAR, over the unit of the protocol.
    folds : DataFrame
        ``fold_uar``, ``fold_wa``, ``n_test``, ``fit_s`` by fold.
    predictions : DataFrame
        Out of fold, one row an utterance.
    warnings : list of str
        What must be said with the score.
    reports : dict of str to dict
        What the estimator of each fold tells of its fit: an ensemble's weights, what was reused.
    members : dict of str to dict of str to float
        Of an ensemble, the pooled metrics of each member alone.
    run_id, experiment_id, model_uri : str or None
        Of MLflow.
    pending : bool
        Whether the tracking store went away, so that part of the log waits for ``ser sync`` or the next run.
    """

    prepared: Prepared
    metrics: dict[str, float]
    interval: Interval
    folds: pd.DataFrame
    predictions: pd.DataFrame
    warnings: list[str]
    reports: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    run_id: str | None = None
    experiment_id: str | None = None
    model_uri: str | None = None
    pending: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return what ``ser run --json`` prints."""
        setting = self.prepared.setting
        return {
            "run_id": self.run_id,
            "experiment": self.prepared.experiment.name,
            "setting": setting.name,
            "corpus": setting.corpus,
            "labels": setting.labels,
            "subset": setting.subset,
            "protocol": setting.protocol,
            "normalize": setting.normalize,
            "rows": setting.rows,
            "seed": self.prepared.seed,
            "n_utterances": len(self.predictions),
            "n_groups": self.interval.n_groups,
            "interval_unit": self.prepared.folds.unit,
            "metrics": self.metrics,
            "members": {name: dict(metrics) for name, metrics in self.members.items()},
            "folds": self.folds.reset_index().to_dict(orient="records"),
            "warnings": self.warnings,
            "skipped": dict(self.prepared.skipped),
            "model_uri": self.model_uri,
            "pending": self.pending,
        }


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
        made = feature_table(
            list(sets), loaded.utterances, params=sets, jobs=jobs, skip_bad=skip_bad, progress=progress
        )
        facts = survey(loaded.utterances.loc[made.index], jobs=jobs)
    else:
        made = read_table(Path(table), loaded.utterances)
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
    table_file = None if table is None else Path(table)
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
        ``corpus_options``.

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
    from dataclasses import replace

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
        with threadpool_limits(limits=1):
            fitted = clone(prepared.estimator).fit(prepared.table, prepared.utterances["label"].to_numpy(dtype=str))
        model_uri = log_result(run, result, fitted)
    told = replace(result, run_id=run.run_id, experiment_id=run.experiment_id, model_uri=model_uri)
    return replace(told, pending=run.away)
