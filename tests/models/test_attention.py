"""Attention over the layers of an encoder and over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.evaluation.plots import plot_layer_weights
from ser_experiments.models.nets import clips
from ser_experiments.models.nets.clips import Clips
from ser_experiments.models.report import report_of
from ser_experiments.models.spec import get_model

torch = pytest.importorskip("torch")

LAYERS = [f"encoder/frames_{k}" for k in (1, 2, 3)]


@pytest.fixture(scope="module")
def layers() -> tuple[pd.DataFrame, NDArray[np.str_]]:
    """Return 60 utterances of 6 speakers; of three layers the middle one tells the classes, the others are noise."""
    rng = np.random.default_rng(4)
    y = rng.choice(["anger", "neutral", "sadness"], 60)
    tables = {name: np.empty(60, dtype=object) for name in LAYERS}
    for i, label in enumerate(y):
        n_frames = rng.integers(4, 30)
        for name, cells in tables.items():
            frames = rng.normal(size=(n_frames, 6)) * 100
            if name == LAYERS[1]:
                frames = rng.normal(size=(n_frames, 6)) + 2 * np.eye(6)[["anger", "neutral", "sadness"].index(label)]
            cells[i] = frames.astype(np.float16)
    return pd.DataFrame(tables | {"group": [f"s{i % 6}" for i in range(60)]}), y


def build(**params: Any) -> Any:
    small = {"hidden": 8, "n_epochs": 12, "lr": 0.01, "batch_size": 8, "random_state": 0, "device": "cpu"}
    return get_model("attention").build(**{**small, **params})


def test_the_layer_that_tells_gets_the_weight(layers: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = layers
    fitted = build(n_epochs=25).fit(X, y)
    weights = report_of(fitted).layer_weights
    assert list(weights) == LAYERS
    assert sum(weights.values()) == pytest.approx(1)
    assert weights[LAYERS[1]] > 0.5
    assert (fitted.predict(X) == y).mean() > 0.9
    assert report_of(fitted).as_dict()["layer_weights"] == weights


def test_one_column_has_no_weights_to_show(layers: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = layers
    fitted = build(n_epochs=2).fit(X[[LAYERS[1], "group"]], y)
    assert not report_of(fitted).layer_weights
    assert "layer_weights" not in report_of(fitted).as_dict()


def test_columns_side_by_side_are_read_clip_by_clip(
    layers: tuple[pd.DataFrame, NDArray[np.str_]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays on disk gives the weights of what is in memory, and a piece is cut out of every column."""
    X, y = layers
    together = Clips(*(X[name].to_numpy() for name in LAYERS))
    assert (together.n_arrays, together.n_columns, together.dtype) == (3, 18, np.float16)
    expected = np.hstack([X[name][7] for name in LAYERS])
    assert np.array_equal(together.read(7), expected)
    assert np.array_equal(together.read(7, 1, 3), expected[1:3])
    resident = build(n_epochs=2).fit(X, y)
    monkeypatch.setattr(clips, "RESIDENT_BYTES", 0)
    streamed = build(n_epochs=2).fit(X, y)
    assert all(np.array_equal(resident.weights_[name], streamed.weights_[name]) for name in resident.weights_)


def test_padding_and_neighbours_change_no_answer(layers: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = layers
    fitted = build(n_epochs=3).fit(X, y)
    alone = np.vstack([fitted.predict_log_proba(X.iloc[[i]]) for i in range(10)])
    np.testing.assert_allclose(alone, fitted.predict_log_proba(X)[:10], atol=1e-5)


def test_columns_that_do_not_fit_are_refused_in_one_line(layers: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = layers
    shorter = X.copy()
    shorter[LAYERS[2]] = [cell[:-1] for cell in X[LAYERS[2]]]
    with pytest.raises(InputError, match=r"^utterance 0: arrays of shapes .* must be equally long and wide"):
        build().fit(shorter, y)
    with pytest.raises(InputError, match=r"takes columns of arrays, got 1 others \('age', ...\)"):
        build().fit(X.assign(age=1.0), y)
    with pytest.raises(InputError, match="takes one column of arrays, got 3 columns"):
        get_model("cnn").build().fit(X, y)
    fitted = build(n_epochs=1).fit(X, y)
    with pytest.raises(InputError, match="arrays have 12 columns; fitted on 18"):
        fitted.predict(X[LAYERS[:2]])
    with pytest.raises(InputError, match="layers_lr must be a number above 0, got 0"):
        build(layers_lr=0).fit(X, y)


def test_people_are_held_out_to_stop_by(layers: tuple[pd.DataFrame, NDArray[np.str_]]) -> None:
    X, y = layers
    fitted = build(n_epochs=3, refit=False).fit(X, y)
    assert all("valid_uar" in epoch for epoch in fitted.history_)
    # What is known of a speaker who is not learned from changes nothing of the scaling.
    only = build(n_epochs=1, early_stopping=False).fit(X, y)
    assert not np.array_equal(only.mean_, fitted.mean_)


def test_the_picture_of_the_weights_shows_every_fold() -> None:
    weights = {"frames_1": 0.2, "frames_2": 0.8}
    figure = plot_layer_weights(weights, {"f1": {"frames_1": 0.3, "frames_2": 0.7}, "f2": weights}, "attention")
    (axis,) = figure.axes
    assert [bar.get_height() for bar in axis.patches] == [0.2, 0.8]  # type: ignore[attr-defined]
    dots = [line.get_ydata().tolist() for line in axis.lines if line.get_marker() == "o"]
    assert dots == [[0.3, 0.7], [0.2, 0.8]]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["frames_1", "frames_2"]
