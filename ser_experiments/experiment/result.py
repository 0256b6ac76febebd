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
from ser_experiments.evaluation.rows import Rows
from ser_experiments.experiment.definition import Experiment
from ser_experiments.experiment.selection import Selection
from ser_experiments.experiment.setting import Setting
from ser_experiments.features import Normalization
from ser_experiments.features.measure import Measure
from ser_experiments.features.views import recorded
from ser_experiments.features.wanted import measures_of
from ser_experiments.frames import GROUP, Predictions
from ser_experiments.models.report import FitReport
from ser_experiments.task import Task


@dataclass(frozen=True)
class Prepared:
    """Everything an experiment needs before anything is fitted; leak tripwires have passed.

    Parameters
    ----------
    experiment : Experiment
        The definition.
    selection : Selection
        Corpus, folds and normalisation, after bad recordings were left out.
    rows : Rows
        Features, truth and folds of its utterances, aligned.
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
    facts : DataFrame or None
        Of the recordings: ``duration_s``, ``sample_rate``, ``rms_db`` and others; None with a ready-made table.
    notes : tuple of str
        What preparing found and must be said with the score.
    measuring_ms : float or None
        Milliseconds of measuring a second of audio.
    weights : str or None
        What rows weigh in training: ``agreement``, or all the same.
    """

    experiment: Experiment
    selection: Selection
    rows: Rows
    estimator: BaseEstimator
    seed: int = 0
    sets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    table_file: str | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)
    facts: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    measuring_ms: float | None = None
    weights: str | None = None

    @property
    def changes(self) -> str:
        """Return in one line what makes the run another than the definition's own."""
        said = [self.experiment.changes, f"--weights {self.weights}" if self.weights else ""]
        return "; ".join(one for one in said if one)

    @property
    def features(self) -> str:
        """Name the feature sets, or the file of a ready-made table."""
        return ",".join(self.sets) if self.table_file is None else f"table:{self.table_file}"

    @property
    def measures(self) -> Mapping[str, Measure]:
        """Return the measures of the feature sets by set; none with a ready-made table."""
        return measures_of(self.sets)

    @property
    def recorded(self) -> pd.DataFrame:
        """Return the table without the views that are only trained on."""
        return self.table[recorded(self.table.columns)]

    @property
    def task(self) -> Task:
        """Return what is predicted."""
        return self.rows.task

    @property
    def table(self) -> pd.DataFrame:
        """Return the feature table in the order of the utterances: numbers and arrays, and nothing of who speaks.

        What estimators are fitted on, with what folds keep apart in ``group``, is ``rows.table``.
        """
        return self.rows.table.drop(columns=GROUP, errors="ignore")

    @property
    def remarks(self) -> list[str]:
        """Return what is to be known of the rows, one line each: of the corpus, its labels, and the recordings."""
        return [*self.corpus.notes, *self.corpus.left_out.lines, *self.notes]

    @property
    def utterances(self) -> pd.DataFrame:
        """Return the utterances that are trained on and tested."""
        return self.rows.utterances

    @property
    def folds(self) -> Folds:
        """Return the outer folds."""
        return self.rows.folds

    @property
    def corpus(self) -> Corpus:
        """Return the corpus of the utterances."""
        return self.selection.corpus

    @property
    def setting(self) -> Setting:
        """Return what the score may be compared with."""
        return self.selection.setting

    @property
    def normalization(self) -> Normalization:
        """Return what was taken out by speaker."""
        return self.selection.normalization

    @property
    def enrolled(self) -> Mapping[str, Sequence[str]]:
        """Return the utterances by speaker that were given for it, neither trained on nor tested."""
        return self.selection.enrolled


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
    scored : Predictions
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
    link : str
        Where the runs of the setting are seen, on a tracking server.
    """

    prepared: Prepared
    metrics: dict[str, float]
    interval: Interval
    folds: pd.DataFrame
    scored: Predictions
    warnings: list[str]
    reports: Mapping[str, FitReport] = field(default_factory=dict)
    members: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    run_id: str | None = None
    experiment_id: str | None = None
    model_uri: str | None = None
    pending: bool = False
    link: str = ""

    @property
    def predictions(self) -> pd.DataFrame:
        """Return the out-of-fold predictions as a table."""
        return self.scored.frame

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
            "left_out": self.prepared.corpus.left_out.as_dict(),
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
