"""Folds that are told, not dealt: by a file of a user's, by who released a corpus, by who published on it."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, joined
from ser_experiments.frames import DEV, TRAIN

#: What is trained on and never tested, where a cut has sides instead of folds.
SIDES = (TRAIN, DEV)


def assigned(utterances: pd.DataFrame, protocol: Protocol) -> pd.Series:
    """Return what a corpus knows of a cut, of each utterance.

    Raises
    ------
    InputError
        It knows nothing of the cut, or the cut is not about some of the utterances.
    """
    if protocol.assigns is None:
        raise InputError(f"protocol {protocol.name!r}: it does not say where its folds stand")
    told = protocol.assigns(utterances, protocol)
    if told.isna().any():
        raise InputError(
            f"protocol {protocol.name!r}: {int(told.isna().sum())} of {len(told)} utterances are in none of its folds, "
            f"e.g. {told.index[told.isna()][0]!r}; leave them out"
        )
    return told.astype(str)


def cut_as_told(utterances: pd.DataFrame, told: pd.Series, options: CutOptions, words: str) -> Folds:
    """Cut as somebody else did.

    Parameters
    ----------
    utterances : DataFrame
        With ``speaker`` and ``session``.
    told : Series of str
        The fold that tests each utterance, or ``"train"`` or ``"dev"`` of one that none tests.
    options : CutOptions
        Whose protocol keeps speakers apart, or is marked as leaky.
    words : str
        The protocol in a sentence.

    Raises
    ------
    InputError
        A speaker is on several sides, or a fold leaves nobody to train on.
    """
    protocol = options.protocol
    group = utterances["speaker"].astype(str)
    if not protocol.leaky:
        _keep_apart(told, group, protocol.name)
        group = joined(utterances, "session") if options.shares_room else group
    tested_in = told.where(~told.isin(SIDES), "")
    if not (tested_in != "").any():
        raise InputError(f"protocol {protocol.name!r}: none of these utterances is tested; choose another --protocol")
    folds = protocol.folds(utterances.assign(group=group), tested_in, words)
    development = told == DEV
    if development.any():
        folds = replace(
            folds, development=development, words=f"{words}; what is tuned is tuned on the development side"
        )
    # Where a room is shared, who speaks with a tested speaker is not trained on; there may be nobody left.
    alone = next((fold.name for fold in folds.folds if not len(fold.train)), None)
    if alone is not None:
        raise InputError(f"protocol {protocol.name!r}: fold {alone!r} leaves nobody to train on")
    return folds


def _keep_apart(told: pd.Series, speaker: pd.Series, protocol: str) -> None:
    # Training and development are one side here.
    side = told.replace(dict.fromkeys(SIDES, SIDES[0]))
    on_sides = side.groupby(speaker.to_numpy()).unique()
    split = on_sides[on_sides.map(len) > 1]
    if len(split):
        name, sides = split.index[0], ", ".join(sorted(split.iloc[0]))
        raise InputError(
            f"protocol {protocol!r}: speaker {name!r} is in the folds {sides} ({len(split)} speakers in several): a "
            "tested speaker would be known from training; --allow-leak shows that score, marked as leaky"
        )
