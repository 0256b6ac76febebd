"""The covariance set against librosa's cepstra and scipy's matrix logarithm."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from ser_experiments.features.dsp import level
from ser_experiments.features.extractor import get_extractor
from ser_experiments.features.sets.covariance import FLOOR, log_covariance, vectorise

SR = 16_000


def slow(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shrink and take the logarithm as the words say, in plain steps."""
    size, count = rows.shape
    away = rows - rows.mean(axis=1, keepdims=True)
    covariance = sum(np.outer(frame, frame) for frame in away.T) / (count - 1)
    pull = min(1.0, 10 / count)
    mean_variance = np.diag(covariance).mean()
    shrunk = np.array([[covariance[i, j] * (1 if i == j else 1 - pull) for j in range(size)] for i in range(size)])
    return scipy.linalg.logm(shrunk + FLOOR * mean_variance * np.eye(size))


@pytest.mark.speech
def test_columns_are_the_logarithm_of_the_covariance_of_librosas_cepstra(speech: list[NDArray[np.float32]]) -> None:
    extractor = get_extractor("covariance")
    for audio in speech:
        found = dict(zip(extractor.column_names, extractor(audio, SR).tolist(), strict=True))
        ready = level.to_reference(audio, window=400, hop=160)
        mfcc = librosa.feature.mfcc(
            y=ready.audio, sr=SR, n_mfcc=13, n_fft=512, win_length=400, hop_length=160, n_mels=40
        )
        rows = np.concatenate([mfcc, librosa.feature.delta(mfcc)])[:, ready.active].astype(float)
        expected = slow(rows)
        assert found["cov_mfcc_00_mfcc_00__log"] == pytest.approx(expected[0, 0], rel=1e-3, abs=1e-3)
        assert found["cov_mfcc_02_mfcc_05__log"] == pytest.approx(np.sqrt(2) * expected[2, 5], rel=1e-3, abs=2e-3)
        assert found["cov_mfcc_12_delta_03__log"] == pytest.approx(np.sqrt(2) * expected[12, 16], rel=1e-3, abs=2e-3)
        assert found["cov_delta_11_delta_12__log"] == pytest.approx(np.sqrt(2) * expected[24, 25], rel=1e-3, abs=2e-3)


@pytest.mark.parametrize("count", [2, 5, 300])
def test_the_logarithm_is_scipys(count: int) -> None:
    rows = np.random.default_rng(count).standard_normal((6, count)) * np.arange(1, 7)[:, None]
    assert_allclose(log_covariance(rows), slow(rows), rtol=1e-9, atol=1e-9)


def test_what_a_microphone_adds_to_every_cepstrum_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((26, 200))
    shifted = rows + rng.uniform(-50, 50, (26, 1))
    assert_allclose(log_covariance(shifted), log_covariance(rows), atol=1e-9)


def test_louder_by_a_factor_shifts_the_diagonal_alone() -> None:
    rows = np.random.default_rng(1).standard_normal((4, 100))
    assert_allclose(log_covariance(3 * rows) - log_covariance(rows), 2 * np.log(3) * np.eye(4), atol=1e-9)


@pytest.mark.parametrize("rows", [np.zeros((3, 0)), np.ones((3, 1)), np.full((3, 50), 7.1, dtype=np.float32)])
def test_nothing_that_moves_is_zero(rows: NDArray[np.float64]) -> None:
    np.testing.assert_array_equal(log_covariance(rows), np.zeros((3, 3)))


def test_the_vector_is_as_long_as_the_matrix() -> None:
    matrix = np.random.default_rng(2).standard_normal((5, 5))
    matrix += matrix.T
    assert np.linalg.norm(vectorise(matrix)) == pytest.approx(np.linalg.norm(matrix))
