"""Are the labels what is learned? Scores with the labels shuffled within each speaker, or among whole speakers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError

#: A shuffle that leaves more labels than that where they are says too little.
LEAST_MOVED = 1 / 3
WITHIN, WHOLE = "within speakers", "of whole speakers"
#: Where a speaker has one class, an emotion is told from a voice by many speakers only: so many times more arrangements
#: than shuffles.
_AMPLE = 5
#: Shuffles that are drawn to see how many labels one moves.
_TRIED = 50


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
    for rows in _rows_of(groups):
        shuffled[rows] = labels[rng.permutation(rows)]
    return shuffled


def permute_whole(labels: NDArray[Any], groups: NDArray[np.str_], rng: np.random.Generator) -> NDArray[Any]:
    """Hand the labels of each group, in their order, to another group of as many rows.

    Where the rows of each group are all of one class, groups of any size are exchanged.

    Parameters
    ----------
    labels, groups : ndarray of shape (n_rows,)
        The classes, and who speaks.
    rng : Generator
        The source of chance.
    """
    exchanging, of_one = _exchanging(labels, groups)
    shuffled = labels.copy()
    for members in exchanging:
        for own, other in zip(members, rng.permutation(len(members)), strict=True):
            given = labels[members[other]]
            shuffled[own] = given[0] if of_one else given
    return shuffled


def n_arrangements(labels: NDArray[Any], groups: NDArray[np.str_]) -> float:
    """Return in how many ways that differ :func:`permute_whole` can hand labels around; infinite where very many.

    Parameters
    ----------
    labels, groups : ndarray of shape (n_rows,)
        The classes, and who speaks.
    """
    exchanging, of_one = _exchanging(labels, groups)
    logs = 0.0
    for members in exchanging:
        handed = Counter(tuple(labels[own[:1] if of_one else own].tolist()) for own in members)
        logs += math.lgamma(len(members) + 1) - sum(math.lgamma(n + 1) for n in handed.values())
    return math.exp(logs) if logs < 50 else math.inf


def _exchanging(labels: NDArray[Any], groups: NDArray[np.str_]) -> tuple[list[list[NDArray[np.intp]]], bool]:
    """Return the rows of the groups that can exchange their labels, and whether each group is of one class."""
    every = _rows_of(groups)
    of_one = all(len(np.unique(labels[own])) == 1 for own in every)
    alike: dict[int, list[NDArray[np.intp]]] = {}
    for own in every:
        alike.setdefault(0 if of_one else len(own), []).append(own)
    return list(alike.values()), of_one


def _rows_of(groups: NDArray[np.str_]) -> list[NDArray[np.intp]]:
    """Return the places of the rows of each group, in the order of their names."""
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])


@dataclass(frozen=True)
class Shuffle:
    """A way to shuffle labels.

    Parameters
    ----------
    how : str
        In words: within speakers, or of whole speakers.
    moved : float
        The share of rows that have another label afterwards, on average.
    draw : callable
        ``draw(labels, groups, rng)`` returns the labels of one shuffle.
    """

    how: str
    moved: float
    draw: Callable[[NDArray[Any], NDArray[np.str_], np.random.Generator], NDArray[Any]]


def choose_shuffle(labels: NDArray[Any], groups: NDArray[np.str_], fewest: int) -> Shuffle:
    """Choose how labels are shuffled: within speakers, unless that moves hardly any; then whole speakers.

    Parameters
    ----------
    labels, groups : ndarray of shape (n_rows,)
        The classes, and who speaks.
    fewest : int
        How many shuffles are to be drawn.

    Raises
    ------
    InputError
        Neither moves a third of the labels, so that a score with shuffled labels would say nothing.
    """
    one = len({*zip(groups, labels, strict=True)}) == len(np.unique(groups))
    moved, least = {}, _AMPLE * fewest if one else fewest
    for how, draw in ((WITHIN, permute_within), (WHOLE, permute_whole)):
        rng = np.random.default_rng(0)
        moved[how] = float(np.mean([(draw(labels, groups, rng) != labels).mean() for _ in range(_TRIED)]))
        if moved[how] >= LEAST_MOVED and (how == WITHIN or n_arrangements(labels, groups) >= least):
            return Shuffle(how, moved[how], draw)
    few = " in too few ways" if moved[WHOLE] >= LEAST_MOVED else ""
    why = "every speaker has one class only: " if one else ""
    raise InputError(
        f"{why}labels cannot be shuffled so that a score would say something: a shuffle {WITHIN} moves "
        f"{moved[WITHIN]:.0%} of them, one {WHOLE} {moved[WHOLE]:.0%}{few}; at least {LEAST_MOVED:.0%} must move: "
        "check on more speakers of as many clips, or on several classes a speaker"
    )


@dataclass(frozen=True)
class Permutations:
    """A score beside those with shuffled labels.

    Parameters
    ----------
    score : float
        With the true labels.
    shuffled : sequence of float
        With shuffled ones.
    chance : float
        What a model without knowledge scores: one over the number of classes for the UAR.
    how : str
        How labels were shuffled.
    moved : float
        The share of labels that a shuffle moves, on average.
    better : {1, -1}
        1 where more is better, -1 where less is.
    """

    score: float
    shuffled: Sequence[float]
    chance: float
    how: str = WITHIN
    moved: float = 1.0
    better: int = 1

    @property
    def p_value(self) -> float:
        """Return the share of shuffles, the true order counted among them, that score at least as well.

        References
        ----------
        Phipson, Smyth (2010), Permutation p-values should never be zero, Statistical Applications in Genetics and
        Molecular Biology 9.
        """
        as_good = self.better * (np.asarray(self.shuffled) - self.score) >= 0
        return (1 + int(np.sum(as_good))) / (1 + len(self.shuffled))

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
        return self.better * (self.mean - self.chance) > 3 * self.std / np.sqrt(len(self.shuffled))
