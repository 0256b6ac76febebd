"""Descriptors that librosa lacks, against plain loops; bands against librosa's own filters."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from ser_experiments.features.dsp import chroma, lowlevel, mel, spectral

SR = 16_000


@pytest.fixture(scope="module")
def power() -> NDArray[np.float32]:
    """Return ten spectra that fall off like speech."""
    rng = np.random.default_rng(1)
    return (rng.exponential(size=(10, 257)) * np.exp(-np.arange(257) / 40)).astype(np.float32)


def test_skewness_and_kurtosis_are_those_of_the_distribution_over_bins(power: NDArray[np.float32]) -> None:
    magnitude = np.sqrt(power)
    bins = np.arange(257.0)
    found = spectral.moments(magnitude, SR)
    for t, weights in enumerate(magnitude.astype(float)):
        mean = np.average(bins, weights=weights)
        variance, third, fourth = (np.average((bins - mean) ** p, weights=weights) for p in (2, 3, 4))
        assert found[0, t] == pytest.approx(mean * SR / 512, rel=1e-4)
        assert found[1, t] == pytest.approx(np.sqrt(variance) * SR / 512, rel=1e-4)
        assert found[2, t] == pytest.approx(third / variance**1.5, rel=1e-3)
        assert found[3, t] == pytest.approx(fourth / variance**2 - 3, rel=1e-3, abs=1e-3)


def test_entropy_is_that_of_the_share_of_each_bin(power: NDArray[np.float32]) -> None:
    expected = scipy.stats.entropy(power.astype(float), axis=1) / np.log(257)
    assert_allclose(spectral.entropy(power, np.log(power)), expected, rtol=1e-4)


def test_entropy_spans_0_to_1() -> None:
    extremes = np.full((2, 257), 1e-30, np.float32)
    extremes[0, 40] = 100.0
    extremes[1] = 100.0
    found = spectral.entropy(extremes, np.log(np.maximum(extremes, np.float32(1e-10))))
    assert_allclose(found, [0.0, 1.0], atol=1e-4)


@pytest.mark.parametrize("band", [*lowlevel.SLOPE_BANDS_HZ, (1000.0, 5000.0)])
def test_slope_is_that_of_a_fitted_line(power: NDArray[np.float32], band: tuple[float, float]) -> None:
    hz = np.fft.rfftfreq(512, 1 / SR)
    inside = (hz >= band[0]) & (hz <= band[1])
    level = 10 * np.log10(power.astype(float))
    expected = np.polyfit(hz[inside] / 1000, level[:, inside].T, 1)[0]
    assert_allclose(spectral.slopes(np.log(power), SR, (band,))[0], expected, rtol=1e-3, atol=1e-3)


def test_alpha_ratio_and_hammarberg_index(power: NDArray[np.float32]) -> None:
    rows = lowlevel.spectrum_rows(power)["shape"]
    hz = np.fft.rfftfreq(512, 1 / SR)

    def between(low: float, high: float) -> NDArray[np.float64]:
        return power[:, (hz >= low) & (hz <= high)].astype(float)

    alpha = 10 * np.log10(between(50, 1000).sum(axis=1) / between(1000, 5000).sum(axis=1))
    hammarberg = 10 * np.log10(between(0, 2000).max(axis=1) / between(2000, 5000).max(axis=1))
    assert_allclose(rows[3], alpha, rtol=1e-4, atol=1e-4)
    assert_allclose(rows[4], hammarberg, rtol=1e-4, atol=1e-4)


def test_ratio_of_silence_is_0_db() -> None:
    zero = np.zeros(3, np.float32)
    assert_allclose(spectral.ratio_db(zero, zero), 0.0)


def test_loudness_sums_band_powers_to_the_power_0_3(power: NDArray[np.float32]) -> None:
    bands = mel.band_energies(power, mel.mel_bank(SR, 512, 40))
    assert_allclose(lowlevel.loudness(mel.power_to_db(bands)), (bands**0.3).sum(axis=0), rtol=1e-4)


@pytest.mark.parametrize(("n_fft", "n_mels"), [(512, 40), (512, 64), (1024, 80), (2048, 128)])
def test_filter_bank_keeps_librosas_weights(n_fft: int, n_mels: int) -> None:
    dense = librosa.filters.mel(sr=SR, n_fft=n_fft, n_mels=n_mels)
    bank = mel.mel_bank(SR, n_fft, n_mels)
    assert bank.weights.size < dense.size / 2
    impulses = np.eye(n_fft // 2 + 1, dtype=np.float32)
    assert_allclose(mel.band_energies(impulses, bank), dense)


def test_chroma_entropy_spans_0_to_1() -> None:
    classes = np.zeros((12, 3), np.float32)
    classes[4, 0] = 1.0
    classes[:, 1] = 0.7
    found = chroma.entropy(classes)
    assert_allclose(found, [0.0, 1.0, 1.0], atol=1e-3)
