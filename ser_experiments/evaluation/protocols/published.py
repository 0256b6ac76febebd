"""Folds that others have published on a corpus: ``published:emobox``."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError, nearest
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.told import assigned, cut_as_told
from ser_experiments.frames import PUBLISHED


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that was published."""
    protocol = options.protocol
    return cut_as_told(utterances, assigned(utterances, protocol), options, f"folds as published ({protocol.which})")


def fold(utterances: pd.DataFrame, protocol: Protocol) -> pd.Series:
    """Return the published fold of each utterance."""
    known = [str(name).removeprefix(PUBLISHED) for name in utterances if str(name).startswith(PUBLISHED)]
    if protocol.which not in known:
        there = nearest(protocol.which, known) if known else "; none are known of this corpus"
        raise InputError(f"protocol 'published': no folds {protocol.which!r}{there}")
    return utterances[PUBLISHED + protocol.which]


PROTOCOL = Protocol("published", unit="speaker", cut=cut, partial=True, may_leak=True, takes_name=True, assigns=fold)
