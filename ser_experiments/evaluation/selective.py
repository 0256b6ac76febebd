"""What is left of a score where the least sure answers are withheld: selective classification.

How sure an answer is, is the highest probability. Coverage is the share of utterances that are answered.

References
----------
El-Yaniv, Wiener (2010), On the foundations of noise-free selective classification, JMLR 11.
Geifman, Uziel, El-Yaniv (2019), Bias-reduced uncertainty estimation for deep neural classifiers, ICLR: the area.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.evaluation.score import Floats
from ser_experiments.evaluation.scores._sums import mean_over_present, ratio, truth_of
from ser_experiments.frames import Predictions

#: Coverages that are scored.
COVERAGES = (0.9, 0.7, 0.5)


def levels(predictions: Predictions) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows from the surest to the least sure, and where in this order each new confidence begins."""
    # Probabilities that differ by rounding alone are equal.
    rounded = np.round(predictions.values.max(axis=1), 9)
    order = np.argsort(-rounded, kind="stable")
    first = np.flatnonzero(np.concatenate([[True], np.diff(rounded[order]) < 0]))
    return order, first


def answered(predictions: Predictions, coverage: float) -> Callable[[Floats], Floats]:
    """Return which part of each row is answered, as a function of how often each row counts.

    Parameters
    ----------
    predictions : Predictions
        Of classes, with probabilities.
    coverage : float
        Which share of the rows is answered: the surest. Of rows that are equally sure, all are answered in part.

    Returns
    -------
    callable
        From weights of shape (n_weightings, n_rows) to parts of the same shape, between 0 and 1.
    """
    order, first = levels(predictions)
    sizes = np.diff([*first, len(order)])

    def parts(weights: Floats) -> Floats:
        rows = np.add.reduceat(weights[:, order], first, axis=1)
        ends = np.cumsum(rows, axis=1)
        room = coverage * ends[:, -1:] - (ends - rows)
        found = np.empty_like(weights, dtype=np.float64)
        found[:, order] = np.repeat(np.clip(ratio(room, rows, empty=0.0), 0, 1), sizes, axis=1)
        return found

    return parts


def area(predictions: Predictions) -> Callable[[Floats], Floats]:
    """Return the area under the risk-coverage curve as a function of how often each row counts.

    It is the mean, over every number of answers, of the share of these that is wrong, where the surest are answered
    first; rows that are equally sure come in any order, so that the mean over these orders is taken.
    """
    order, first = levels(predictions)
    wrong = (truth_of(predictions) != predictions.decided)[order]

    def weighed(weights: Floats) -> Floats:
        ordered = weights[:, order]
        rows = np.add.reduceat(ordered, first, axis=1)
        errors = np.add.reduceat(ordered * wrong, first, axis=1)
        ends = np.cumsum(rows, axis=1)
        before = np.cumsum(errors, axis=1) - errors
        rate = ratio(errors, rows, empty=0.0)
        # The sum of (before + (i - start) * rate) / i over the numbers i of answers that end within equally sure rows.
        sums = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, ends[:, -1].max() + 1))])
        harmonic = sums[ends.astype(np.intp)] - sums[(ends - rows).astype(np.intp)]
        return ratio((errors + (before - (ends - rows) * rate) * harmonic).sum(axis=1), ends[:, -1])

    return weighed


def uar_at(coverage: float) -> Callable[[Predictions], Callable[[Floats], Floats]]:
    """Return the UAR of the rows that are answered, of predictions, as a function of how often each row counts.

    A class that is spoken and never answered has a recall of 0: to be silent on an emotion is no way to a better score.
    """

    def of(predictions: Predictions) -> Callable[[Floats], Floats]:
        truth = truth_of(predictions)
        spoken = np.eye(len(predictions.task.targets))[truth]
        right = truth == predictions.decided
        parts = answered(predictions, coverage)

        def weighed(weights: Floats) -> Floats:
            kept = weights * parts(weights)
            recalls = ratio((kept * right) @ spoken, kept @ spoken, empty=0.0)
            return mean_over_present(np.where(weights @ spoken > 0, recalls, np.nan))

        return weighed

    return of


def risk_coverage(predictions: Predictions) -> pd.DataFrame:
    """Return the risk-coverage curve: ``coverage`` and ``risk``, the share of the answered rows that is wrong."""
    order, first = levels(predictions)
    wrong = (truth_of(predictions) != predictions.decided)[order]
    ends = np.append(first[1:], len(order))
    return pd.DataFrame({"coverage": ends / len(order), "risk": np.cumsum(wrong)[ends - 1] / ends})


def coverage_by(
    predictions: Predictions, unit: str = "speaker", coverages: Sequence[float] = COVERAGES
) -> pd.DataFrame:
    """Return which share of each speaker's utterances is answered, where so many of all are.

    Parameters
    ----------
    predictions : Predictions
        Of classes, with probabilities.
    unit : str
        A column of the predictions.
    coverages : sequence of float
        Shares of all utterances.

    Returns
    -------
    DataFrame
        Indexed by `unit`: ``n_utterances``, and ``answered_<percent>`` for each coverage.
    """
    units = pd.Series(predictions.units(unit), name=unit)
    ones = np.ones((1, len(predictions)))
    parts = {f"answered_{round(100 * one)}": answered(predictions, one)(ones)[0] for one in coverages}
    table = pd.DataFrame(parts).groupby(units.to_numpy()).mean().rename_axis(unit)
    table.insert(0, "n_utterances", units.value_counts().loc[table.index].to_numpy())
    return table
