"""Folds that others have published on a corpus: ``published:emobox``."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError, nearest
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.told import cut_as_told

#: Begins the names of the columns that hold them.
PREFIX = "published_"


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that was published."""
    known = [str(name).removeprefix(PREFIX) for name in utterances if str(name).startswith(PREFIX)]
    if options.which not in known:
        there = nearest(options.which, known) if known else "; none are known of this corpus"
        raise InputError(f"protocol 'published': no folds {options.which!r}{there}")
    told = utterances[PREFIX + options.which]
    if told.isna().any():
        first = told.index[told.isna()][0]
        raise InputError(
            f"protocol 'published:{options.which}': {int(told.isna().sum())} of {len(told)} utterances are in none of "
            f"its folds, e.g. {first!r}; leave them out of the corpus or use another --protocol"
        )
    return cut_as_told(utterances, told.astype(str), options, f"folds as published ({options.which})")


PROTOCOL = Protocol("published", unit="speaker", cut=cut, partial=True, may_leak=True, takes_name=True)
