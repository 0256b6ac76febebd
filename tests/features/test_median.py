"""The running median is exact: it equals sorting every window."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ser_experiments.features.dsp import hpss, median

SIZES = (3, 7, 15, 31, 63)


def by_sorting(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return the median of each window by sorting it; the ends are mirrored."""
    half = size // 2
    padded = np.pad(values, ((half, half), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=0)
    return np.sort(windows, axis=-1)[..., half]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 31, 32, 33, 100])
def test_equals_sorting_each_window(n: int, size: int) -> None:
    values = np.random.default_rng(n).standard_normal((n, 9)).astype(np.float32)
    np.testing.assert_array_equal(median.running_median(values, size), by_sorting(values, size))


@pytest.mark.parametrize("shape", [(1025, 172), (172, 1025), (257, 550)])
def test_equals_scipy_on_spectrogram_shapes(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).exponential(size=shape).astype(np.float32)
    expected = scipy.ndimage.median_filter(values, size=(31, 1), mode="reflect")
    np.testing.assert_array_equal(median.running_median(values, 31), expected)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), n=st.integers(1, 80), lanes=st.integers(1, 5), size=st.sampled_from(SIZES))
def test_equals_sorting_with_ties(data: st.DataObject, n: int, lanes: int, size: int) -> None:
    few = st.lists(st.integers(-3, 3), min_size=n * lanes, max_size=n * lanes)
    values = np.array(data.draw(few), dtype=np.float32).reshape(n, lanes)
    np.testing.assert_array_equal(median.running_median(values, size), by_sorting(values, size))


def test_more_lanes_than_fit_together() -> None:
    values = np.random.default_rng(2).standard_normal((40, 3 * median.LANES + 1)).astype(np.float32)
    np.testing.assert_array_equal(median.running_median(values, 15), by_sorting(values, 15))


@pytest.mark.parametrize("size", [0, 1, 5, 8, 30])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"one less than a power of two, got {size}"):
        median.running_median(np.zeros((4, 4), np.float32), size)


def test_nothing_in_nothing_out() -> None:
    assert median.running_median(np.zeros((0, 4), np.float32), 3).shape == (0, 4)


@pytest.mark.parametrize("size", [7, 15, 31])
def test_energies_equal_librosas_with_silent_parts(size: int) -> None:
    magnitude = np.random.default_rng(3).exponential(size=(120, 129)).astype(np.float32)
    magnitude[40:90] = 0.0
    magnitude[:, 60:100] = 0.0
    expected = [np.square(part).sum(axis=0) for part in librosa.decompose.hpss(magnitude.T, kernel_size=size)]
    np.testing.assert_allclose(hpss.split_energy(magnitude, size), expected, rtol=1e-4, atol=1e-7)


def test_where_both_medians_are_zero_the_energy_is_halved() -> None:
    magnitude = np.zeros((40, 40), np.float32)
    magnitude[20, 20] = 2.0
    assert hpss.split_energy(magnitude, 7)[:, 20].tolist() == [1.0, 1.0]
