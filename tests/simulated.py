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
