"""What an experiment needs before anything is fitted, and what it gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments.corpora import Corpus
from ser_experiments.errors import InputError, nearest
from ser_experiments.evaluation.folds import Folds
from ser_experiments.evaluation.intervals import Interval
from ser_experiments.evaluation.plots import pictures_of
from ser_experiments.evaluation.rows import Rows
from ser_experiments.evaluation.scoring import get_score, scores_of
from ser_experiments.experiment.definition import Experiment
from ser_experiments.experiment.selection import Selection
from ser_experiments.experiment.setting import Setting
from ser_experiments.features import Normalization
from ser_experiments.features.measure import Measure
from ser_experiments.features.views import recorded
from ser_experiments.features.wanted import measures_of
from ser_experiments.frames import GROUP, Predictions
from ser_experiments.models.report import FitReport
from ser_experiments.shown import html, several
from ser_experiments.task import Task
from ser_experiments.words import in_one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Scores beside the primary one that a notebook shows at once.
_FIRST = 3


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

    def __repr__(self) -> str:
        return f"Prepared {self._of}: {several(len(self.utterances), 'utterance')}, {self.features}, nothing fitted"

    def _repr_html_(self) -> str:
        facts = {"features": self.features, "columns": self.recorded.shape[1], "changed": self.changes,
                 "skipped": len(self.skipped) or None}  # fmt: skip
        return html(f"Prepared {self._of}", {**self.selection.facts, **facts}, notes=self.remarks)

    @property
    def _of(self) -> str:
        return in_one_line(f"{self.experiment.name} on {self.setting.name}")

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
    judged : DataFrame
        What came true, by utterance, of what a model knows of its answers; see
        :func:`ser_experiments.evaluation.abstention.judged`.
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
    judged: pd.DataFrame = field(default_factory=pd.DataFrame)
    run_id: str | None = None
    experiment_id: str | None = None
    model_uri: str | None = None
    pending: bool = False
    link: str = ""

    def __repr__(self) -> str:
        title, value, around = self._score
        waits = "; part of the log waits for ser sync" if self.pending else ""
        return f"Result {self.prepared._of}: {title} {value:.3f} {around}{waits}"

    def _repr_html_(self) -> str:
        title, value, around = self._score
        unit, metrics = self.prepared.folds.unit, self.metrics
        others = {one.title: metrics[one.name] for one in scores_of(self.prepared.task) if one.name in metrics}
        others.pop(title, None)
        facts = {
            title: f"{value:.3f} {around}",
            **dict(list(others.items())[:_FIRST]),
            "utterances": len(self.predictions),
            "run": self.run_id or "not logged",
        }
        rows = self.folds.reset_index()
        notes = [*self.warnings, *(["part of the log waits for ser sync"] if self.pending else [])]
        names = [str(name) for name in rows.columns]
        more = html("", dict(list(others.items())[_FIRST:]), headings=names, rows=rows.to_numpy().tolist())
        told = html(self.prepared._of, facts, notes=notes)
        return f"{told}<details><summary>other scores, and fold by fold ({unit}s)</summary>{more}</details>"

    @property
    def _score(self) -> tuple[str, float, str]:
        """Return how the primary score is called, the score, and its interval in words."""
        name = self.prepared.task.primary
        unit = several(self.interval.n_groups, self.prepared.folds.unit)
        ends = f"[{self.interval.low:.3f}, {self.interval.high:.3f}] over {unit}"
        known = self.interval.low == self.interval.low
        return get_score(name).title, self.metrics[name], ends if known else f"over {unit}, too few for an interval"

    @property
    def pictures(self) -> list[str]:
        """Return what :meth:`plot` can draw, the names of the pictures that a run logs of its predictions.

        Examples
        --------
        >>> from ser_experiments import run_experiment
        >>> result = run_experiment("dummy", corpus="recordings/metadata.csv", log_run=False)
        >>> "confusion_matrix" in result.pictures
        True
        """
        return [PurePath(name).stem for name in pictures_of(self.scored)]

    def plot(self, name: str = "") -> Figure:
        """Draw a picture of the out-of-fold predictions.

        Parameters
        ----------
        name : str
            One of :attr:`pictures`; by default the first.

        Raises
        ------
        InputError
            There is no such picture of these predictions.

        Examples
        --------
        >>> from ser_experiments import run_experiment
        >>> result = run_experiment("dummy", corpus="recordings/metadata.csv", log_run=False)
        >>> result.plot("confusion_matrix").savefig("confusion.png")
        """
        made = {PurePath(path).stem: one for path, one in pictures_of(self.scored).items()}
        if name and name not in made:
            raise InputError(f"no picture {name!r} of these predictions{nearest(name, made)}")
        return made[name or next(iter(made))].draw(self.scored, self.prepared._of)

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
