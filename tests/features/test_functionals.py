"""Functionals against numpy and scipy, contours against what one counts by hand."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from ser_experiments.features.dsp import contour, functionals
from ser_experiments.features.sets import _table


@pytest.fixture(scope="module")
def rows() -> NDArray[np.float32]:
    """Return rows of very different size and shape."""
    rng = np.random.default_rng(0)
    normal = rng.standard_normal((6, 200))
    return np.stack([normal[0], 1e4 * normal[1] + 3e4, np.exp(normal[2]), normal[3] * 1e-6, *normal[4:]]).astype(
        np.float32
    )


@pytest.mark.parametrize("share", [1.0, 0.6, 0.03])
def test_functionals_equal_numpy_and_scipy(rows: NDArray[np.float32], share: float) -> None:
    chosen = np.random.default_rng(1).random(rows.shape[1]) < share
    assert chosen.sum() >= 3  # type: ignore[attr-defined]
    picked, where = rows[:, chosen].astype(float), np.flatnonzero(chosen)
    time = (where - where[0]) / (where[-1] - where[0])
    percentiles = {f"p{q:02d}": np.percentile(picked, q, axis=1) for q in (5, 20, 50, 80, 95)}
    expected = {
        "mean": picked.mean(axis=1),
        "std": picked.std(axis=1),
        "skew": scipy.stats.skew(picked, axis=1),
        "kurtosis": scipy.stats.kurtosis(picked, axis=1),
        "slope": np.polyfit(time, picked.T, 1)[0],
        **percentiles,
        "range": percentiles["p95"] - percentiles["p05"],
        "iqr": scipy.stats.iqr(picked, axis=1),
    }
    found = dict(zip(functionals.NAMES, functionals.summarise(rows, chosen), strict=True))
    assert set(found) == set(expected)
    scale = np.abs(picked).max(axis=1)
    for name, values in expected.items():
        unit = 1.0 if name in _table.PURE else scale
        assert np.all(np.abs(found[name] - values) <= 2e-4 * np.abs(values) + 2e-5 * unit), name


def test_no_frames_give_zero(rows: NDArray[np.float32]) -> None:
    assert not functionals.summarise(rows, np.zeros(rows.shape[1], bool)).any()


def test_one_frame_has_a_level_and_no_spread(rows: NDArray[np.float32]) -> None:
    chosen = np.zeros(rows.shape[1], bool)
    chosen[17] = True
    found = dict(zip(functionals.NAMES, functionals.summarise(rows, chosen), strict=True))
    for name in ("mean", "p05", "p50", "p95"):
        assert_allclose(found[name], rows[:, 17], rtol=1e-6)
    for name in ("std", "skew", "kurtosis", "slope", "range", "iqr"):
        assert not found[name].any()


@pytest.mark.parametrize("value", [0.0, 0.1, -7e5, 1e-30])
def test_constant_rows_have_no_shape(value: float) -> None:
    constant = np.full((2, 333), value, np.float32)
    found = dict(zip(functionals.NAMES, functionals.summarise(constant, np.ones(333, bool)), strict=True))
    assert_allclose(found["mean"], value, rtol=1e-5)
    for name in ("std", "skew", "kurtosis", "slope"):
        assert_allclose(found[name], 0.0, atol=1e-6 * abs(value))


def test_the_input_stays_as_it_is(rows: NDArray[np.float32]) -> None:
    before = rows.copy()
    functionals.summarise(rows, np.ones(rows.shape[1], bool))
    np.testing.assert_array_equal(rows, before)


def test_documented_functionals_are_those_computed() -> None:
    assert _table.ALL == functionals.NAMES


def mask(text: str) -> NDArray[np.bool_]:
    """Read a mask from x and dots."""
    return np.array([c == "x" for c in text])


@pytest.mark.parametrize(
    ("text", "on", "off"),
    [("xx..xxx.", [2, 3], [2, 1]), (".x", [1], [1]), ("xxx", [3], []), ("...", [], [3]), ("", [], [])],
)
def test_run_lengths(text: str, on: list[int], off: list[int]) -> None:
    found = contour.run_lengths(mask(text))
    assert [list(part) for part in found] == [on, off]


def test_run_statistics_leave_out_the_edges() -> None:
    # Between the first and the last x: runs of 2, 4 and gaps of 2 (10 ms a frame).
    found = contour.run_statistics(mask("..xx..xxxx..."), 0.01)
    assert_allclose(found, [6 / 8, 2 / 0.08, 0.03, 0.01, 0.02, 0.0])
    assert contour.run_statistics(mask("...."), 0.01) == [0.0] * 6


def test_movement_counts_steps_within_stretches_only() -> None:
    values = np.array([0, 1, 3, 2, 9, 100, 7, 6], np.float32)
    found = contour.movement(values, mask("xxxx..xx"), 0.5)
    # Steps 1, 2, -1 and -1; per second twice as much.
    assert_allclose(found, [0.5, 3.0, 2.0])
    assert contour.movement(values, mask("x.x.x.x."), 0.5) == [0.0] * 3


@pytest.mark.parametrize(
    ("values", "prominence", "expected"),
    [
        ([0, 5, 0, 4, 0], 3, [1, 3]),
        ([0, 5, 3, 4, 0], 3, [1]),
        ([0, 1, 2, 3, 4], 3, [4]),
        ([4, 3, 2, 1, 0], 3, []),
        ([0, 0, 0], 3, []),
        ([], 3, []),
        ([0, 2, 1, 5, 4, 6, 1], 3, [5]),
    ],
)
def test_peaks_stand_out(values: list[float], prominence: float, expected: list[int]) -> None:
    assert list(contour.peaks(np.array(values, float), prominence)) == expected


def test_smoothing_is_a_running_mean() -> None:
    values = np.random.default_rng(4).standard_normal(50).astype(np.float32)
    padded = np.pad(values.astype(float), 2, mode="edge")
    assert_allclose(contour.smooth(values, 5), np.convolve(padded, np.ones(5) / 5, mode="valid"), atol=1e-12)


def test_a_spread_that_single_precision_cannot_square_has_no_higher_moments() -> None:
    row = np.array([[0.0, 1e-12, -1e-12, 2e-12]], dtype=np.float32)
    found = dict(zip(functionals.NAMES, functionals.summarise(row, np.ones(4, dtype=bool))[:, 0].tolist(), strict=True))
    assert np.isfinite(list(found.values())).all()
    assert found["kurtosis"] == found["skew"] == 0.0
    assert found["std"] > 0
