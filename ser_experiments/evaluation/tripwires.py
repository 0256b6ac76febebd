"""Leak tripwires: they run with every experiment and fail it."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import LeakError
from ser_experiments.evaluation.folds import Folds


def check_leaks(folds: Folds, utterances: pd.DataFrame, samples_digest: pd.Series | None = None) -> None:
    """Fail if the test side of any fold is known to its training side.

    Parameters
    ----------
    folds : Folds
        The outer folds.
    utterances : DataFrame
        In the order that the folds refer to.
    samples_digest : Series of str, optional
        A digest of each recording's decoded samples, by utterance id.

    Raises
    ------
    LeakError
        An utterance twice, a row tested twice or never (a partial protocol may leave rows untested), a speaker on both
        sides of a fold (``random`` alone is exempt), or one recording on both sides under two ids (no protocol is
        exempt).
    """
    _once(folds, utterances)
    if not folds.leaky:
        _apart(folds, utterances["speaker"].astype(str), "speaker")
    if samples_digest is not None:
        _apart(folds, samples_digest.reindex(utterances.index), "recording")


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
