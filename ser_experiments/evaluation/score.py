"""What a score is, and what a score says of the groups of one table of predictions.

Nearly every score depends on the rows through sums alone (counts, hits, losses). The sums are kept for each group; a
weighting of the groups (0/1 to leave one out, counts for a bootstrap) then gives the score by one product. A score
that is no function of sums says how it weighs rows, or is computed again on the rows of each weighting.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.evaluation.intervals import Scale
from ser_experiments.frames import Predictions

Floats = NDArray[np.float64]
Weights = NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]


class Each(NamedTuple):
    """One number for each target, from the same sums as the score.

    Parameters
    ----------
    prefix : str
        ``"recall"`` gives ``recall_<target>``.
    value : callable
        From sums of shape (n_weightings, ...) to shape (n_weightings, n_targets); NaN where it is not defined.
    """

    prefix: str
    value: Callable[[Floats], Floats]


@dataclass(frozen=True)
class Score:
    """One score: the only thing that ranks, intervals, comparisons and tables are made from.

    A file of :mod:`ser_experiments.evaluation.scores` holds one as ``SCORE``.

    Parameters
    ----------
    title : str
        As people call it.
    better : {1, -1}
        1 where more is better, -1 where less is.
    limits : tuple of float, default=(0, 1)
        Where it can lie; intervals are cut there.
    sums : callable, optional
        From predictions of n_rows rows to what is summed over rows, shape (n_rows, ...).
    value : callable, optional
        From sums of shape (n_weightings, ...) to scores of shape (n_weightings,); NaN where there are no rows.
    each : Each, optional
        Numbers for single targets from the same sums.
    statistic : callable, optional
        From predictions to a float, of a score that is no function of sums over rows; instead of `sums` and `value`.
        It is called once for every weighting of the groups, so a comparison costs thousands of calls.
    weighing : callable, optional
        The same of a score that can weigh rows: from predictions to a function, which takes how often each row counts,
        shape (n_weightings, n_rows), and returns scores of shape (n_weightings,); NaN where it is not defined.
    kinds : tuple of str, default=("classes",)
        Kinds of :class:`ser_experiments.task.Task` that it is for.
    needs_values : bool, default=False
        Whether it needs a number for every target (of classes: probabilities) besides what was decided.
    by_fold : bool, default=False
        Whether it stands in the table of the folds.
    scale : Scale, optional
        On which its interval is taken; by default its own.
    name : str
        That of its file; set by :func:`ser_experiments.evaluation.scoring.get_score`.

    Raises
    ------
    InputError
        `better` is something else, there is not one of `sums` with `value`, `statistic` and `weighing`, or `each`
        without `sums`.
    """

    title: str
    better: Literal[1, -1]
    limits: tuple[float, float] = (0.0, 1.0)
    sums: Callable[[Predictions], Floats] | None = None
    value: Callable[[Floats], Floats] | None = None
    each: Each | None = None
    statistic: Callable[[Predictions], float] | None = None
    weighing: Callable[[Predictions], Callable[[Floats], Floats]] | None = None
    kinds: tuple[str, ...] = ("classes",)
    needs_values: bool = False
    by_fold: bool = False
    scale: Scale | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.better not in (1, -1):
            raise InputError(f"score {self.title!r}: better must be 1 or -1, got {self.better!r}")
        ways = self.sums is not None and self.value is not None, self.statistic is not None, self.weighing is not None
        if sum(ways) != 1:
            raise InputError(f"score {self.title!r}: give one of sums with value, statistic, and weighing")
        if self.each is not None and self.sums is None:
            raise InputError(f"score {self.title!r}: each is made from sums; give sums and value")

    @property
    def rule(self) -> str:
        """Return which way is better, in words."""
        return "more is better" if self.better > 0 else "less is better"

    def fits(self, predictions: Predictions) -> None:
        """Refuse predictions that it cannot score.

        Raises
        ------
        InputError
            They are of another kind of task, or lack the numbers of the targets.
        """
        kind = predictions.task.kind
        if kind not in self.kinds:
            raise InputError(f"{self.title} is a score of {' and '.join(self.kinds)}, got predictions of {kind}")
        if self.needs_values and not predictions.has_values:
            missing = [column for column in predictions.task.columns if column not in predictions.frame]
            raise InputError(f"{self.title} needs a number for every target; the predictions have no {missing[0]!r}")

    def on(self, predictions: Predictions, unit: str | None = None) -> Groups:
        """Look at the groups of a table.

        Parameters
        ----------
        predictions : Predictions
            What is scored.
        unit : str, optional
            The column of the groups; by default all rows are one group.

        Raises
        ------
        InputError
            No such column, or :meth:`fits`.
        """
        self.fits(predictions)
        groups = np.zeros(len(predictions), dtype=str) if unit is None else predictions.units(unit)
        names, place = np.unique(groups, return_inverse=True)
        if self.weighing is not None:
            return GroupWeights(self, names, place, self.weighing(predictions))
        if self.sums is None:
            return GroupRows(self, names, predictions, place)
        rows = self.sums(predictions)
        sums = np.zeros((len(names), *rows.shape[1:]))
        np.add.at(sums, place, rows)
        return GroupSums(self, names, sums)


@dataclass(frozen=True)
class Groups(ABC):
    """The groups of one table of predictions, as one score sees them.

    Parameters
    ----------
    score : Score
        Which.
    names : ndarray of shape (n_groups,)
        Of the groups, in alphabetical order.
    """

    score: Score
    names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def under(self, weights: Weights) -> Floats:
        """Return the score under each weighting.

        Parameters
        ----------
        weights : ndarray of shape (n_weightings, n_groups)
            How often each group counts: whole numbers from 0.
        """

    def whole(self) -> float:
        """Return the score of all groups together."""
        return float(self.under(np.ones((1, len(self))))[0])

    def alone(self) -> Floats:
        """Return the score of each group alone, shape (n_groups,)."""
        return self.under(np.eye(len(self)))

    def without_each(self) -> Floats:
        """Return the score without each group, shape (n_groups,)."""
        return self.under(1 - np.eye(len(self)))


@dataclass(frozen=True)
class GroupSums(Groups):
    """The sums of each group, shape (n_groups, ...)."""

    sums: Floats

    def under(self, weights: Weights) -> Floats:
        """Return the score under each weighting."""
        assert self.score.value is not None
        return self.score.value(self._weighted(weights))

    def each(self) -> Floats:
        """Return the number of each target over all groups, shape (n_targets,)."""
        return self.each_under(np.ones((1, len(self))))[0]

    def each_under(self, weights: Weights) -> Floats:
        """Return the number of each target under each weighting, shape (n_weightings, n_targets)."""
        assert self.score.each is not None
        return self.score.each.value(self._weighted(weights))

    def _weighted(self, weights: Weights) -> Floats:
        return np.tensordot(weights.astype(np.float64), self.sums, axes=1)


#: Cells of the weights of rows that are held at once.
_CELLS = 1 << 22


@dataclass(frozen=True)
class GroupWeights(Groups):
    """The place of each row's group among the names, shape (n_rows,), and the score as a function of rows' weights."""

    place: NDArray[np.intp]
    weighed: Callable[[Floats], Floats]

    def under(self, weights: Weights) -> Floats:
        """Return the score under each weighting, some weightings at a time."""
        step = max(1, _CELLS // max(1, len(self.place)))
        parts = [weights[row : row + step] for row in range(0, len(weights), step)]
        found = [self.weighed(part[:, self.place].astype(np.float64)) for part in parts]
        return np.concatenate([np.empty(0), *found])


@dataclass(frozen=True)
class GroupRows(Groups):
    """The rows themselves and the place of each row's group among the names, shape (n_rows,)."""

    predictions: Predictions
    place: NDArray[np.intp]

    def under(self, weights: Weights) -> Floats:
        """Return the score under each weighting, computed on the rows as often as they count."""
        return np.array([self._on(np.asarray(row, dtype=np.intp)) for row in weights])

    def _on(self, weights: NDArray[np.intp]) -> float:
        times = weights[self.place]
        if not times.any():
            return float("nan")
        frame, copy = self.predictions.frame, np.arange(times.max())
        if len(copy) == 1:
            # Leaving groups out needs no new ids.
            return self._of(frame.iloc[np.flatnonzero(times)])
        rows, copies = np.nonzero(times[:, None] > copy)
        drawn = frame.iloc[rows]
        ids = [f"{one}#{n}" if n else one for one, n in zip(drawn.index, copies, strict=True)]
        index = pd.Index(ids, name=frame.index.name)
        return self._of(drawn.set_axis(index))

    def _of(self, frame: pd.DataFrame) -> float:
        assert self.score.statistic is not None
        return float(self.score.statistic(Predictions(frame, self.predictions.task)))


@dataclass(frozen=True)
class GroupMeans(Groups):
    """Several tables of predictions of the same groups, e.g. one a draw: what counts is the mean of their scores."""

    tables: Sequence[Groups]

    @classmethod
    def of(cls, tables: Sequence[Groups]) -> GroupMeans:
        """Take tables together that are scored alike on the same groups."""
        return cls(tables[0].score, tables[0].names, tables)

    def under(self, weights: Weights) -> Floats:
        """Return the mean score under each weighting."""
        return np.asarray(np.mean([one.under(weights) for one in self.tables], axis=0))
