"""Each speaker in turn, on texts that nobody said in training: what is left where neither voice nor words are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Mask, Protocol, dealt, joined, other_groups
from ser_experiments.frames import TEXT


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test a speaker on each of some parts of the texts, by a model of the other speakers on the other parts.

    An utterance whose text is not known counts as a text of its own.
    """
    if TEXT not in utterances or utterances[TEXT].isna().all():
        raise InputError(f"protocol {PROTOCOL.name!r}: this corpus does not say what is said (no {TEXT})")
    speaker = utterances["speaker"].astype(str)
    said = utterances[TEXT].astype(object)
    text = said.where(said.notna(), utterances.index.to_series()).to_numpy(dtype=str)
    n_parts = min(options.n_splits, len(np.unique(text)))
    if n_parts < 2:
        raise InputError(f"protocol {PROTOCOL.name!r}: there is one text only ({text[0]!r})")
    splitter = GroupKFold(n_parts, shuffle=True, random_state=options.seed)
    part, _ = dealt(splitter.split(np.zeros(len(text)), groups=text), utterances)
    group = joined(utterances, "session") if options.shares_room else speaker
    tested_in = speaker + ", texts " + part.str.removeprefix("fold")
    words = (
        f"each speaker in turn is tested, on {n_parts} parts of the texts in turn, by a model that heard neither the "
        "speaker nor those texts"
    )
    return PROTOCOL.folds(utterances.assign(group=group), tested_in, words)


def trains(rows: pd.DataFrame, test: Mask) -> Mask:
    """Train on the rows of other groups whose text is not tested."""
    others = other_groups(rows, test)
    # A card holds no texts: its folds are tested as they were, and checked for speakers alone.
    return others & ~rows[TEXT].isin(rows[TEXT][test].dropna()).to_numpy(dtype=bool) if TEXT in rows else others


PROTOCOL = Protocol("leave-one-speaker-and-text-out", unit="speaker", cut=cut, trains=trains)
