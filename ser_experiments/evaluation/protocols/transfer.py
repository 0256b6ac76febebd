"""Train on one corpus, test on another: what a model is worth elsewhere."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.frames import SIDE, TEST


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test every utterance of the other corpus once, by one model of the first."""
    if SIDE not in utterances:
        raise InputError("protocol 'transfer': there is one corpus; say which is tested with --test-corpus")
    group = utterances["speaker"].astype(str)
    tested = utterances[SIDE] == TEST
    words = "every utterance of one corpus is tested by a model of the other"
    rows = utterances.assign(group=group)
    return PROTOCOL.folds(rows, pd.Series(TEST, index=utterances.index).where(tested, ""), words)


PROTOCOL = Protocol("transfer", unit="speaker", cut=cut, partial=True)
