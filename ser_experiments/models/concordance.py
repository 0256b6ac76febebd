"""Lin's concordance correlation coefficient of numbers: what fits are chosen, stopped and matched by.

Scores of finished runs are made from sums over groups instead (:mod:`ser_experiments.evaluation.scores`), and networks
learn by the same coefficient in torch (:mod:`ser_experiments.models.nets.concordance`).

References
----------
Lin (1989), A concordance correlation coefficient to evaluate reproducibility, Biometrics 45.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.models.row_weights import weighted_mean

Floats = NDArray[np.float64]


class Moments(NamedTuple):
    """What truth and answers are like, by weighted rows.

    Parameters
    ----------
    truth, answers : ndarray of shape (n_rows, n_targets)
        Less their means.
    mean_truth, mean_answers : ndarray of shape (n_targets,)
    variance_truth, variance_answers, covariance : ndarray of shape (n_targets,)
        Divided by the weights' sum.
    """

    truth: Floats
    answers: Floats
    mean_truth: Floats
    mean_answers: Floats
    variance_truth: Floats
    variance_answers: Floats
    covariance: Floats

    @property
    def spread(self) -> Floats:
        """Return what twice the covariance is divided by: both variances, and how far the means are apart, squared."""
        return self.variance_truth + self.variance_answers + (self.mean_answers - self.mean_truth) ** 2

    @property
    def coefficients(self) -> Floats:
        """Return the coefficient of each target; 0 where neither truth nor answers vary and both are the same."""
        return np.divide(2 * self.covariance, self.spread, out=np.zeros_like(self.spread), where=self.spread > 0)


def moments(truth: Floats, answers: Floats, weights: Floats | None = None) -> Moments:
    """Return the moments of truth and answers.

    Parameters
    ----------
    truth, answers : ndarray of shape (n_rows,) or (n_rows, n_targets)
        In one unit.
    weights : ndarray of shape (n_rows,), optional
        Of the rows.
    """
    truth, answers = columns_of(truth), columns_of(answers)
    means = weighted_mean(truth, weights), weighted_mean(answers, weights)
    beside, told = truth - means[0], answers - means[1]
    products = (beside**2, told**2, beside * told)
    return Moments(beside, told, *means, *(weighted_mean(one, weights) for one in products))


def concordance(truth: Floats, answers: Floats, weights: Floats | None = None) -> float:
    """Return the concordance correlation coefficient, the mean over targets; parameters are those of :func:`moments`.

    Returns
    -------
    float
        0 of a target whose truth or answers are constant.
    """
    return float(moments(truth, answers, weights).coefficients.mean())


def columns_of(values: Floats) -> Floats:
    """Return numbers with a column a target."""
    return np.asarray(values, dtype=np.float64).reshape(len(values), -1)
