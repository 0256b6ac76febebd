"""Folds that others have published on a corpus: ``published:emobox``."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError, nearest
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.told import cut_as_told
from ser_experiments.frames import PUBLISHED


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that was published."""
    which = options.protocol.which
    known = [str(name).removeprefix(PUBLISHED) for name in utterances if str(name).startswith(PUBLISHED)]
    if which not in known:
        there = nearest(which, known) if known else "; none are known of this corpus"
        raise InputError(f"protocol 'published': no folds {which!r}{there}")
    told = utterances[PUBLISHED + which]
    if told.isna().any():
        first = told.index[told.isna()][0]
        raise InputError(
            f"protocol 'published:{which}': {int(told.isna().sum())} of {len(told)} utterances are in none of "
            f"its folds, e.g. {first!r}; leave them out of the corpus or use another --protocol"
        )
    return cut_as_told(utterances, told.astype(str), options, f"folds as published ({which})")


PROTOCOL = Protocol("published", unit="speaker", cut=cut, partial=True, may_leak=True, takes_name=True)
