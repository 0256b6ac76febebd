"""What is taken for what, and the utterances that are most surely wrong: to be listened to first."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ser_experiments.evaluation.scores._sums import counts
from ser_experiments.frames import FOLD, Predictions
from ser_experiments.tasks.classes import PREDICTED


def confusion(predictions: Predictions) -> pd.DataFrame:
    """Return the confusion matrix of classes as counts: true classes down, predicted classes across."""
    classes = predictions.task.targets
    matrix = counts(predictions).sum(axis=0)[:, :-1].astype(int)
    return pd.DataFrame(matrix, index=pd.Index(classes, name="true"), columns=pd.Index(classes, name=PREDICTED))


def surely_wrong(predictions: Predictions, *, most: int = 50) -> pd.DataFrame:
    """Return the wrong predictions of classes with the highest probability.

    Parameters
    ----------
    predictions : Predictions
        Out of fold, with probabilities.
    most : int, default=50
        How many are kept.

    Returns
    -------
    DataFrame
        Indexed by utterance id, surest first: ``speaker``, ``fold``, ``label``, ``predicted``, ``p_predicted`` (of the
        predicted class) and ``p_label`` (of the true class).
    """
    wrong = predictions.frame.loc[predictions.truth != predictions.decided, ["speaker", FOLD, "label", PREDICTED]]
    rows = np.flatnonzero(predictions.truth != predictions.decided)
    values = predictions.values
    table = wrong.assign(
        p_predicted=values[rows, predictions.decided[rows]], p_label=values[rows, predictions.truth[rows]]
    )
    return table.sort_values("p_predicted", ascending=False, kind="stable").head(most)
