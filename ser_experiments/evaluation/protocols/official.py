"""The official split of a corpus: the test side is scored once."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.told import assigned, cut_as_told
from ser_experiments.frames import PARTITION


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test the test side by one model of the others; what is tuned is tuned on the development side."""
    words = "the official test side is tested once by a model of the training and development sides"
    return cut_as_told(utterances, assigned(utterances, options.protocol), options, words)


def partition(utterances: pd.DataFrame, protocol: Protocol) -> pd.Series:
    """Return the official side of each utterance."""
    if PARTITION not in utterances or utterances[PARTITION].isna().all():
        raise InputError("protocol 'official': this corpus has no official split; use another --protocol")
    return utterances[PARTITION]


PROTOCOL = Protocol("official", unit="speaker", cut=cut, partial=True, may_leak=True, assigns=partition)
