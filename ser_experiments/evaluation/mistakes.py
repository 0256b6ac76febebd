"""The utterances that are most surely wrong: to be listened to first."""

from __future__ import annotations

import pandas as pd

from ser_experiments.evaluation.metrics import PROBABILITY


def surely_wrong(predictions: pd.DataFrame, *, most: int = 50) -> pd.DataFrame:
    """Return the wrong predictions with the highest probability.

    Parameters
    ----------
    predictions : DataFrame
        Out-of-fold predictions, as :func:`ser_experiments.evaluation.crossval.cross_validate` returns them.
    most : int, default=50
        How many are kept.

    Returns
    -------
    DataFrame
        Indexed by utterance id, surest first: ``speaker``, ``fold``, ``label``, ``predicted``, ``p_predicted`` (of the
        predicted class) and ``p_label`` (of the true class).
    """
    wrong = predictions[predictions["label"] != predictions["predicted"]]
    table = wrong[["speaker", "fold", "label", "predicted"]].copy()
    for name in ("predicted", "label"):
        # strict: a class without a column would be a table of something else.
        table[f"p_{name}"] = [float(row[PROBABILITY.format(row[name])]) for _, row in wrong.iterrows()]
    return table.sort_values("p_predicted", ascending=False, kind="stable").head(most)
