"""The folds of a file, which keep speakers apart."""

from __future__ import annotations

import pandas as pd

from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.own_folds import cut_as_told


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that the file names."""
    return cut_as_told(PROTOCOL, utterances, options)


PROTOCOL = Protocol("own-folds", unit="speaker", cut=cut)
