"""Are the labels what is learned? Scores with the labels shuffled within each speaker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def permute_within(labels: NDArray[Any], groups: NDArray[np.str_], rng: np.random.Generator) -> NDArray[Any]:
    """Shuffle labels among the rows of each group, so that every group keeps its own counts.

    Parameters
    ----------
    labels, groups : ndarray of shape (n_rows,)
        The classes, and who speaks.
    rng : Generator
        The source of chance.
    """
    shuffled = labels.copy()
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        shuffled[rows] = labels[rng.permutation(rows)]
    return shuffled


@dataclass(frozen=True)
class Permutations:
    """A score beside those with shuffled labels.

    Parameters
    ----------
    score : float
        With the true labels; more is better.
    shuffled : sequence of float
        With shuffled ones.
    chance : float
        What a model without knowledge scores: one over the number of classes for the UAR.
    """

    score: float
    shuffled: Sequence[float]
    chance: float

    @property
    def p_value(self) -> float:
        """Return the share of shuffles, the true order counted among them, that score at least as well.

        References
        ----------
        Phipson, Smyth (2010), Permutation p-values should never be zero, Statistical Applications in Genetics and
        Molecular Biology 9.
        """
        return (1 + int(np.sum(np.asarray(self.shuffled) >= self.score))) / (1 + len(self.shuffled))

    @property
    def mean(self) -> float:
        """Return the mean of the shuffled scores."""
        return float(np.mean(self.shuffled))

    @property
    def std(self) -> float:
        """Return the standard deviation of the shuffled scores."""
        return float(np.std(self.shuffled, ddof=1))

    @property
    def above_chance(self) -> bool:
        """Whether shuffled labels are predicted better than chance, by more than three standard errors.

        Then something besides the emotion of the tested row tells its label: folds, tuning or selection that saw it,
        or speakers that differ in their labels and can be told apart.
        """
        return self.mean - self.chance > 3 * self.std / np.sqrt(len(self.shuffled))
