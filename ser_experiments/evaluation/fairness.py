"""Whether a model is as good for one group of people as for another, and what chance alone would show.

With ten speakers two groups of five differ whatever the model does. How much they may differ is not an opinion:
speakers are dealt to groups of the same sizes at random, again and again, and the difference is held against those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb, factorial, prod

import numpy as np
from numpy.typing import NDArray

from ser_experiments.evaluation.scoring import chosen_score
from ser_experiments.frames import Predictions

#: Deals of speakers to groups, and the share of them that a difference must exceed.
DRAWS, LEVEL = 2000, 0.95
#: With fewer ways to deal them nothing exceeds that share.
_FEWEST_WAYS = 20
PASSED, FAILED, UNKNOWN = "passed", "failed", "cannot be told with so few speakers"


@dataclass(frozen=True)
class Fairness:
    """The score of groups of speakers.

    Parameters
    ----------
    by : str
        What speakers are grouped by, e.g. ``"gender"``.
    scores : dict of str to float
        By group.
    n_speakers : dict of str to int
        By group.
    difference : float
        Between the best and the worst group.
    threshold : float
        What the difference would be at most in 95 % of deals of speakers to groups of these sizes; NaN if it cannot be
        told.
    verdict : str
        :data:`PASSED`, :data:`FAILED` or :data:`UNKNOWN`.
    """

    by: str
    scores: Mapping[str, float]
    n_speakers: Mapping[str, int]
    difference: float
    threshold: float
    verdict: str


def fairness(predictions: Predictions, by: str, groups: Mapping[str, str], *, seed: int = 0) -> Fairness | None:
    """Score groups of speakers, and the groups that chance would make of them.

    Parameters
    ----------
    predictions : Predictions
        Out of fold, with ``speaker``.
    by : str
        What speakers are grouped by.
    groups : mapping of str to str
        The group of each speaker; those without one are left out.
    seed : int
        Of the deals.

    Returns
    -------
    Fairness or None
        None where there are no two groups.
    """
    speakers = predictions.frame["speaker"].astype(str)
    predictions = predictions.rows(speakers.isin(list(groups)).to_numpy()) if groups else predictions
    if len(set(groups.values()) & {groups.get(one) for one in speakers}) < 2:
        return None
    score = chosen_score(predictions).on(predictions, "speaker")
    names, codes = np.unique([groups[str(one)] for one in score.names], return_inverse=True)
    sizes = np.bincount(codes)
    each = score.under(_members(codes[None], len(names)))
    difference = float(np.ptp(each))
    scores = dict(zip(map(str, names), map(float, each), strict=True))
    n_speakers = dict(zip(map(str, names), map(int, sizes), strict=True))
    if _ways(sizes) < _FEWEST_WAYS:
        return Fairness(by, scores, n_speakers, difference, float("nan"), UNKNOWN)
    rng = np.random.default_rng(seed)
    dealt = np.array([rng.permutation(codes) for _ in range(DRAWS)])
    spans = np.ptp(score.under(_members(dealt, len(names))).reshape(DRAWS, len(names)), axis=1)
    threshold = float(np.quantile(spans[np.isfinite(spans)], LEVEL))
    verdict = FAILED if difference > threshold + 1e-12 else PASSED
    return Fairness(by, scores, n_speakers, difference, threshold, verdict)


def _members(dealt: NDArray[np.intp], n_groups: int) -> NDArray[np.float64]:
    """Return who is in each group of each deal, shape (n_deals * n_groups, n_speakers)."""
    return (dealt[:, None, :] == np.arange(n_groups)[None, :, None]).reshape(-1, dealt.shape[1]).astype(np.float64)


def _ways(sizes: NDArray[np.intp]) -> float:
    """Return in how many ways speakers can be dealt to groups of these sizes; which is called which is no matter."""
    ways = prod(comb(int(sizes[place:].sum()), int(size)) for place, size in enumerate(sizes))
    return ways / prod(factorial(int(n)) for n in np.unique(sizes, return_counts=True)[1])
