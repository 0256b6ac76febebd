"""What the demo corpus is for: scores that behave as on recordings. Features and models here are not the project's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pandas as pd
import pytest
from joblib import Parallel, delayed
from sklearn.dummy import DummyClassifier
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler
from sklearn.svm import SVC
from xgboost import XGBClassifier

from ser_experiments.corpora import load_corpus

pytestmark = pytest.mark.slow

SVM = make_pipeline(StandardScaler(), SVC(C=3.0, class_weight="balanced"))
XGBOOST = XGBClassifier(
    n_estimators=200, max_depth=4, learning_rate=0.08, subsample=0.7, colsample_bytree=0.3, max_bin=64, n_jobs=1
)


def describe(path: str) -> dict[str, float]:
    """Return duration and functionals of MFCC, level and F0 over the loud frames of a file."""
    audio, rate = librosa.load(path, sr=None)
    level = librosa.amplitude_to_db(librosa.feature.rms(y=audio, frame_length=1024, hop_length=256)[0])
    f0 = librosa.yin(audio, fmin=60, fmax=500, sr=rate, frame_length=1024, hop_length=256)
    mfcc = librosa.feature.mfcc(y=audio, sr=rate, n_mfcc=13, n_fft=1024, hop_length=256)
    tracks = {"level": level, "f0": 12 * np.log2(f0 / 100), **{f"mfcc{i}": row for i, row in enumerate(mfcc)}}
    loud = level > level.max() - 20
    values = {"duration": len(audio) / rate}
    for name, track in tracks.items():
        kept = track[loud]
        low, middle, high = np.percentile(kept, [5, 50, 95])
        slope = np.polyfit(np.linspace(-0.5, 0.5, len(kept)), kept, 1)[0]
        functionals = {
            "mean": kept.mean(),
            "std": kept.std(),
            "low": low,
            "middle": middle,
            "high": high,
            "slope": slope,
        }
        values |= {f"{name}_{key}": float(value) for key, value in functionals.items()}
    return values


@pytest.fixture(scope="module")
def demo(demo_root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    utterances = load_corpus("demo", demo_root).utterances
    rows = Parallel(n_jobs=2)(delayed(describe)(path) for path in utterances["path"])
    return utterances, pd.DataFrame(rows, index=utterances.index)


def score(model: Any, table: pd.DataFrame, utterances: pd.DataFrame, folds: Any = None) -> float:
    """Return the pooled UAR, by default leaving sessions out."""
    labels = LabelEncoder().fit_transform(utterances["label"])
    folds = folds or LeaveOneGroupOut().split(table, labels, utterances["session"])
    predicted = cross_val_predict(model, table.to_numpy(), labels, cv=folds)
    return float(balanced_accuracy_score(labels, predicted))


def columns(table: pd.DataFrame, start: str) -> pd.DataFrame:
    return table[[name for name in table if name.startswith(start)]]  # type: ignore[attr-defined]


def test_no_single_cheap_quantity_gives_the_emotion_away(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    utterances, table = demo
    assert score(DummyClassifier(), table, utterances) == pytest.approx(0.25)
    assert score(SVM, columns(table, "duration"), utterances) < 0.45
    assert score(SVM, columns(table, "level"), utterances) < 0.45


def test_good_models_score_as_on_recordings_and_differ(demo: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    utterances, table = demo
    scores = [score(model, table, utterances) for model in (SVM, XGBOOST)]
    assert all(0.60 <= value <= 0.85 for value in scores)
    assert abs(scores[0] - scores[1]) > 0.01


@pytest.mark.parametrize("model", [SVM, XGBOOST], ids=["svm", "xgboost"])
def test_leakage_inflates_and_knowing_the_speaker_helps(demo: tuple[pd.DataFrame, pd.DataFrame], model: Any) -> None:
    utterances, table = demo
    honest = score(model, table, utterances)
    leaky = np.mean(
        [score(model, table, utterances, StratifiedKFold(5, shuffle=True, random_state=seed)) for seed in range(3)]
    )
    of_speaker = table.groupby(utterances["speaker"])
    normalised = (table - of_speaker.transform("mean")) / of_speaker.transform("std")
    assert leaky >= honest + 0.05
    assert score(model, normalised, utterances) >= honest + 0.03
