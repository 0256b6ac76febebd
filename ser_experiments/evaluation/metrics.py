"""Scores of out-of-fold predictions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

#: Column of the probability of a class in a table of predictions.
PROBABILITY = "p_{}"


def probabilities(predictions: pd.DataFrame, classes: Sequence[str]) -> NDArray[np.float64]:
    """Return the probability columns of a table of predictions, shape (n_rows, n_classes)."""
    return predictions[[PROBABILITY.format(c) for c in classes]].to_numpy(dtype=np.float64)


def uar(truth: NDArray[np.str_], predicted: NDArray[np.str_]) -> float:
    """Return the unweighted average recall over the classes present in `truth` (balanced accuracy)."""
    return float(np.mean([(predicted[truth == c] == c).mean() for c in np.unique(truth)]))


def pooled_metrics(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Score all out-of-fold rows together.

    Parameters
    ----------
    predictions : DataFrame
        ``label``, ``predicted`` and one probability column ``p_<class>`` a class; one row an utterance.
    classes : sequence of str
        The classes.

    Returns
    -------
    dict of str to float
        ``uar``, ``wa``, ``macro_f1``, ``log_loss``, ``brier`` (sum over classes, 0-2), ``ece`` and, for each class,
        ``recall_<class>``, ``precision_<class>``, ``f1_<class>``.
    """
    truth, predicted = _labels(predictions)
    chances = probabilities(predictions, classes)
    precision, recall, f1, _ = precision_recall_fscore_support(truth, predicted, labels=list(classes), zero_division=0)
    scores = {
        "uar": uar(truth, predicted),
        "wa": float((truth == predicted).mean()),
        "macro_f1": float(f1.mean()),
        **_probabilistic(truth, chances, classes),
    }
    for name, values in (("recall", recall), ("precision", precision), ("f1", f1)):
        scores.update({f"{name}_{c}": float(v) for c, v in zip(classes, values, strict=True)})
    return scores


def _probabilistic(truth: NDArray[np.str_], chances: NDArray[np.float64], classes: Sequence[str]) -> dict[str, float]:
    order = {c: i for i, c in enumerate(classes)}
    positions = np.array([order[label] for label in truth])
    of_truth = chances[np.arange(len(truth)), positions]
    one_hot = np.eye(len(classes))[positions]
    return {
        "log_loss": float(-np.log(np.clip(of_truth, 1e-15, 1.0)).mean()),
        "brier": float(((chances - one_hot) ** 2).sum(axis=1).mean()),
        "ece": expected_calibration_error(chances.max(axis=1), chances.argmax(axis=1) == positions),
    }


def expected_calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_], n_bins: int = 10) -> float:
    """Return the mean gap between confidence and accuracy over equal-width bins, weighted by rows.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML.
    """
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(correct[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))


def fold_metrics(predictions: pd.DataFrame) -> pd.DataFrame:
    """Score each outer fold on its own.

    Parameters
    ----------
    predictions : DataFrame
        With ``fold``, ``label`` and ``predicted``.

    Returns
    -------
    DataFrame
        Indexed by fold, in the order of appearance: ``fold_uar`` (over the classes present in that test fold),
        ``fold_wa`` and ``n_test``.
    """
    rows = {}
    for name, part in predictions.groupby("fold", sort=False):
        truth, predicted = _labels(part)
        rows[name] = {
            "fold_uar": uar(truth, predicted),
            "fold_wa": float((truth == predicted).mean()),
            "n_test": len(part),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("fold")


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return the confusion matrix as counts: true classes down, predicted classes across."""
    truth, predicted = _labels(predictions)
    matrix = [[int(((truth == t) & (predicted == p)).sum()) for p in classes] for t in classes]
    return pd.DataFrame(matrix, index=pd.Index(classes, name="true"), columns=pd.Index(classes, name="predicted"))


def _labels(predictions: pd.DataFrame) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    return predictions["label"].to_numpy(dtype=str), predictions["predicted"].to_numpy(dtype=str)
