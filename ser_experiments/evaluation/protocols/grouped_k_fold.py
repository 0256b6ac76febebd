"""A given number of folds with every speaker in one of them, for corpora of many speakers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, dealt, joined


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Deal speakers to folds; where the room is shared, whole sessions."""
    n_splits = options.n_splits
    group = joined(utterances, "session") if options.shares_room else utterances["speaker"].astype(str)
    n_groups = group.nunique()
    if n_groups < n_splits:
        raise InputError(f"protocol 'grouped-k-fold': {n_splits} folds of {n_groups} groups; choose at most {n_groups}")
    splitter = GroupKFold(n_splits, shuffle=True, random_state=options.seed)
    tested_in, names = dealt(splitter.split(np.zeros(len(group)), groups=group.to_numpy()), utterances)
    words = f"{n_splits} folds; speakers of the tested fold were not seen in training"
    return PROTOCOL.folds(utterances.assign(group=group), tested_in, words, names=names)


PROTOCOL = Protocol("grouped-k-fold", unit="speaker", cut=cut)
