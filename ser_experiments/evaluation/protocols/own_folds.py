"""The folds of a user's file."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.told import cut_as_told


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that the file names."""
    if options.assigned is None:
        raise InputError("protocol 'own-folds': say which utterance is in which fold with --folds-file CSV")
    missing = utterances.index.difference(options.assigned.index)
    if len(missing):
        raise InputError(
            f"--folds-file: {len(missing)} of {len(utterances)} utterances have no fold, e.g. {missing[0]!r}; add "
            "them, or leave them out of the corpus"
        )
    told = options.assigned.loc[utterances.index].astype(str)
    unused = len(options.assigned) - len(utterances)
    rest = f" ({unused} of its ids are not among these utterances)" if unused else ""
    return cut_as_told(utterances, told, options, f"{told.nunique()} folds of a file{rest}")


PROTOCOL = Protocol("own-folds", unit="speaker", cut=cut, partial=True, may_leak=True)
