"""What a new speaker's clips are worth: one experiment's score by how many clips each speaker gives.

Every step is scored on the same recordings: each is normalised by K others of its speaker, in training as in testing,
so that nothing but the clips that are given changes from step to step. Which ones are given is drawn several times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.evaluation.compare import Difference, difference
from ser_experiments.evaluation.crossval import cross_validate
from ser_experiments.evaluation.score import GroupMeans
from ser_experiments.evaluation.scoring import get_score, interval_of
from ser_experiments.experiment.definition import load_experiment
from ser_experiments.experiment.request import RunRequest
from ser_experiments.experiment.result import Prepared
from ser_experiments.experiment.run import Progress, prepare
from ser_experiments.experiment.suited import check_normalization
from ser_experiments.features import (
    Normalization,
    clips_given,
    is_neutral,
    normalize_by_others,
    normalize_by_speaker,
)
from ser_experiments.frames import unit_column
from ser_experiments.parallel import on_cluster

if TYPE_CHECKING:
    from ser_experiments.project import Project

#: What a speaker gives: nothing, clips of whatever emotion, neutral ones, or everything, of which the deviation counts,
#: too (``--normalize speaker``).
NONE, ANY, NEUTRAL, WHOLE = "none", "any", "neutral", "speaker"
CLIPS, DRAWS = (1, 3, 5, 10), 5


class Step(NamedTuple):
    """One number of clips.

    Parameters
    ----------
    kind : {"none", "any", "neutral", "speaker"}
        What is given.
    clips : int or None
        How many clips each speaker gives; None for all but the one that is answered for.
    setting, unit : str
        What a run without clips is compared under, and what its protocol keeps apart.
    given : float
        How many they are in the mean: speakers that have fewer give what they have.
    fewer : dict of str to int
        Those speakers, and how many others the least served of their recordings has.
    score : str
        The primary score of the task; empty where the step cannot be held.
    value, low, high : float
        The mean of the score over the draws, with its interval over the unit of the protocol.
    spread : float
        The standard deviation of the score over the draws; NaN where nothing is drawn.
    draws : int
        How often clips were drawn.
    chance : float
        What knowing nothing scores.
    difference : Difference or None
        The score minus that without clips, paired over the unit of the protocol; None of the step without.
    why_not : str
        Why the step cannot be held.
    """

    kind: str
    clips: int | None
    setting: str
    unit: str
    given: float = 0.0
    fewer: dict[str, int] = {}  # noqa: RUF012 -- never changed, like the tuple
    score: str = ""
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    spread: float = float("nan")
    draws: int = 1
    chance: float = float("nan")
    difference: Difference | None = None
    why_not: str = ""

    @property
    def gain(self) -> tuple[float, float, float] | None:
        """Return how much better it is than without clips, and both ends of the interval: more is always better."""
        if self.difference is None:
            return None
        value, low, high, *_ = self.difference
        return (value, low, high) if self.difference.better > 0 else (-value, -high, -low)

    @property
    def many(self) -> str:
        """Return the number of clips as it is shown."""
        return "all" if self.clips is None else str(self.clips)


def enrolment_curve(
    request: RunRequest,
    project: Project,
    *,
    clips: Sequence[int] = CLIPS,
    draws: int = DRAWS,
    tell: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> Iterator[Step]:
    """Score an experiment by how many clips each speaker gives; nothing is logged, and no fit is kept.

    Parameters
    ----------
    request : RunRequest
        The experiment and its setting; its ``normalize`` is what the steps say.
    project : Project
        Where definitions and tables lie.
    clips : sequence of int
        How many are given, besides none and all.
    draws : int
        How often clips are drawn for each step.
    tell : callable
        Told what is begun.
    progress : callable, optional
        Told of measuring.

    Yields
    ------
    Step
        Without clips; of any emotion and of neutral ones by number, all last; and ``--normalize speaker``. Also a step
        that this corpus cannot hold, which says why.

    Raises
    ------
    InputError
        The experiment cannot be normalised by speaker, or the protocol tests voices that were trained on.
    """
    request = replace(request, normalize=NONE)
    # What cannot be normalised is said before anything is measured.
    check_normalization(load_experiment(request.experiment, project.experiments, request.overrides), "enrol-1")
    with on_cluster(request.scheduler):
        # Hundreds of fits, which no run asks for again, would drive those of runs out of the cache.
        prepared = prepare(request, project, remember=False, progress=progress)
        if prepared.setting.leaky:
            raise InputError(
                f"{prepared.setting.protocol} tests voices that were trained on, which give more than clips; use a "
                "protocol that tests new ones"
            )
        yield from _Curve(prepared, request, draws, tell).steps(sorted(set(clips)))


class _Curve:
    """The steps on one table; each is compared with the first."""

    def __init__(self, prepared: Prepared, request: RunRequest, draws: int, tell: Callable[[str], None]) -> None:
        self.prepared, self.request, self.draws, self.tell = prepared, request, draws, tell
        self.speakers = prepared.utterances["speaker"].astype(str)
        self.score = get_score(prepared.task.primary)
        self.first: GroupMeans | None = None

    def steps(self, clips: Sequence[int]) -> Iterator[Step]:
        table = self.prepared.rows.table
        self.tell("no clips")
        yield self._scored(self._step(NONE, 0, 0.0), [table])
        everyone = np.ones(len(table), dtype=bool)
        for kind, usable in ((ANY, everyone), (NEUTRAL, is_neutral(self.prepared.utterances))):
            for n_clips in (*clips, None):
                yield self._given(kind, usable, n_clips)
        self.tell("mean and deviation of the whole speaker")
        whole = normalize_by_speaker(table, self.speakers, Normalization(WHOLE), {})
        n_whole = float(clips_given(self.speakers, everyone, None).mean()) + 1
        yield self._scored(self._step(WHOLE, None, n_whole), [whole])

    def _step(self, kind: str, n_clips: int | None, given: float) -> Step:
        return Step(kind, n_clips, self.prepared.setting.name, self.prepared.folds.unit, given)

    def _given(self, kind: str, usable: NDArray[np.bool_], n_clips: int | None) -> Step:
        given = clips_given(self.speakers, usable, n_clips)
        least = pd.Series(given).groupby(self.speakers.to_numpy()).min()
        fewer = {} if n_clips is None else {str(one): int(n) for one, n in least.items() if n < n_clips}
        step = self._step(kind, n_clips, float(given.mean()))._replace(fewer=fewer)
        if why_not := _why_not(step, usable, least):
            return step._replace(why_not=why_not)
        draws = 1 if n_clips is None else self.draws
        tables = []
        for draw in range(draws):
            self.tell(f"{step.many} {kind} clips" + (f", draw {draw + 1} of {draws}" if draws > 1 else ""))
            seeds = (self.request.seed, draw)
            tables.append(normalize_by_others(self.prepared.rows.table, self.speakers, usable, n_clips, seeds))
        return self._scored(step, tables)

    def _scored(self, step: Step, tables: Sequence[pd.DataFrame]) -> Step:
        unit = unit_column(self.prepared.folds.unit)
        found = []
        for table in tables:
            rows = replace(self.prepared.rows, table=table)
            predictions, _ = cross_validate(self.prepared.estimator, rows, jobs=self.request.jobs)
            found.append(self.score.on(predictions, unit))
        groups = GroupMeans.of(found)
        self.first = self.first or groups
        low, high, *_ = interval_of(groups)
        return step._replace(
            score=self.score.name,
            value=groups.whole(),
            low=low,
            high=high,
            spread=float(np.std([one.whole() for one in found], ddof=1)) if len(found) > 1 else float("nan"),
            draws=len(found),
            chance=self.prepared.task.chance,
            difference=None if groups is self.first else difference(groups, self.first),
        )


def _why_not(step: Step, usable: NDArray[np.bool_], least: pd.Series) -> str:
    """Say why a step cannot be held; nothing where it can."""
    what = "neutral clips" if step.kind == NEUTRAL else "clips"
    if not usable.any():
        return f"no utterance is labelled {NEUTRAL}"
    without = [str(one) for one in least.index[least == 0]]
    if without:
        more = f" and {len(without) - 1} more" if len(without) > 1 else ""
        return f"speaker {without[0]!r}{more} has fewer than two {what}: a recording is normalised by others"
    if step.clips is not None and len(step.fewer) == len(least):
        return f"no speaker has {step.clips} other {what} for each recording: it would be all"
    return ""
