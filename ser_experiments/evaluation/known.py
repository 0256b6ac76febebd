"""What training knows of what is tested, told from lists alone: no audio, no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from ser_experiments.evaluation.folds import Fold
from ser_experiments.frames import TEXT, UTTERANCE_ID


class Shared(NamedTuple):
    """What a tested clip and a trained one may have in common: the columns in which they are equal, a word for it."""

    columns: tuple[str, ...]
    noun: str


#: What may be known of a tested clip.
SHARED: Mapping[str, Shared] = {
    "the clip itself": Shared((UTTERANCE_ID,), "clips"),
    "its speaker": Shared(("speaker",), "speakers"),
    "its session": Shared(("session",), "sessions"),
    "its text": Shared((TEXT,), "texts"),
    "its text, by its speaker": Shared(("speaker", TEXT), "pairs"),
    "that in its emotion: another take": Shared(("speaker", TEXT, "emotion"), "triples"),
}


class Known(NamedTuple):
    """How much of what is tested training knows in one respect.

    Parameters
    ----------
    what : str
        A key of :data:`SHARED`.
    n_known, n_tested : int
        Tested rows, counted once a fold: those that training knows, and all.
    values_known, values_tested : int
        The same of what they have in common, such as speakers: over all folds, those that are on both sides of one, and
        those that are tested.
    noun : str
        A word for them.
    """

    what: str
    n_known: int
    n_tested: int
    values_known: int
    values_tested: int
    noun: str

    @property
    def share(self) -> float:
        """Return the share of the tested rows that training knows."""
        return self.n_known / self.n_tested if self.n_tested else float("nan")


def known(rows: pd.DataFrame, folds: Sequence[Fold], shared: Mapping[str, Shared] = SHARED) -> list[Known]:
    """Count what training knows of what is tested.

    Parameters
    ----------
    rows : DataFrame
        One row a clip, indexed by ``utterance_id``.
    folds : sequence of Fold
        Positions of rows; a row may be on both sides of a fold.
    shared : mapping of str to Shared
        What to count.

    Returns
    -------
    list of Known
        Without what is not known of every clip.
    """
    table = rows.assign(**{UTTERANCE_ID: rows.index})
    found = []
    for what, (columns, noun) in shared.items():
        if not set(columns) <= set(table) or table[list(columns)].isna().any(axis=None):
            continue
        key = table[columns[0]].astype(str)
        for column in columns[1:]:
            key = key + "\x1f" + table[column].astype(str)
        n_known, n_tested, on_both, tested = 0, 0, set[str](), set[str]()
        for fold in folds:
            test, train = key.iloc[fold.test], set(key.iloc[fold.train])
            there = test.isin(train)
            n_known, n_tested = n_known + int(there.sum()), n_tested + len(test)
            on_both |= set(test[there])
            tested |= set(test)
        found.append(Known(what, n_known, n_tested, len(on_both), len(tested), noun))
    return found


def verdict(found: Sequence[Known]) -> str:
    """Say in a sentence what a score under such folds is about."""
    share = {one.what: one.share for one in found}
    clip, speaker = share.get("the clip itself"), share.get("its speaker")
    if clip:
        return f"leak: {clip:.0%} of the tested clips are trained on; such a score says nothing of clips that are new"
    if speaker is None:
        return "not known: nothing says who speaks; a score under such folds may be of known speakers"
    if speaker:
        return (
            f"speaker-dependent: {speaker:.0%} of the tested clips are of speakers in training; no score to set beside "
            "one of speakers that are new"
        )
    return _of_new_speakers(share.get("its session"), share.get("its text"))


def _of_new_speakers(session: float | None, text: float | None) -> str:
    if session:
        return (
            f"speaker-independent, but {session:.0%} of the tested clips are of sessions in training: their partner or "
            "their room is known"
        )
    if text is None:
        return "speaker-independent: no tested speaker is in training; nothing says which texts are"
    if text:
        return (
            f"speaker-independent: no tested speaker is in training; {text:.0%} of the tested clips say a text that is"
        )
    return "independent of speaker and text: neither is in training"
