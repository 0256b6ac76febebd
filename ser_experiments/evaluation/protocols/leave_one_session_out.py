"""Each session in turn: its speakers, their room and their dialogs are new to the model."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, joined


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each session once; sessions that share a speaker are one."""
    if utterances["session"].isna().any():
        raise InputError("protocol 'leave-one-session-out': no sessions are known here; use leave-one-speaker-out")
    group = joined(utterances, "session")
    words = "each session in turn is tested by a model that saw none of its speakers"
    return PROTOCOL.folds(utterances.assign(group=group), group, words)


PROTOCOL = Protocol("leave-one-session-out", unit="session", cut=cut)
