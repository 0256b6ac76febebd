"""What a search inside a training side chooses by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import balanced_accuracy_score

from ser_experiments.models.concordance import concordance
from ser_experiments.models.numbers import Matched, matching

Value = Callable[[NDArray[Any], NDArray[Any], NDArray[np.float64] | None], float]


class Judge(NamedTuple):
    """A score of inner folds.

    Parameters
    ----------
    metric : str
        Its name: that of the score that runs are ranked by.
    plain : callable
        ``plain(truth, answers, weights)`` of a pipeline that stays as it is; more is better.
    calibrated : callable
        The same of one that will be calibrated, from the answers without that.
    of_classes : bool
        Whether the truth is one word a row.
    """

    metric: str
    plain: Value
    calibrated: Value
    of_classes: bool


def _uar(truth: NDArray[Any], answers: NDArray[Any], weights: NDArray[np.float64] | None) -> float:
    return float(balanced_accuracy_score(truth, answers, sample_weight=weights))


def _matched_ccc(truth: NDArray[Any], answers: NDArray[Any], weights: NDArray[np.float64] | None) -> float:
    slope, intercept = matching(truth, answers, weights)
    told = answers.reshape(len(answers), -1) * slope + intercept
    return concordance(truth, told, weights)


#: By what is learned.
JUDGES: Mapping[str, Judge] = {
    "labels": Judge("uar", plain=_uar, calibrated=_uar, of_classes=True),
    "numbers": Judge("ccc", plain=concordance, calibrated=_matched_ccc, of_classes=False),
}


def is_calibrated(pipeline: BaseEstimator) -> bool:
    """Whether the numbers that a pipeline answers will be stretched: calibration of classes changes no decision."""
    return isinstance(pipeline, Matched)
