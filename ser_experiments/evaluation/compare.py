"""Which of several runs on the same rows is better, and is the difference real?

All uncertainty is over groups (speakers or sessions), as in :mod:`ser_experiments.evaluation.intervals`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, stats

from ser_experiments.errors import InputError
from ser_experiments.evaluation.group_scores import get_score, group_sums, weighted
from ser_experiments.evaluation.intervals import Interval

Floats = NDArray[np.float64]
#: Draws of the selection-corrected score; its own noise is then below a tenth of a percentage point.
DRAWS = 2000


class Difference(NamedTuple):
    """A paired difference between two runs on the same rows.

    ``detectable`` is the smallest true difference that a comparison with this standard error would find with 80 %
    power; with fewer than two groups everything but ``value`` is NaN.
    """

    value: float
    low: float
    high: float
    standard_error: float
    detectable: float
    n_groups: int


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
    metric : str
        The score.
    rows : list of Row
        Best first.
    n_groups : int
        Groups behind every interval.
    corrected : float
        What the choice of the best is worth on groups it was not chosen on; NaN with one group.
    """

    metric: str
    rows: list[Row]
    n_groups: int
    corrected: float

    @property
    def best(self) -> Row:
        """Return the run with the best score."""
        return self.rows[0]


def compare(
    predictions: Mapping[str, pd.DataFrame], unit: str, *, metric: str = "uar", draws: int = DRAWS, seed: int = 0
) -> Comparison:
    """Rank runs by a score, with intervals, paired differences to the best and a selection-corrected score.

    Parameters
    ----------
    predictions : mapping of str to DataFrame
        Out-of-fold predictions by a key of the run; all on the same utterances with the same labels.
    unit : str
        The column of the groups: ``"group"`` under a protocol by session, else ``"speaker"``.
    metric : str
        ``uar``, ``wa``, ``macro_f1``, ``log_loss``, ``brier`` or ``ece``.
    draws, seed : int
        Of the bootstrap behind the selection-corrected score.

    Raises
    ------
    InputError
        No runs, an unknown metric, or runs on other rows.
    """
    score = get_score(metric)
    sums = _all_sums(predictions, unit, metric)
    n_groups = len(next(iter(sums.values())))
    whole = {key: float(weighted(s, np.ones((1, n_groups)), metric)[0]) for key, s in sums.items()}
    without = {key: weighted(s, 1 - np.eye(n_groups), metric) for key, s in sums.items()}
    order = sorted(whole, key=lambda key: -score.sign * whole[key])
    best = order[0]
    rows = [
        Row(
            key,
            whole[key],
            _interval(whole[key], without[key], score.limits),
            _difference(whole[key] - whole[best], without[key] - without[best]),
        )
        for key in order
    ]
    corrected = selection_corrected([sums[key] for key in order], metric, draws=draws, seed=seed)
    return Comparison(metric, rows, n_groups, corrected)


def paired_difference(first: pd.DataFrame, second: pd.DataFrame, unit: str, *, metric: str = "uar") -> Difference:
    """Return the score of `first` minus that of `second` on the same rows; see :func:`compare`."""
    sums = _all_sums({"first": first, "second": second}, unit, metric)
    n_groups = len(sums["first"])
    whole = [float(weighted(s, np.ones((1, n_groups)), metric)[0]) for s in sums.values()]
    without = [weighted(s, 1 - np.eye(n_groups), metric) for s in sums.values()]
    return _difference(whole[0] - whole[1], without[0] - without[1])


def _all_sums(predictions: Mapping[str, pd.DataFrame], unit: str, metric: str) -> dict[str, Floats]:
    if not predictions:
        raise InputError("nothing to compare: no runs")
    keys = list(predictions)
    first = predictions[keys[0]]
    classes = sorted(set(first["label"]))
    sums = {}
    for key in keys:
        frame = predictions[key]
        if set(frame.index) != set(first.index) or frame.index.has_duplicates:
            raise InputError(f"runs {keys[0]} and {key} were not scored on the same utterances; compare one setting")
        frame = frame.loc[first.index]
        if not (frame[["label", unit]] == first[["label", unit]]).to_numpy().all():
            raise InputError(f"runs {keys[0]} and {key} differ in labels or {unit}s; compare one setting")
        sums[key] = group_sums(frame, classes, unit, metric)
    return sums


def _error(without: Floats) -> float:
    n_groups = len(without)
    return float(np.sqrt((n_groups - 1) / n_groups * ((without - without.mean()) ** 2).sum()))


def _interval(whole: float, without: Floats, limits: tuple[float, float]) -> Interval:
    n_groups = len(without)
    if n_groups < 2:
        return Interval(float("nan"), float("nan"), float("nan"), n_groups)
    error = _error(without)
    reach = float(stats.t.ppf(0.975, n_groups - 1)) * error
    return Interval(max(limits[0], whole - reach), min(limits[1], whole + reach), error, n_groups)


def _difference(value: float, without: Floats) -> Difference:
    n_groups = len(without)
    if n_groups < 2:
        nan = float("nan")
        return Difference(value, nan, nan, nan, nan, n_groups)
    error = _error(without)
    reach = float(stats.t.ppf(0.975, n_groups - 1)) * error
    return Difference(value, value - reach, value + reach, error, detectable(error, n_groups), n_groups)


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


def selection_corrected(sums: Sequence[Floats], metric: str, *, draws: int = DRAWS, seed: int = 0) -> float:
    """Score the choice of the best run on groups that it was not chosen on.

    The best of many runs looks better than it is, because luck took part in the choice. Each draw takes groups with
    replacement, chooses the best run on them and scores it on the groups that were not drawn; the mean over draws is
    the corrected score. Runs that are equally good on the drawn groups count equally.

    Parameters
    ----------
    sums : sequence of ndarray of shape (n_groups, ...)
        As :func:`ser_experiments.evaluation.group_scores.group_sums` gives them, one a run.
    metric : str
        The score.
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
    n_groups = len(sums[0])
    if n_groups < 2:
        return float("nan")
    drawn = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=draws)
    drawn = drawn[(drawn == 0).any(axis=1)]
    inside = get_score(metric).sign * np.array([weighted(s, drawn, metric) for s in sums])
    outside = np.array([weighted(s, drawn == 0, metric) for s in sums])
    # Sums in another order may differ in the last bits; such runs are equally good.
    chosen = inside >= inside.max(axis=0) - 1e-12
    return float(np.mean((outside * chosen).sum(axis=0) / chosen.sum(axis=0)))
