"""Columns of a ready-made table that are no features: judged by what they tell, whatever they are called.

A feature tells something of the emotion, and of the speaker. None tells either without a mistake: a column that does
was made from the answer. Each judge says in words what a column is, or nothing; what chance could do stays untouched,
so that a table of a few rows is never refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from scipy.special import gammaln
from scipy.stats import spearmanr

Numbers = NDArray[np.float64]
Codes = NDArray[np.intp]

#: A column of so few different values, each in five rows or more in the mean, is one of codes.
_MOST_VALUES, _ROWS_A_VALUE = 50, 5
#: Share of the rows of each class that a column made from the labels finds again; some labels may have been corrected.
_KNOWS = 0.98
#: Natural logarithm of how many ways there are to deal the labels: below, chance could have done it.
_BEYOND_CHANCE = 11.0
#: Deviations of a class that lie between it and all others, where the number was made from the label.
_GAP = 2.0
#: Fewer speakers may be told apart by their voices.
_SPEAKERS = 4
#: Columns that one message names.
_NAMED = 12
#: What raters may have given numbers for.
_RATED = ("valence", "arousal", "activation", "dominance")
#: No measure goes with such numbers beyond this rank correlation, on so many rows; and of how many rows it is taken.
_ALIKE, _FEWEST_RATED, _MOST_RATED = 0.95, 20, 2000
#: Rows that are judged; more tell the same.
_ROWS = 20_000


def giveaways(
    table: pd.DataFrame, utterances: pd.DataFrame, *, in_order: pd.DataFrame | None = None
) -> Iterator[tuple[str, str]]:
    """Yield the columns that are no features, with what they are.

    Parameters
    ----------
    table : DataFrame of shape (n_rows, n_columns)
        Numbers in the order of the utterances.
    utterances : DataFrame of n_rows rows
        ``label``, ``speaker``, ``session`` and ratings of the same rows; what is not known is not judged by.
    in_order : DataFrame, optional
        The numbers of the whole file in the order of the file.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(table))[:_ROWS])
    known = {name: _codes(utterances[name].iloc[chosen]) for name in _JUDGES if _is_known(utterances, name)}
    told = [name for name in _RATED if name in utterances and is_numeric_dtype(utterances[name])]
    rated = {name: utterances[name].iloc[chosen].to_numpy(dtype=np.float64) for name in told}
    file = table if in_order is None else in_order
    of_speakers: dict[str, Numbers] = {}
    for place, name in enumerate(table.columns):
        found = _numbers_rows(file.iloc[:, place].to_numpy(dtype=np.float64))
        values = table.iloc[chosen, place].to_numpy(dtype=np.float64)
        there = ~np.isnan(values)
        if "label" in known:
            found = found or _gaps_tell_label(there, known["label"])
        for what, codes in known.items():
            found = found or _JUDGES[what](values[there], codes[there])
        for what, numbers in rated.items():
            found = found or _tells_rating(values, numbers, what)
        if found:
            yield str(name), found
        elif "speaker" in known and (each := _one_each(values, known["speaker"])) is not None:
            of_speakers[str(name)] = each
    yield from _together(of_speakers)


def _tells_rating(values: Numbers, rating: Numbers, what: str) -> str | None:
    """Say that raters' numbers can be read from a column: no measure of a voice goes with them nearly throughout."""
    both = np.flatnonzero(np.isfinite(values) & np.isfinite(rating))
    both = both[:: max(1, len(both) // _MOST_RATED)]
    if len(both) < _FEWEST_RATED or np.ptp(values[both]) == 0 or np.ptp(rating[both]) == 0:
        return None
    alike = abs(float(spearmanr(values[both], rating[both]).statistic))
    return f"tells {what}: it goes with the raters' numbers nearly throughout" if alike > _ALIKE else None


def _is_known(utterances: pd.DataFrame, name: str) -> bool:
    return name in utterances and bool(utterances[name].notna().all())


def _codes(names: pd.Series) -> Codes:
    return np.asarray(pd.factorize(names, sort=True)[0], dtype=np.intp)


def _numbers_rows(values: Numbers) -> str | None:
    """Say that a column counts the rows: whole numbers without a gap, or equal steps in the order of the file."""
    if len(values) < 8 or np.isnan(values).any():
        return None
    ordered = np.unique(values)
    if len(ordered) < len(values):
        return None
    steps = np.diff(values)
    even = np.abs(steps - steps.mean()).max() <= 1e-4 * np.abs(steps).mean()
    whole = bool((values == np.round(values)).all())
    # A file that lost some rows has gaps in its numbers; a feature of whole numbers has the same twice.
    rising = whole and bool((steps > 0).all() or (steps < 0).all())
    dense = whole and ordered[-1] - ordered[0] + 1 <= 1.5 * len(values)
    return "numbers the rows of the file" if even or rising or dense else None


def _tells_label(values: Numbers, label: Codes) -> str | None:
    """Say that labels can be read from a column."""
    counts = np.bincount(label)
    n_classes = len(counts)
    if n_classes < 2 or not counts.all() or _log_ways(counts) < _BEYOND_CHANCE:
        return None
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) <= min(_MOST_VALUES, len(values) / _ROWS_A_VALUE):
        return _codes_tell_label(codes, label, counts)
    if _in_stretches(values, label, counts):
        return "tells the label: in its order, the classes stand one after another"
    lies_apart = any(_lies_apart(values[label == one], values[label != one], n_classes) for one in range(n_classes))
    if lies_apart:
        return "tells the label: one class lies far from all others"
    return "tells the label: some classes lie far from the others" if _fall_apart(values, label, counts) else None


def _lies_apart(inside: Numbers, rest: Numbers, n_classes: int) -> bool:
    """Whether a class is further from all others than it is wide."""
    if _log_ways(np.array([len(inside), len(rest)])) < _BEYOND_CHANCE:
        return False
    gap = max(inside.min() - rest.max(), rest.min() - inside.max())
    return bool(gap > _GAP * max(inside.std(), rest.std() if n_classes == 2 else inside.std()))


def _fall_apart(values: Numbers, label: Codes, counts: Codes) -> bool:
    """Whether classes fall into two heaps with nothing between, further from each other than any class is wide."""
    inside = [values[label == one] for one in range(len(counts))]
    order = np.argsort([one.mean() for one in inside])
    tops = np.maximum.accumulate([inside[one].max() for one in order])
    bottoms = np.minimum.accumulate([inside[one].min() for one in order[::-1]])[::-1]
    gaps = bottoms[1:] - tops[:-1]
    below = counts[order].cumsum()[int(gaps.argmax())]
    apart = _log_ways(np.array([below, counts.sum() - below])) >= _BEYOND_CHANCE
    return bool(apart and gaps.max() > _GAP * max(one.std() for one in inside))


def _gaps_tell_label(there: NDArray[np.bool_], label: Codes) -> str | None:
    """Say that a number is missing of some classes, and of no other."""
    counts = np.bincount(label)
    if there.all() or _log_ways(np.bincount(there)) < _BEYOND_CHANCE or len(counts) < 2 or not counts.all():
        return None
    told = _codes_tell_label(there.astype(np.intp), label, counts)
    return None if told is None else "tells the label: it is empty for some classes and filled for the others"


def _codes_tell_label(codes: Codes, label: Codes, counts: Codes) -> str | None:
    """Say that the values of a column stand for classes: each for one, or for some, as in columns of 0 and 1."""
    table = np.zeros((int(codes.max()) + 1, len(counts)))
    np.add.at(table, (codes, label), 1)
    if len(table) < 2:
        return None
    # Classes that have one value each, which several may share: positive and negative ones, bits of a number.
    of_class = table.argmax(axis=0)
    sizes = np.bincount(of_class, weights=counts)
    if _log_ways(sizes) >= _BEYOND_CHANCE and (table.max(axis=0) / counts).mean() >= _KNOWS:
        return "tells the label: its values stand for classes"
    for one in range(len(counts)):
        rest = counts.sum() - counts[one]
        if _log_ways(np.array([counts[one], rest])) < _BEYOND_CHANCE:
            continue
        # Each value counts for the side that it is more typical of.
        inside = table[:, one] / counts[one]
        outside = (table.sum(axis=1) - table[:, one]) / rest
        if (inside[inside > outside].sum() + outside[outside >= inside].sum()) / 2 >= _KNOWS:
            return "tells the label: its values stand for classes"
    return None


def _in_stretches(values: Numbers, label: Codes, counts: Codes) -> bool:
    """Whether the order of a column puts each class in one stretch, or in a few, as the parts of a file's name do."""
    ordered = label[np.lexsort((label, values))]
    n_changes, n_spoilt = int((np.diff(ordered) != 0).sum()), 2 * (1 - _KNOWS) * len(ordered)
    if n_changes > max(len(counts) - 1, len(ordered) / _ROWS_A_VALUE) + n_spoilt:
        return False
    # A voice tells two classes apart as well, with one threshold between them.
    if len(counts) == 2 and n_changes <= 2 + n_spoilt:
        return False
    from sklearn.tree import DecisionTreeClassifier

    least = min(_ROWS_A_VALUE, int(counts.min()))
    tree = DecisionTreeClassifier(min_samples_leaf=least, class_weight="balanced", random_state=0)
    said = tree.fit(values[:, None], label).predict(values[:, None])
    return bool(np.mean([(said[label == one] == one).mean() for one in range(len(counts))]) >= _KNOWS)


def _tells_group(values: Numbers, speaker: Codes, what: str) -> str | None:
    """Say that speakers can be read from a column without a mistake; a code of two kinds of speakers is none."""
    counts = np.bincount(speaker)
    if len(counts) < 3 or not counts.all() or _log_ways(counts) < _BEYOND_CHANCE:
        return None
    ordered = speaker[np.lexsort((speaker, values))]
    if (np.diff(ordered) != 0).sum() > len(counts) - 1 or _shared_value(values, speaker):
        return None
    if all(np.ptp(values[speaker == one]) == 0 for one in range(len(counts))):
        return f"tells the {what}: one number for all its rows, and another for each {what}"
    return f"tells the {what}: in its order, each {what} stands in one piece" if len(counts) >= _SPEAKERS else None


def _one_each(values: Numbers, speaker: Codes) -> Numbers | None:
    """Return the number that all rows of a speaker have, by speaker; None where a speaker has several."""
    order = np.argsort(speaker, kind="stable")
    begins = np.flatnonzero(np.diff(speaker[order], prepend=-1))
    ordered = np.nan_to_num(values[order], nan=np.inf)
    lowest, highest = np.minimum.reduceat(ordered, begins), np.maximum.reduceat(ordered, begins)
    told = len(begins) < len(values) and bool((lowest == highest).all()) and bool((lowest != lowest[0]).any())
    return lowest if told else None


def _together(of_speakers: dict[str, Numbers]) -> Iterator[tuple[str, str]]:
    """Yield columns of one number a speaker that tell all speakers apart together, as columns of 0 and 1 do."""
    if len(of_speakers) < 2:
        return
    each = np.stack(list(of_speakers.values()), axis=1)
    if len(each) >= _SPEAKERS and len(np.unique(each, axis=0)) == len(each):
        first, *rest = of_speakers
        others = ", ".join(map(repr, rest[:_NAMED])) + (f" and {len(rest) - _NAMED} more" if len(rest) > _NAMED else "")
        yield first, f"tells the speaker together with {others}: one number each for all rows of a speaker"


def _shared_value(values: Numbers, speaker: Codes) -> bool:
    """Whether two speakers have a value in common."""
    return bool(pd.DataFrame({"value": values, "speaker": speaker}).groupby("value")["speaker"].nunique().max() > 1)


def _log_ways(counts: NDArray[np.integer]) -> float:
    """Return the natural logarithm of the number of ways to deal labels of these counts to rows."""
    return float(gammaln(counts.sum() + 1) - gammaln(counts + 1).sum())


#: By what is known of an utterance: who says that a column tells it.
_JUDGES: dict[str, Callable[[Numbers, Codes], str | None]] = {
    "label": _tells_label,
    "speaker": partial(_tells_group, what="speaker"),
    "session": partial(_tells_group, what="session"),
}
