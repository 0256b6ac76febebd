"""Random folds, as many papers have them: tested speakers were trained on, and the score shows the leak."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, dealt, other_rows


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Deal rows to folds, each with every class, or part of the scale, in its share."""
    n_splits, label = options.n_splits, options.strata
    if label is None:
        raise InputError("protocol 'random': nothing is known of the truth; folds of equal shares cannot be dealt")
    least = label.value_counts()
    if least.iloc[-1] < n_splits:
        raise InputError(f"protocol 'random': {least.index[-1]!r} has {least.iloc[-1]} utterances for {n_splits} folds")
    splitter = StratifiedKFold(n_splits, shuffle=True, random_state=options.seed)
    tested_in, names = dealt(splitter.split(np.zeros(len(label)), label.to_numpy(dtype=str)), utterances)
    words = f"{n_splits} random folds: tested speakers were seen in training, so the score is inflated"
    rows = utterances.assign(group=utterances["speaker"].astype(str))
    return PROTOCOL.folds(rows, tested_in, words, names=names)


PROTOCOL = Protocol("random", unit="speaker", cut=cut, trains=other_rows, leaky=True)
