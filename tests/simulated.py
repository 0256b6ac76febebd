"""Runs as the sums that a score is made from, drawn at once: a thousandth of the time that rows take."""

from __future__ import annotations

import numpy as np

from ser_experiments.evaluation.score import GroupSums, Score


def confusions(rng: np.random.Generator, chance: np.ndarray, n_rows: int, score: Score) -> GroupSums:
    """Draw the confusion matrix of each group.

    Parameters
    ----------
    rng : Generator
        The source of chance.
    chance : ndarray of shape (n_groups, n_classes)
        Of a row of that group and class to be right; one that is wrong is taken for the next class.
    n_rows : int
        Rows of each class in each group.
    score : Score
        One of confusion matrices.
    """
    n_groups, n_classes = chance.shape
    hits = rng.binomial(n_rows, np.clip(chance, 0, 1))
    sums = np.zeros((n_groups, n_classes, n_classes + 1))
    place = np.arange(n_classes)
    sums[:, place, place] = hits
    sums[:, place, (place + 1) % n_classes] += n_rows - hits
    return GroupSums(score, np.arange(n_groups).astype(str), sums)


def numbers(
    rng: np.random.Generator, ccc: float, sizes: np.ndarray, *, own: float = 0.5
) -> tuple[np.ndarray, dict[str, float]]:
    """Draw truth and prediction of one dimension for each group, as a regressor gives them that shrinks to the mean.

    Groups differ in their mean truth, in how much too high they are predicted and in how well they are followed; the
    rows of one are normal, so that their sums are drawn at once (a Wishart matrix, by Bartlett's decomposition).

    Parameters
    ----------
    rng : Generator
        The source of chance.
    ccc : float
        About the coefficient of rows of infinitely many groups, from 0 to below 1.
    sizes : ndarray of shape (n_corpora, n_groups)
        Rows of each group, 3 or more.
    own : float, default=0.5
        The variance of the groups' mean truth, where that of rows within is 1; and the share of the errors that groups
        have in common with themselves.

    Returns
    -------
    ndarray of shape (n_corpora, n_groups, 1, 7), dict
        Sums as scores of moments take them, and their scores on rows of infinitely many groups.
    """
    n, shape = sizes.astype(float), sizes.shape
    followed = ccc / (2 - ccc)
    left = followed * (1 - followed) * (1 + own) if ccc else 0.1
    high, slope, noise = left * own * 2 / 3, left * own / 3 / (1 + own), left * (1 - own)
    lift, b = rng.normal(0, np.sqrt(high), shape), rng.normal(followed, np.sqrt(slope), shape)
    t = rng.normal(0, np.sqrt(own + 1 / n))
    p = lift + b * t + rng.normal(0, np.sqrt(noise / n))
    z, tt = rng.normal(size=shape), rng.chisquare(n - 1)
    te, ee = np.sqrt(tt * noise) * z, noise * (z**2 + rng.chisquare(n - 2))
    products = b * tt + te + n * t * p, tt + n * t**2, b**2 * tt + 2 * b * te + ee + n * p**2
    sums = np.stack([n, n * t, n * p, *products, 0 * n], axis=-1)[:, :, None]
    spread, covariance = (followed**2 + slope) * (1 + own) + high + noise, followed * (1 + own)
    true = {"ccc": 2 * covariance / (1 + own + spread), "pearson": covariance / np.sqrt((1 + own) * spread)}
    return sums, true
