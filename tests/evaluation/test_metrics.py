"""Metrics against scikit-learn's, and against hand-made cases."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as oracle

from ser_experiments.evaluation.metrics import (
    confusion,
    expected_calibration_error,
    fold_metrics,
    pooled_metrics,
    uar,
)

CLASSES = ["angry", "happy", "neutral", "sad"]


@pytest.fixture
def predictions() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    chances = rng.dirichlet(np.ones(4), 300)
    truth = rng.choice(CLASSES, 300, p=[0.5, 0.3, 0.15, 0.05])
    frame = pd.DataFrame({f"p_{c}": chances[:, i] for i, c in enumerate(CLASSES)})
    frame["label"] = truth
    frame["predicted"] = np.asarray(CLASSES)[chances.argmax(axis=1)]
    frame["fold"] = np.repeat(["one", "two", "three"], 100)
    return frame


def test_pooled_metrics_equal_scikit_learn(predictions: pd.DataFrame) -> None:
    got = pooled_metrics(predictions, CLASSES)
    truth, predicted = predictions["label"], predictions["predicted"]
    chances = predictions[[f"p_{c}" for c in CLASSES]].to_numpy()
    assert got["uar"] == pytest.approx(oracle.balanced_accuracy_score(truth, predicted))
    assert got["wa"] == pytest.approx(oracle.accuracy_score(truth, predicted))
    assert got["macro_f1"] == pytest.approx(oracle.f1_score(truth, predicted, average="macro"))
    assert got["log_loss"] == pytest.approx(oracle.log_loss(truth, chances, labels=CLASSES))
    one_hot = (truth.to_numpy()[:, None] == np.asarray(CLASSES)).astype(float)
    assert got["brier"] == pytest.approx(((chances - one_hot) ** 2).sum(axis=1).mean())
    for c, recall in zip(CLASSES, oracle.recall_score(truth, predicted, average=None, labels=CLASSES), strict=True):
        assert got[f"recall_{c}"] == pytest.approx(recall)
    assert (confusion(predictions, CLASSES).to_numpy() == oracle.confusion_matrix(truth, predicted)).all()


def test_uar_is_over_the_classes_present() -> None:
    truth = np.array(["a", "a", "b"])
    assert uar(truth, np.array(["a", "c", "b"])) == pytest.approx(0.75)


def test_fold_metrics_keep_the_order_of_the_folds(predictions: pd.DataFrame) -> None:
    table = fold_metrics(predictions)
    assert list(table.index) == ["one", "two", "three"]
    part = predictions[predictions["fold"] == "two"]
    assert table.loc["two", "fold_uar"] == pytest.approx(
        oracle.balanced_accuracy_score(part["label"], part["predicted"])
    )


def test_calibration_error_of_made_cases() -> None:
    sure = np.array([0.95] * 100)
    assert expected_calibration_error(sure, np.arange(100) < 95) == pytest.approx(0.0)
    assert expected_calibration_error(sure, np.arange(100) < 45) == pytest.approx(0.5)
    assert expected_calibration_error(np.ones(4), np.array([True] * 4)) == pytest.approx(0.0)
