"""The scores of the support vector machine say how sure it is, and which class is the highest stays scikit-learn's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn import svm
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from ser_experiments.evaluation.scores.confidence_auroc import SCORE
from ser_experiments.evaluation.scoring import get_score, intervals
from ser_experiments.experiment import run_experiment
from ser_experiments.frames import Predictions
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.models.spec import get_model
from ser_experiments.models.zoo.svm import build
from tests.iemocap_tree import tone

SETTINGS = [{}, {"kernel": "linear", "C": 0.1}, {"class_weight": "balanced"}, {"kernel": "poly", "degree": 2}]


def blobs(n_classes: int, seed: int = 0, spread: float = 1.2) -> tuple[np.ndarray, np.ndarray]:
    """Draw overlapping classes on a circle."""
    rng = np.random.default_rng(seed)
    y = np.arange(60 * n_classes) % n_classes
    centres = 0.7 * n_classes * np.column_stack([np.cos(2 * np.pi * y / n_classes), np.sin(2 * np.pi * y / n_classes)])
    noise = rng.normal(0, 1, (len(y), 4))
    return np.column_stack([centres, np.zeros((len(y), 2))]) + spread * noise, np.array(list("abcdefgh"))[y]


@pytest.mark.parametrize("params", SETTINGS)
@pytest.mark.parametrize("n_classes", [2, 3, 4, 6])
def test_no_label_differs_from_scikit_learn(n_classes: int, params: dict[str, object]) -> None:
    X, y = blobs(n_classes)
    new, _ = blobs(n_classes, seed=1)
    mine = build(**params).fit(X, y)
    theirs = svm.SVC(**{"C": 1.0, "gamma": "scale", "break_ties": True, **params}).fit(X, y)
    assert (mine.predict(new) == theirs.predict(new)).all()
    scores = mine.decision_function(new)
    if n_classes == 2:
        np.testing.assert_array_equal(scores, theirs.decision_function(new))
    else:
        assert (mine.classes_[scores.argmax(axis=1)] == theirs.predict(new)).all()


def test_scores_are_sums_over_pairs() -> None:
    X, y = blobs(3)
    mine = build().fit(X, y)
    pairs = svm.SVC(C=1.0, gamma="scale", decision_function_shape="ovo").fit(X, y).decision_function(X)
    ab, ac, bc = (expit(2 * pairs[:, i]) for i in range(3))
    slow = np.log(np.column_stack([ab * ac, (1 - ab) * bc, (1 - ac) * (1 - bc)]))
    scores = mine.decision_function(X)
    np.testing.assert_allclose(np.sort(scores, axis=1), np.sort(slow, axis=1), atol=1e-9)
    plain = slow.argmax(axis=1) == scores.argmax(axis=1)
    assert plain.mean() > 0.9
    np.testing.assert_allclose(scores[plain], slow[plain], atol=1e-9)


@pytest.mark.parametrize("n_classes", [3, 4, 6])
def test_confidence_tells_right_from_wrong(n_classes: int) -> None:
    """scikit-learn's decision value gives every row nearly the same confidence."""
    X, y = blobs(n_classes, spread=1.5)
    groups = np.array([f"s{i % 7}" for i in range(len(y))])
    table = pd.DataFrame(X).add_prefix("x").assign(group=groups)
    right, confidence, values = [], [], []
    for train, test in GroupKFold(3).split(table, y, groups):
        model = build_pipeline("svm", {"C": 3.0}, calibrate="temperature").fit(table.iloc[train], y[train])
        proba = model.predict_proba(table.iloc[test])
        right += list(model.predict(table.iloc[test]) == y[test])
        confidence += list(proba.max(axis=1))
        values += list(proba[np.arange(len(test)), np.searchsorted(model.classes_, y[test])])
    assert roc_auc_score(right, confidence) > 0.65
    assert np.std(confidence) > 0.1
    assert -np.log(values).mean() < 0.9 * np.log(n_classes)
    assert np.mean(confidence) == pytest.approx(np.mean(right), abs=0.1)


def test_fits_of_the_old_scores_are_not_served() -> None:
    assert get_model("svm").version != "1"


def whole(predictions: Predictions) -> float:
    return SCORE.on(predictions).whole()


def test_the_auroc_of_confidence_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    classes = ["a", "b", "c"]
    values = rng.dirichlet([1, 1, 1], 200).round(2)
    values /= values.sum(axis=1, keepdims=True)
    index = pd.Index([f"u{i}" for i in range(200)], name="utterance_id")
    frame = pd.DataFrame(values, index=index, columns=[f"p_{c}" for c in classes])
    frame["predicted"] = np.array(classes)[values.argmax(axis=1)]
    frame["label"] = np.where(rng.random(200) < values.max(axis=1), frame["predicted"], "a")
    frame["speaker"] = [f"s{i % 5}" for i in range(200)]
    predictions = Predictions.of_classes(frame, classes)
    right = frame["label"] == frame["predicted"]
    assert whole(predictions) == pytest.approx(roc_auc_score(right, values.max(axis=1)), abs=1e-9)
    assert get_score("confidence_auroc").title == "AUROC of confidence"
    without = [
        whole(predictions.rows((frame["speaker"] != one).to_numpy())) for one in sorted(frame["speaker"].unique())
    ]
    np.testing.assert_allclose(SCORE.on(predictions, "speaker").without_each(), without)
    found = intervals(predictions, "speaker")["confidence_auroc"]
    assert found.low < whole(predictions) < found.high
    for label in (frame["predicted"], np.where(frame["predicted"] == "a", "b", "a")):
        assert np.isnan(whole(Predictions.of_classes(frame.assign(label=label), classes)))
    assert whole(Predictions.of_classes(frame.assign(p_a=1.0, p_b=0.0, p_c=0.0), classes)) == pytest.approx(0.5)


def test_a_run_says_that_its_probabilities_do_not_tell(project_folder: Path, tmp_path: Path) -> None:
    lines = ["path,label,speaker"]
    ids, rng = [], np.random.default_rng(0)
    for i in range(60):
        tone(tmp_path / f"{i}.wav", i, seconds=0.05)
        lines.append(f"{i}.wav,{'xyz'[i % 3]},p{i % 5}")
        ids.append(f"{i}.wav")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    told = np.arange(60) % 3 + rng.normal(0, 0.4, 60)
    pd.DataFrame({"utterance_id": ids, "told": told, "noise": rng.normal(size=60)}).to_csv(
        tmp_path / "t.csv", index=False
    )
    where = {"corpus": "manifest", "root": tmp_path, "jobs": 1, "log_run": False}
    flat = run_experiment("dummy", **where, table=tmp_path / "t.csv")
    assert flat.metrics["confidence_auroc"] == pytest.approx(0.5, abs=0.1)
    assert any("the probabilities do not tell right answers from wrong ones" in line for line in flat.warnings)
    sure = run_experiment("svm_lld", **where, table=tmp_path / "t.csv")
    assert sure.metrics["confidence_auroc"] > 0.6
    assert {"confidence_auroc_ci_low", "confidence_auroc_ci_high"} <= set(sure.metrics)
    assert not any("do not tell" in line for line in sure.warnings)
    json.dumps(sure.as_dict(), allow_nan=False)
