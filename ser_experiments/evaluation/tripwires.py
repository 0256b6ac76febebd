"""Leak tripwires: they run with every experiment and fail it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ser_experiments.errors import LeakError
from ser_experiments.evaluation.copies import find_copies
from ser_experiments.evaluation.equal_rows import equal_rows
from ser_experiments.evaluation.folds import Folds
from ser_experiments.evaluation.segments import files_of, overlapping, shared_by_speakers, words_of

#: Two places, and what is said of them.
Pair = tuple[int, int, str]


def check_leaks(
    folds: Folds,
    utterances: pd.DataFrame,
    samples_digest: pd.Series | None = None,
    *,
    content: pd.Series | None = None,
    envelope: pd.Series | None = None,
    table: pd.DataFrame | None = None,
) -> list[str]:
    """Fail if the test side of any fold is known to its training side.

    Parameters
    ----------
    folds : Folds
        The outer folds.
    utterances : DataFrame
        In the order that the folds refer to.
    samples_digest : Series of str, optional
        A digest of each recording's decoded samples, by utterance id.
    content : Series, optional
        A digest of each utterance's file, by utterance id; without it a file is known by where it lies.
    envelope : Series of bytes, optional
        The envelope of each recording, by utterance id.
    table : DataFrame, optional
        Numbers by utterance id that another program measured, for recordings that cannot be read.

    Returns
    -------
    list of str
        What leaks into no fold, and should be known: copies that stand on one side, files that speakers share.

    Raises
    ------
    LeakError
        An utterance twice, a row tested twice or never (a partial protocol may leave rows untested), a speaker on both
        sides of a fold (``random`` alone is exempt), or one recording on both sides under two ids, whether bit-equal,
        encoded again, an overlapping segment or an equal row of a table (no protocol is exempt).
    """
    index = utterances.index
    _once(folds, utterances)
    if not folds.leaky:
        _apart(folds, utterances["speaker"].astype(str), "speaker")
    if samples_digest is not None:
        _apart(folds, samples_digest.reindex(index), "recording")
    said = [] if "path" not in utterances else _segments(folds, utterances, content)
    pairs: list[Pair] = []
    if envelope is not None:
        found = find_copies(envelope.reindex(index).tolist())
        pairs = [(one, other, f"one recording, encoded again (alike at {alike:.2f})") for one, other, alike in found]
    if table is not None:
        known = {pair[:2] for pair in pairs}
        rows = [pair for pair in equal_rows(table.reindex(index)) if pair not in known]
        pairs += [(one, other, "equal rows of the table") for one, other in rows]
    inside = _none_across(folds, utterances, pairs, "remove one of each pair")
    if inside:
        first, second, _ = inside[0]
        said.append(
            f"{len(inside)} pairs of utterances are copies of each other on one side of every fold, and count twice "
            f"(e.g. {index[first]!r} and {index[second]!r})"
        )
    return said


def _segments(folds: Folds, utterances: pd.DataFrame, content: pd.Series | None) -> list[str]:
    """Fail where segments overlap across folds, and say which files are heard on both sides."""
    index = utterances.index
    files = files_of(utterances, None if content is None else content.reindex(index).tolist())
    pairs: list[Pair] = [
        (one, other, "one recording" if np.isinf(shared) else f"segments of one file that overlap by {shared:.2f} s")
        for one, other, shared in overlapping(utterances, files)
    ]
    _none_across(folds, utterances, pairs, "remove one, or keep files together: --protocol leave-one-recording-out")
    shared = shared_by_speakers(utterances, files, folds.group)
    if not shared:
        return []
    place, speakers = next(iter(shared.items()))
    return [
        f"{len(shared)} files hold segments of several speakers on both sides of folds (e.g. {index[place]!r}: "
        f"{', '.join(speakers)}): they share a room, which may tell; --protocol leave-one-recording-out keeps them "
        "together"
    ]


def _none_across(folds: Folds, utterances: pd.DataFrame, pairs: Sequence[Pair], do: str) -> list[Pair]:
    """Fail where a fold tests one of a pair and trains on the other; return the pairs, which no fold sets apart."""
    if not pairs:
        return []
    first, second = (np.array([pair[side] for pair in pairs]) for side in (0, 1))
    told: list[tuple[int, str, int, int]] = []
    across = np.zeros(len(pairs), dtype=bool)
    for fold in folds.folds:
        tested, trained = (np.isin(np.arange(len(utterances)), side) for side in (fold.test, fold.train))
        for one, other in ((first, second), (second, first)):
            here = np.flatnonzero(tested[one] & trained[other])
            told += [(int(at), fold.name, int(one[at]), int(other[at])) for at in here[:1]]
            across[here] = True
    if not told:
        return list(pairs)
    at, name, test, train = told[0]
    called = [f"{utterances.index[place]!r} {words_of(utterances.iloc[place])}" for place in (test, train)]
    more = int(across.sum()) - 1
    raise LeakError(
        f"leak: fold {name!r} tests {called[0]} while it trains on {called[1]}: {pairs[at][2]}"
        + (f", and {more} more pairs" if more else "")
        + f"; {do}"
    )


def _once(folds: Folds, utterances: pd.DataFrame) -> None:
    if utterances.index.has_duplicates:
        twice = utterances.index[utterances.index.duplicated()][0]
        raise LeakError(f"leak: utterance {twice!r} stands in the table twice; every id must be unique")
    tested = pd.Series([i for fold in folds.folds for i in fold.test])
    if tested.duplicated().any() or (len(tested) != len(utterances) and not folds.partial):
        raise LeakError(f"leak: {len(tested)} tested rows for {len(utterances)} utterances; each must be tested once")
    for fold in folds.folds:
        if set(fold.train) & set(fold.test):
            raise LeakError(f"leak: fold {fold.name!r} trains on rows that it tests")


def _apart(folds: Folds, values: pd.Series, what: str) -> None:
    for fold in folds.folds:
        train, test = values.iloc[fold.train], values.iloc[fold.test]
        shared = test[test.isin(set(train.dropna()))]
        if len(shared):
            first = shared.index[0]
            other = train.index[(train == shared.iloc[0]).to_numpy()][0]
            raise LeakError(
                f"leak: fold {fold.name!r} tests {first!r} while it trains on {other!r}: the same {what}"
                + (f" {shared.iloc[0]!r}" if what == "speaker" else "; remove one of the copies")
            )
