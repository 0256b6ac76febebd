"""Each file in turn, for recordings that hold several speakers: their room and their dialog are new to the model."""

from __future__ import annotations

import os

import pandas as pd

from ser_experiments.evaluation.folds import CutOptions, Folds, Protocol, joined


def cut(utterances: pd.DataFrame, options: CutOptions) -> Folds:
    """Test each file once; files that share a speaker are one."""
    paths = (utterances["path"] if "path" in utterances else utterances.index.to_series()).astype(str)
    names = paths.map(os.path.basename)
    # Two files of one name are told apart by where they lie.
    several = paths.groupby(names).transform("nunique") > 1
    file = names.where(~several, paths)
    together = file.groupby(joined(utterances.assign(file=file), "file"))
    n_more = together.transform("nunique") - 1
    group = together.transform("min").where(n_more == 0, together.transform("min") + "+" + n_more.astype(str))
    words = "each file in turn is tested by a model that heard neither the file nor any of its speakers"
    return PROTOCOL.folds(utterances.assign(group=group), group, words)


PROTOCOL = Protocol("leave-one-recording-out", unit="recording", cut=cut)
