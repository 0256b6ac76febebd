"""Audit an experiment: what is left of its score in noise, on telephones, in codecs, and for whom it is worse.

Each fold's model answers for speakers it has not heard, as in the run, once as they were recorded and once under each
condition. Nothing is trained on what is changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from ser_experiments import doing
from ser_experiments.audio.conditions import conditions
from ser_experiments.errors import InputError
from ser_experiments.evaluation.audited import Audited, Heard, Robustness, Spoke
from ser_experiments.evaluation.compare import paired_difference
from ser_experiments.evaluation.fairness import KNOWN_OF, PITCH, Fairness, fairness
from ser_experiments.evaluation.folds import Fold
from ser_experiments.evaluation.scoring import by, get_score, interval, pooled
from ser_experiments.experiment.estimator import views_of
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.result import Prepared
from ser_experiments.experiment.run import Progress, prepare
from ser_experiments.experiment.under import Under, clips_of, measured_under, pitch_of
from ser_experiments.features import normalize_by_speaker
from ser_experiments.features.extractor import AT
from ser_experiments.frames import GROUP, Predictions
from ser_experiments.parallel import one_thread
from ser_experiments.project import Project

#: Voices are grouped by the thirds of their median pitch.
_PITCHES = ("low", "middle", "high")
#: Told what was prepared and what is answered as recorded; what it raises ends the audit there.
OnHeard = Callable[[Prepared, Predictions], object]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    prepared : Prepared
        What was audited.
    scored : Predictions
        As recorded, out of fold.
    robustness : list of Robustness
        By condition.
    fairness : list of Fairness
        By what speakers are grouped by.
    speakers : DataFrame
        The primary score by speaker, the worst first.
    """

    prepared: Prepared
    scored: Predictions
    robustness: Sequence[Robustness]
    fairness: Sequence[Fairness]
    speakers: pd.DataFrame

    @property
    def score(self) -> float:
        """Return the primary score as recorded."""
        return pooled(self.scored)[self.scored.task.primary]

    @property
    def found(self) -> Audited:
        """Return what was found without what it was found with."""
        score, prepared = get_score(self.scored.task.primary), self.prepared
        ends, counts = interval(self.scored, "speaker"), pd.Series(self.scored.units("speaker")).value_counts()
        each = self.speakers.iloc[:, 0].items()
        return Audited(
            experiment=prepared.experiment.name,
            setting=prepared.setting.name,
            rows=prepared.setting.rows,
            metric=score.name,
            title=score.title,
            score=self.score,
            low=ends.low,
            high=ends.high,
            robustness=self.robustness,
            fairness=self.fairness,
            speakers=[Spoke(str(name), float(value), int(counts[str(name)])) for name, value in each],
            better=score.better,
            views=tuple(sorted({name.partition(AT)[2] for name in views_of(prepared.experiment)})),
            changes=prepared.changes,
            seed=str(prepared.seed),
        )

    @property
    def failed(self) -> list[str]:
        """Name what failed."""
        return self.found.failed


def audit(
    request: RunRequest,
    project: Project,
    *,
    wanted: Sequence[str] = (),
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
    heard: OnHeard = lambda prepared, scored: None,
) -> Audit:
    """Audit an experiment; nothing is logged.

    Parameters
    ----------
    request : RunRequest
        The experiment and its setting, as they were run: fits that are kept are taken.
    project : Project
        Where definitions, tables and fits lie.
    wanted : sequence of str
        Conditions, or kinds of them; by default all.
    tell : callable
        Told what is begun.
    progress : callable, optional
        Told of measuring.
    heard : callable
        Told what is answered as recorded, before anything else is listened to.

    Raises
    ------
    InputError
        The experiment cannot be audited: its features were made elsewhere, or voices were enrolled.
    """
    chosen = conditions(wanted)
    if request.table is not None:
        raise InputError("--table: features that were made elsewhere cannot be measured in noise; audit without it")
    prepared = prepare(request, project, progress=progress)
    if prepared.normalization.kind not in ("none", "speaker"):
        raise InputError(
            f"--normalize {prepared.normalization}: recordings that are enrolled are of no condition; "
            "audit as recorded or with --normalize speaker"
        )
    if prepared.setting.leaky:
        raise InputError(f"{prepared.setting.protocol} tests voices that were trained on; audit what tests new ones")
    jobs = request.jobs or os.cpu_count() or 1
    tell("as recorded")
    models = list(_fitted(prepared))
    scored = _answers(prepared, models, prepared.rows.table)
    heard(prepared, scored)
    clips = clips_of(prepared.utterances)
    robust = []
    for done, condition in enumerate(chosen):
        tell(condition.name)
        doing.stage("listening", done, len(chosen), note=condition.name)
        named = Heard(condition.name, condition.kind, condition.words)
        under = measured_under(condition, clips, prepared.sets, jobs)
        robust.append(_robust(prepared, models, scored, named, under))
    tell("pitch of the voices")
    doing.stage("listening to the pitch of the voices")
    found = [fairness(scored, name, groups) for name, groups in _groups(prepared, pitch_of(clips, jobs))]
    better = get_score(scored.task.primary).better
    speakers = by(scored, "speaker").sort_values(scored.task.primary, ascending=better > 0)
    return Audit(prepared, scored, robust, [one for one in found if one is not None], speakers)


def _fitted(prepared: Prepared) -> Iterator[tuple[Fold, BaseEstimator]]:
    """Yield each fold with its model."""
    folds = prepared.folds.folds
    for done, fold in enumerate(folds):
        doing.stage("fitting", done, len(folds), note=fold.name)
        with one_thread():
            fitted = prepared.rows.fitted(prepared.estimator, fold.train)
        yield fold, fitted


def _answers(prepared: Prepared, models: Sequence[tuple[Fold, BaseEstimator]], table: pd.DataFrame) -> Predictions:
    """Return out-of-fold answers on a table, which may lack rows that nothing was measured of."""
    rows, task = prepared.rows, prepared.task
    values = np.full((len(rows), len(task.targets)), np.nan)
    places = pd.Series(np.arange(len(rows)), index=rows.utterances.index)
    for fold, fitted in models:
        there = rows.utterances.index[fold.test].intersection(table.index, sort=False)
        if len(there):
            with one_thread():
                values[places[there]] = task.response(fitted, table.loc[there])
    known = np.isfinite(values).all(axis=1) & np.asarray(rows.folds.tested)
    fold_of, group = rows.folds.assignment()[known], rows.folds.group[known]
    return Predictions.make(rows.utterances[known], values[known], task, fold=fold_of, group=group)


def _robust(
    prepared: Prepared,
    models: Sequence[tuple[Fold, BaseEstimator]],
    scored: Predictions,
    condition: Heard,
    found: Under,
) -> Robustness:
    table = found.table
    if table.empty:
        raise InputError(f"{condition.name}: nothing can be measured of any recording")
    speakers = prepared.utterances["speaker"].loc[table.index]
    table = normalize_by_speaker(table, speakers, prepared.normalization, {})
    group = prepared.rows.table[GROUP].loc[table.index]
    under = _answers(prepared, models, table.assign(**{GROUP: group}))
    same = scored.rows(scored.frame.index.get_indexer(under.frame.index))
    task = scored.task
    stays = (
        (task.decided_codes(same.frame) == task.decided_codes(under.frame)).mean() if task.decided_columns else np.nan
    )
    return Robustness(
        condition,
        pooled(under)[task.primary],
        paired_difference(same, under, "speaker"),
        float(stays),
        len(found.failed),
    )


def _groups(prepared: Prepared, pitch: dict[str, float]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield what speakers are grouped by: what the corpus knows of them, and the pitch of their voices."""
    utterances = prepared.utterances
    for name in KNOWN_OF:
        if name in utterances:
            told = utterances.groupby(utterances["speaker"].astype(str))[name].agg(lambda one: str(one.iloc[0]))
            yield name, {str(key): value for key, value in told.items() if value not in ("", "nan", "None")}
    order = sorted(pitch, key=lambda speaker: pitch[speaker])
    yield PITCH, {one: _PITCHES[place * len(_PITCHES) // len(order)] for place, one in enumerate(order)}
