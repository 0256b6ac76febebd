"""The folds of a file, whoever speaks on both sides: the score shows the leak."""

from __future__ import annotations

import pandas as pd

from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, other_rows
from ser_experiments.evaluation.own_folds import cut_as_told


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that the file names."""
    return cut_as_told(PROTOCOL, utterances, options)


PROTOCOL = Protocol("own-folds-leaky", unit="speaker", cut=cut, trains=other_rows, leaky=True)
