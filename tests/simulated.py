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
    rng: np.random.Generator, ccc: float, sizes: np.ndarray, score: Score, *, own: float = 0.5
) -> tuple[GroupSums, float, float]:
    """Draw truth and prediction of one dimension for each group, as a regressor gives them that shrinks to the mean.

    Groups differ in their mean truth, in how much too high they are predicted and in how well they are followed; the
    rows of one are normal, so that their sums are drawn at once (a Wishart matrix, by Bartlett's decomposition).

    Parameters
    ----------
    rng : Generator
        The source of chance.
    ccc : float
        The coefficient of rows of infinitely many groups, from 0 to below 1.
    sizes : ndarray of shape (n_groups,)
        Rows of each group, 3 or more.
    score : Score
        One of moments.
    own : float, default=0.5
        The share of what is not followed that groups have in common with themselves.

    Returns
    -------
    GroupSums, float, float
        And the CCC and the correlation of rows of infinitely many groups.
    """
    n, n_groups = sizes.astype(float), len(sizes)
    among = own  # variance of the groups' truth, where that of rows within is 1
    followed = ccc / (2 - ccc)
    left = followed * (1 - followed) * (1 + among) if ccc else 0.1
    high, slope, noise = left * own * 2 / 3, left * own / 3 / (1 + among), left * (1 - own)
    t, lift = rng.normal(0, np.sqrt(among), n_groups), rng.normal(0, np.sqrt(high), n_groups)
    b = rng.normal(followed, np.sqrt(slope), n_groups)
    z = rng.normal(size=n_groups)
    tt = rng.chisquare(n - 1)
    te, ee = np.sqrt(tt * noise) * z, noise * (z**2 + rng.chisquare(n - 2))
    t = t + rng.normal(0, 1 / np.sqrt(n))
    p = lift + b * t + rng.normal(0, np.sqrt(noise / n))
    moments = (n, n * t, n * p, b * tt + te + n * t * p, tt + n * t**2, b**2 * tt + 2 * b * te + ee + n * p**2, 0 * n)
    sums = np.stack(moments, axis=-1)[:, None]
    spread = (followed**2 + slope) * (1 + among) + high + noise
    covariance = followed * (1 + among)
    true = 2 * covariance / (1 + among + spread), covariance / np.sqrt((1 + among) * spread)
    return GroupSums(score, np.arange(n_groups).astype(str), sums), *true
