"""What an experiment needs before anything is fitted, and what it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments.corpora import Corpus
from ser_experiments.evaluation.folds import Folds
from ser_experiments.evaluation.intervals import Interval
from ser_experiments.experiment.definition import Experiment
from ser_experiments.experiment.setting import Setting
from ser_experiments.features import Normalization
from ser_experiments.features.views import recorded
from ser_experiments.models.report import FitReport


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
    table_file : str or None
        Name of the file of a ready-made table.
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
    table_file: str | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    normalization: Normalization = field(default_factory=lambda: Normalization("none"))
    enrolled: Mapping[str, Sequence[str]] = field(default_factory=dict)
    facts: pd.DataFrame | None = None

    @property
    def features(self) -> str:
        """Name the feature sets, or the file of a ready-made table."""
        return ",".join(self.sets) if self.table_file is None else f"table:{self.table_file}"

    @property
    def recorded(self) -> pd.DataFrame:
        """Return the table without the views that are only trained on."""
        return self.table[recorded(self.table.columns)]

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
    reports : dict of str to FitReport
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
    reports: Mapping[str, FitReport] = field(default_factory=dict)
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
