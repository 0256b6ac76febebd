"""Lin's concordance correlation coefficient: as a loss, and to stop by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ser_experiments.models.concordance import Moments, moments

#: Added to a variance of about 1, so that a batch without any spread has a loss of 1 and no slope of infinity.
_TINY = 1e-6


def ccc_loss(outputs: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return 1 minus the concordance correlation coefficient in a batch, a mean over targets.

    Parameters
    ----------
    outputs, truth : float32 tensors of shape (n_rows, n_targets)
        Numbers of deviation about 1.
    weights : tensor of shape (n_rows,)
        Of the rows in all moments.

    References
    ----------
    Lin (1989), A concordance correlation coefficient to evaluate reproducibility, Biometrics 45. As a loss:
    Trigeorgis et al. (2016), ICASSP; Atmaja, Akagi (2021), see
    :class:`~ser_experiments.models.nets.numbers.LearnsNumbers`.
    """
    shares = (weights / weights.sum())[:, None]
    mean_x, mean_y = (shares * outputs).sum(dim=0), (shares * truth).sum(dim=0)
    x, y = outputs - mean_x, truth - mean_y
    spread = (shares * (x**2 + y**2)).sum(dim=0) + (mean_x - mean_y) ** 2
    return (1.0 - 2.0 * (shares * x * y).sum(dim=0) / (spread + _TINY)).mean()


def squared_loss(outputs: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean squared error of a batch, a mean over targets."""
    return (((outputs - truth) ** 2).mean(dim=1) * weights).mean()


def judge(
    answers: NDArray[np.float64], truth: NDArray[np.float64], weights: NDArray[np.float64], *, by_ccc: bool
) -> tuple[dict[str, float], NDArray[np.float64]]:
    """Score numbers of held-out rows, all rows together.

    Parameters
    ----------
    answers, truth : ndarray of shape (n_rows, n_targets)
        Numbers.
    weights : ndarray of shape (n_rows,)
        Of the rows.
    by_ccc : bool
        Whether the loss is 1 minus the concordance correlation coefficient, or else the squared error.

    Returns
    -------
    numbers : dict
        ``valid_loss``; ``valid_ccc``, a mean over targets, of which a constant one has 0.
    losses : ndarray of shape (n_rows,)
        What each row adds to the loss, which is their mean. A coefficient is no mean over rows: to its loss stands
        added how much each row moves it (its influence, which is 0 in the mean), so that the standard error of a mean
        of these is that of the coefficient, by the delta method.
    """
    shares = weights / weights.mean()
    known = moments(truth, answers, shares)
    ccc = known.coefficients
    if by_ccc:
        losses = 1.0 - ccc.mean() - shares * _influence(known).mean(axis=1)
    else:
        losses = shares * ((answers - truth) ** 2).mean(axis=1)
    loss = 1.0 - ccc.mean() if by_ccc else losses.mean()
    return {"valid_loss": float(loss), "valid_ccc": float(ccc.mean())}, losses


def _influence(known: Moments) -> NDArray[np.float64]:
    """Return how much each row moves the coefficient of each target; shape (n_rows, n_targets), 0 in the mean."""
    x, y, ccc = known.answers, known.truth, known.coefficients
    variances = known.variance_answers + known.variance_truth
    apart = known.mean_answers - known.mean_truth
    moved = 2.0 * (x * y - known.covariance) - ccc * (x**2 + y**2 - variances + 2.0 * apart * (x - y))
    return np.asarray(moved / np.where(known.spread > 0, known.spread, 1.0), dtype=np.float64)
