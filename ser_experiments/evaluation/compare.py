"""Which of several runs on the same rows is better, and is the difference real?

All uncertainty is over groups (speakers or sessions), as in :mod:`ser_experiments.evaluation.intervals`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from ser_experiments.errors import InputError
from ser_experiments.evaluation.intervals import Interval, jackknife
from ser_experiments.evaluation.score import Groups, Score
from ser_experiments.evaluation.scoring import chosen_score
from ser_experiments.frames import Predictions
from ser_experiments.shown import html
from ser_experiments.words import in_one_line

#: Draws of the selection-corrected score; its own noise is then below a tenth of a percentage point.
DRAWS = 2000


class Difference(NamedTuple):
    """A paired difference between two runs on the same rows: the score of the first minus that of the second.

    ``better`` is 1 where a positive difference says that the first is better, -1 where a negative one does.
    ``detectable`` is the smallest true difference that a comparison with this standard error would find with 80 %
    power; with fewer than two groups the interval, the error and it are NaN.
    """

    value: float
    low: float
    high: float
    standard_error: float
    detectable: float
    n_groups: int
    better: int

    @property
    def clearly_better(self) -> bool:
        """Whether the first run is better and the interval leaves zero out; never with fewer than two groups."""
        return self.low > 0 if self.better > 0 else self.high < 0


@dataclass(frozen=True)
class Row:
    """One run on the board: its score with interval, and its difference to the best (its score minus the best's)."""

    key: str
    score: float
    interval: Interval
    difference: Difference


@dataclass(frozen=True)
class Comparison:
    """Several runs on the same rows.

    Parameters
    ----------
    score : Score
        What ranks them.
    rows : list of Row
        Best first.
    n_groups : int
        Groups behind every interval.
    corrected : float
        What the choice of the best is worth on groups it was not chosen on; NaN with one group.
    """

    score: Score
    rows: list[Row]
    n_groups: int
    corrected: float

    def __repr__(self) -> str:
        ranked = "; ".join(f"{in_one_line(row.key)} {row.score:.3f}" for row in self.rows)
        return f"Comparison by {self.score.title} over {self.n_groups} groups: {ranked}"

    def _repr_html_(self) -> str:
        headings = ("", self.score.title, "95 % interval", "minus the best", "95 % interval")
        rows = [
            (row.key, row.score, _ends(row.interval.low, row.interval.high))
            + ((row.difference.value, _ends(row.difference.low, row.difference.high)) if row != self.best else ("", ""))
            for row in self.rows
        ]
        notes = [f"corrected for the choice among {len(rows)}: {self.corrected:.3f}"] if len(rows) > 1 else []
        return html(f"Compared over {self.n_groups} groups", headings=headings, rows=rows, notes=notes)

    @property
    def metric(self) -> str:
        """Return the name of the score."""
        return self.score.name

    @property
    def best(self) -> Row:
        """Return the run with the best score."""
        return self.rows[0]


def _ends(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"


def compare(
    predictions: Mapping[str, Predictions],
    unit: str,
    *,
    metric: str | Score | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Comparison:
    """Rank runs by a score, with intervals, paired differences to the best and a selection-corrected score.

    Parameters
    ----------
    predictions : mapping of str to Predictions
        Out of fold, by a key of the run; all of one task on the same utterances with the same truth.
    unit : str
        The column of the groups: :func:`ser_experiments.frames.unit_column`.
    metric : str or Score, optional
        By default the primary score of the task.
    draws, seed : int
        Of the bootstrap behind the selection-corrected score.

    Raises
    ------
    InputError
        No runs, an unknown metric, or runs on other rows.
    """
    groups = _on_the_same_rows(predictions, unit, metric)
    whole = {key: one.whole() for key, one in groups.items()}
    score = next(iter(groups.values())).score
    order = sorted(whole, key=lambda key: -score.better * whole[key])
    without = {key: groups[key].without_each() for key in order}
    best = order[0]
    rows = [
        Row(
            key,
            whole[key],
            jackknife(whole[key], without[key], limits=score.limits, scale=score.scale),
            _difference(whole[key] - whole[best], without[key] - without[best], score.better),
        )
        for key in order
    ]
    corrected = selection_corrected([groups[key] for key in order], draws=draws, seed=seed)
    return Comparison(score, rows, len(groups[best]), corrected)


def paired_difference(
    first: Predictions, second: Predictions, unit: str, *, metric: str | Score | None = None
) -> Difference:
    """Return the score of `first` minus that of `second` on the same rows; see :func:`compare`."""
    return difference(*_on_the_same_rows({"first": first, "second": second}, unit, metric).values())


def difference(first: Groups, second: Groups) -> Difference:
    """Return the paired difference from what a score says of the same groups in two runs."""
    return _difference(first.whole() - second.whole(), first.without_each() - second.without_each(), first.score.better)


def _on_the_same_rows(
    predictions: Mapping[str, Predictions], unit: str, metric: str | Score | None
) -> dict[str, Groups]:
    if not predictions:
        raise InputError("nothing to compare: no runs")
    keys = list(predictions)
    first = predictions[keys[0]]
    score = chosen_score(first, metric)
    groups = {}
    for key, one in predictions.items():
        if one.task != first.task:
            raise InputError(f"runs {keys[0]} and {key} do not predict the same; compare one setting")
        if set(one.frame.index) != set(first.frame.index):
            raise InputError(f"runs {keys[0]} and {key} were not scored on the same utterances; compare one setting")
        ordered = Predictions(one.frame.loc[first.frame.index], one.task)
        same = np.array_equal(ordered.truth, first.truth) and np.array_equal(ordered.units(unit), first.units(unit))
        if not same:
            known = ", ".join(one.task.truth_columns)
            raise InputError(f"runs {keys[0]} and {key} differ in {known} or {unit}; compare one setting")
        groups[key] = score.on(ordered, unit)
    return groups


def _difference(value: float, without_each: NDArray[np.float64], better: int) -> Difference:
    found = jackknife(value, without_each)
    smallest = detectable(found.standard_error, found.n_groups) if found.n_groups > 1 else float("nan")
    return Difference(value, found.low, found.high, found.standard_error, smallest, found.n_groups, better)


def detectable(standard_error: float, n_groups: int, *, power: float = 0.8, alpha: float = 0.05) -> float:
    """Return the smallest true difference that a two-sided paired t test finds with the given power.

    Parameters
    ----------
    standard_error : float
        Of the paired difference.
    n_groups : int
        Groups it was taken over; the test has one degree of freedom less.
    power, alpha : float
        Chance to find the difference, and to find one where there is none.

    References
    ----------
    Cohen (1988), Statistical power analysis for the behavioral sciences, chapter 2: the noncentral t distribution,
    here as a mean over the quantiles of the estimated error, since SciPy's own is NaN for some small samples.
    """
    return _detectable_in_errors(n_groups, power, alpha) * standard_error


@lru_cache(maxsize=256)
def _detectable_in_errors(n_groups: int, power: float, alpha: float) -> float:
    freedom = n_groups - 1
    critical = float(stats.t.ppf(1 - alpha / 2, freedom))
    estimated = np.sqrt(stats.chi2.ppf((np.arange(4000) + 0.5) / 4000, freedom) / freedom)

    def lacking(shift: float) -> float:
        found = stats.norm.cdf(shift - critical * estimated) + stats.norm.cdf(-shift - critical * estimated)
        return float(found.mean() - power)

    return float(optimize.brentq(lacking, 1e-3, 3 * critical + 3))


def selection_corrected(groups: Sequence[Groups], *, draws: int = DRAWS, seed: int = 0) -> float:
    """Score the choice of the best run on groups that it was not chosen on.

    The best of many runs looks better than it is, because luck took part in the choice. Each draw takes groups with
    replacement, chooses the best run on them and scores it on the groups that were not drawn; the mean over draws is
    the corrected score. Runs that are equally good on the drawn groups count equally.

    Parameters
    ----------
    groups : sequence of Groups
        What one score says of the same groups, one a run.
    draws, seed : int
        Of the bootstrap.

    Returns
    -------
    float
        NaN with fewer than two groups.

    References
    ----------
    Tsamardinos, Greasidou, Borboudakis (2018), Bootstrapping the out-of-sample predictions for efficient and
    accurate cross-validation, Machine Learning 107: bootstrap bias-corrected cross-validation (BBC-CV); here groups
    are drawn rather than rows.
    """
    n_groups = len(groups[0])
    if n_groups < 2:
        return float("nan")
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=draws)
    drawn = drawn[(drawn == 0).any(axis=1)]
    inside = groups[0].score.better * np.array([one.under(drawn) for one in groups])
    outside = np.array([one.under(drawn == 0) for one in groups])
    # Sums in another order may differ in the last bits; such runs are equally good.
    chosen = inside >= inside.max(axis=0) - 1e-12
    return float(np.mean((outside * chosen).sum(axis=0) / chosen.sum(axis=0)))
