"""Whether what a model will know of its answers holds for speakers it was not learned from.

What a model is told of its out-of-fold predictions (:meth:`ser_experiments.task.Task.learned`) is learned here from all
speakers but some and held against those, in turn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ser_experiments import conformal
from ser_experiments.frames import Predictions


def judged(predictions: Predictions) -> pd.DataFrame:
    """Return what came true for each utterance, of a speaker that what is known was not learned from.

    Parameters
    ----------
    predictions : Predictions
        Out of fold, with ``speaker`` and the numbers of all targets.

    Returns
    -------
    DataFrame of n_rows rows
        A column each thing (:meth:`~ser_experiments.task.Task.judged`): of classes whether the candidates at a risk of
        0.1 hold the class, how many they are, whether there is an answer, and whether it is wrong; of dimensions
        whether the intervals hold the truth. No column with too few speakers.
    """
    frame, task = predictions.frame, predictions.task
    codes, _ = conformal.equal_groups(frame["speaker"].astype(str))
    if codes.max() < conformal.FEWEST_GROUPS:
        return pd.DataFrame(index=frame.index)
    parts = [task.judged(frame[part], task.learned(frame[~part])) for part in conformal.parts_of(codes)]
    return pd.concat(parts).loc[frame.index]


def by_speaker(rows: pd.DataFrame, predictions: Predictions) -> pd.DataFrame:
    """Return the means by speaker, with ``n_utterances``; no row with too few speakers.

    Parameters
    ----------
    rows : DataFrame of n_rows rows
        From :func:`judged`.
    predictions : Predictions
        Of the same rows.
    """
    speakers = predictions.frame["speaker"].astype(str).rename("speaker")
    if rows.columns.empty:
        return pd.DataFrame()
    table = rows.groupby(speakers).mean()
    table.insert(0, "n_utterances", speakers.value_counts().loc[table.index])
    return table


def means(rows: pd.DataFrame, predictions: Predictions) -> dict[str, float]:
    """Return the means in which every speaker weighs the same.

    Parameters
    ----------
    rows : DataFrame of n_rows rows
        From :func:`judged`.
    predictions : Predictions
        Of the same rows.
    """
    _, weights = conformal.equal_groups(predictions.frame["speaker"].astype(str))
    found = {}
    for name, column in rows.items():
        there = column.notna().to_numpy()
        if there.any():
            found[str(name)] = float(np.average(column.to_numpy()[there], weights=weights[there]))
    return found
