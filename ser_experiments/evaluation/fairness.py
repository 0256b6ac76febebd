"""Whether a model is as good for one group of people as for another, and what chance alone would show.

With ten speakers two groups of five differ whatever the model does. How much they may differ is not an opinion:
speakers are dealt to groups of the same sizes at random, again and again, and the difference is held against those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import comb, factorial, prod

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ser_experiments.evaluation.score import Groups, GroupSums
from ser_experiments.evaluation.scoring import chosen_score
from ser_experiments.frames import Predictions

#: Deals of speakers to groups, and the share of them that a difference must exceed.
DRAWS, LEVEL = 2000, 0.95
#: With fewer ways to deal them nothing exceeds that share.
_FEWEST_WAYS = 20
#: What a corpus may know of its speakers that they are grouped by, and what they are whatever it knows.
KNOWN_OF, PITCH = ("gender", "language", "age_group", "corpus"), "pitch"
PASSED, FAILED, UNKNOWN = "passed", "failed", "cannot be told with so few speakers"
#: Where there is less room.
SHORTLY = {PASSED: "passed", FAILED: "failed", UNKNOWN: "cannot be told"}


@dataclass(frozen=True)
class Part:
    """What groups of speakers score on one target alone: the recall of a class, the CCC of a dimension.

    Parameters
    ----------
    name : str
        E.g. ``"recall of anger"``.
    scores : dict of str to float
        By group; NaN of a group that has none of it.
    difference : float
        Between the best and the worst group.
    threshold : float
        What the difference would be at most by chance; of 95 % of the deals, no part of any target exceeds its own.
    verdict : str
        :data:`PASSED`, :data:`FAILED` or :data:`UNKNOWN`.
    """

    name: str
    scores: Mapping[str, float]
    difference: float
    threshold: float
    verdict: str


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
    parts : sequence of Part
        The same of each class or dimension alone, where the score has such parts.
    """

    by: str
    scores: Mapping[str, float]
    n_speakers: Mapping[str, int]
    difference: float
    threshold: float
    verdict: str
    parts: Sequence[Part] = field(default=())


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
        parts = _parts(predictions, score, names, codes, None)
        return Fairness(by, scores, n_speakers, difference, float("nan"), UNKNOWN, parts)
    rng = np.random.default_rng(seed)
    dealt = np.array([rng.permutation(codes) for _ in range(DRAWS)])
    spans = np.ptp(score.under(_members(dealt, len(names))).reshape(DRAWS, len(names)), axis=1)
    threshold = float(np.quantile(spans[np.isfinite(spans)], LEVEL))
    parts = _parts(predictions, score, names, codes, dealt)
    return Fairness(by, scores, n_speakers, difference, threshold, _verdict(difference, threshold), parts)


def _parts(
    predictions: Predictions,
    score: Groups,
    names: NDArray[np.str_],
    codes: NDArray[np.intp],
    dealt: NDArray[np.intp] | None,
) -> list[Part]:
    """Return what groups score on each target alone, held against deals where there are enough of them."""
    each = score.score.each
    if each is None or not isinstance(score, GroupSums):
        return []
    n_targets = len(predictions.task.targets)
    values = score.each_under(_members(codes[None], len(names)))
    differences = _spans(values[None])[0]
    thresholds = np.full(n_targets, np.nan)
    if dealt is not None:
        drawn = score.each_under(_members(dealt, len(names))).reshape(len(dealt), len(names), n_targets)
        thresholds = _together(_spans(drawn))
    found = []
    for place, target in enumerate(predictions.task.targets):
        by_group = dict(zip(map(str, names), map(float, values[:, place]), strict=True))
        difference, threshold = float(differences[place]), float(thresholds[place])
        name = f"{each.prefix.upper() if each.prefix == score.score.name else each.prefix} of {target}"
        found.append(Part(name, by_group, difference, threshold, _verdict(difference, threshold)))
    return found


def _spans(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far groups differ, from (n_deals, n_groups, n_targets) to (n_deals, n_targets); NaN with one group."""
    known = np.isfinite(values)
    spans = np.where(known, values, -np.inf).max(axis=1) - np.where(known, values, np.inf).min(axis=1)
    return np.where(known.sum(axis=1) > 1, spans, np.nan)


def _together(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the differences of all targets stay below in 95 % of the deals, each on its own scale.

    The rarest of the differences of a deal is held against the rarest of all other deals (Westfall and Young, 1993,
    Resampling-based multiple testing, the smallest p-value): of many classes some would exceed their own 95 %.
    """
    spans = np.where(np.isfinite(spans), spans, 0.0)
    rare = rankdata(-spans, method="max", axis=0) / len(spans)
    # Of few speakers there are few deals: what is rarer than this is so in 5 % of them at most.
    level = np.quantile(rare.min(axis=1), 1 - LEVEL, method="lower")
    return np.array(np.where(rare >= level, spans, 0.0).max(axis=0))


def _verdict(difference: float, threshold: float) -> str:
    if not np.isfinite([difference, threshold]).all():
        return UNKNOWN
    return FAILED if difference > threshold + 1e-12 else PASSED


def _members(dealt: NDArray[np.intp], n_groups: int) -> NDArray[np.float64]:
    """Return who is in each group of each deal, shape (n_deals * n_groups, n_speakers)."""
    return (dealt[:, None, :] == np.arange(n_groups)[None, :, None]).reshape(-1, dealt.shape[1]).astype(np.float64)


def _ways(sizes: NDArray[np.intp]) -> float:
    """Return in how many ways speakers can be dealt to groups of these sizes; which is called which is no matter."""
    ways = prod(comb(int(sizes[place:].sum()), int(size)) for place, size in enumerate(sizes))
    return ways / prod(factorial(int(n)) for n in np.unique(sizes, return_counts=True)[1])
