"""The folds of a user's file."""

from __future__ import annotations

import pandas as pd

from ser_experiments.errors import InputError
from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol
from ser_experiments.evaluation.lists import by_name
from ser_experiments.evaluation.told import cut_as_told
from ser_experiments.frames import FOLD


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each utterance in the fold that the file names."""
    if options.assigned is None:
        raise InputError("protocol 'own-folds': say which utterance is in which fold with --folds-file FILE")
    assigned = by_name(options.assigned.to_frame(FOLD), utterances.index, "--folds-file")[FOLD]
    missing = utterances.index.difference(assigned.index)
    if len(missing):
        raise InputError(
            f"--folds-file: {len(missing)} of {len(utterances)} utterances have no fold, e.g. {missing[0]!r}; add "
            "them, or leave them out of the corpus"
        )
    told = assigned.loc[utterances.index].astype(str)
    unused = len(assigned) - len(utterances)
    rest = f" ({unused} of its ids are not among these utterances)" if unused else ""
    return cut_as_told(utterances, told, options, f"{told.nunique()} folds of a file{rest}")


PROTOCOL = Protocol("own-folds", unit="speaker", cut=cut, partial=True, may_leak=True)
