"""The prosody set: contours and rhythms that are known, and what must not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ser_experiments.audio import read_audio
from ser_experiments.features.dsp import intonation
from ser_experiments.features.extractor import get_extractor
from ser_experiments.features.sets import prosody

RATE = 16_000


def sung(pitch: NDArray[np.float64], level_db: NDArray[np.float64] | float = 0.0) -> NDArray[np.float32]:
    """Return a voice with a pitch (semitones above 150 Hz) and a level for each sample."""
    f0 = 150.0 * 2.0 ** (pitch / 12.0)
    phase = 2.0 * np.pi * np.cumsum(f0) / RATE
    wave = np.sum([np.cos(h * phase) / h for h in range(1, 12)], axis=0)
    return (0.1 * wave * 10.0 ** (np.asarray(level_db) / 20.0)).astype(np.float32)


def line(low: float, high: float, seconds: float) -> NDArray[np.float64]:
    """Return a straight line."""
    return np.linspace(low, high, int(seconds * RATE))


def test_a_rise_has_its_numbers() -> None:
    found = prosody.measure(sung(line(-4.0, 8.0, 2.0)))
    expected = {
        "p_f0__mean": 2.0,
        "p_f0__p50": 2.0,
        "p_f0__p20": -1.6,
        "p_f0__p95": 7.4,
        "p_f0__range": 10.8,
        "p_f0__range_80_20": 7.2,
        "p_f0__std": 12.0 / np.sqrt(12.0),
        "p_f0__skew": 0.0,
        "p_f0__rising": 1.0,
        "p_f0__rise_rate": 6.0,
        "p_f0__legendre_1": 6.0,
        "p_f0__legendre_2": 0.0,
        "p_f0__legendre_3": 0.0,
        "p_f0__start": -4.8,
        "p_f0__end": 4.8,
        "p_f0__peak_place": 0.975,
        "p_f0__run_range": 12.0,
        "p_f0__run_slope": 6.0,
        "p_f0__roughness": 0.0,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=0.03, abs=0.08), name


def test_a_faster_rise_of_the_same_shape_differs_in_rate_only() -> None:
    slow, fast = (prosody.measure(sung(line(-4.0, 8.0, seconds))) for seconds in (3.0, 1.5))
    assert fast["p_f0__rise_rate"] == pytest.approx(2.0 * slow["p_f0__rise_rate"], rel=0.05)
    for name in ("p_f0__legendre_1", "p_f0__range", "p_f0__end", "p_f0__peak_place"):
        assert fast[name] == pytest.approx(slow[name], rel=0.05, abs=0.05), name


def test_syllables_are_counted() -> None:
    seconds, rate = 4.0, 4.0
    time = np.arange(int(seconds * RATE)) / RATE
    swing = 10.0 * np.sin(2 * np.pi * rate * time)
    found = prosody.measure(sung(np.zeros(len(time)), swing))
    assert found["p_syllable__rate"] == pytest.approx(rate, abs=0.3)
    assert found["p_syllable__interval_variation"] < 0.1
    # The mean rate of a swing between -10 and 10 dB, up and down in a quarter of a second.
    assert found["p_level__rise_rate"] == pytest.approx(160.0, rel=0.1)
    assert found["p_level__fall_rate"] == pytest.approx(160.0, rel=0.1)


def test_runs_and_pauses_have_their_lengths() -> None:
    part, gap = sung(np.zeros(int(0.4 * RATE))), np.zeros(int(0.2 * RATE), np.float32)
    found = prosody.measure(np.concatenate([gap, part, gap, part, gap, part, gap]))
    assert found["p_voiced__length_mean"] == pytest.approx(0.4, abs=0.04)
    assert found["p_unvoiced__length_mean"] == pytest.approx(0.2, abs=0.04)
    assert found["p_voiced__fraction"] == pytest.approx(1.2 / 1.6, abs=0.05)
    assert found["p_voiced__rate"] == pytest.approx(3 / 1.6, rel=0.05)
    assert found["p_voiced__length_std"] < 0.02
    assert found["p_pause__rate"] == pytest.approx(2 / 1.6, rel=0.05)
    assert found["p_pause__fraction"] == pytest.approx(0.4 / 1.6, abs=0.05)


def test_pitch_that_follows_the_level_is_coupled_to_it() -> None:
    course = 4.0 * np.sin(2 * np.pi * 0.8 * np.arange(3 * RATE) / RATE)
    found = prosody.measure(sung(course, 2.0 * course))
    assert found["p_f0__slope_on_level"] == pytest.approx(0.5, rel=0.05)
    assert found["p_f0__correlation_level"] > 0.98
    assert prosody.measure(sung(course, -2.0 * course))["p_f0__correlation_level"] < -0.98


def test_without_a_voice_its_numbers_are_zero() -> None:
    noise = np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    found = prosody.measure(0.1 * noise)
    names = [name for name in found if name.startswith(("vq_", "p_f0", "p_voiced", "p_unvoiced"))]
    assert len(names) > 70
    for name in names:
        assert found[name] == (0.5 if name == "p_f0__peak_place" else 0.0), name


@pytest.mark.speech
@pytest.mark.parametrize("gain", [0.01, 4.0])
def test_the_gain_does_not_matter(gain: float, speech: list[NDArray[np.float32]]) -> None:
    for audio in speech[:3]:
        plain, scaled = prosody.compute(audio), prosody.compute(np.float32(gain) * audio)
        np.testing.assert_allclose(scaled, plain, rtol=2e-3, atol=2e-3)


@pytest.mark.speech
def test_silence_at_the_edges_does_not_matter(speech: list[NDArray[np.float32]]) -> None:
    rows = np.stack([prosody.compute(audio) for audio in speech])
    spread = rows.std(axis=0) + 1e-6
    for audio, row in zip(speech, rows, strict=True):
        # A faint hiss rather than zeros: what edges of recordings hold.
        hiss = 1e-4 * np.random.default_rng(0).standard_normal((2, 80 * 160)).astype(np.float32)
        moved = prosody.compute(np.concatenate([hiss[0], audio, hiss[1]]))
        # The percentile that says which frames are active moves a little with the share of silence; it reaches the
        # numbers of the level and of pauses only.
        assert np.median(np.abs(moved - row) / spread) < 0.01
        assert np.mean(np.abs(moved - row) / spread > 0.5) < 0.15


def test_the_columns_are_the_numbers() -> None:
    found = prosody.measure(sung(line(0.0, 3.0, 0.5)))
    assert set(found) == set(get_extractor("prosody").column_names)
    assert 80 <= len(prosody.COLUMNS) <= 120


@pytest.mark.slow
@pytest.mark.speech
# docs/prosody.md has what was measured: about 0.86 and 0.51.
@pytest.mark.parametrize(("corpus", "bound"), [("emodb4", 0.80), ("nemo_subset", 0.45)])
def test_emotions_are_told_apart_over_speakers(speech_corpora: Path, corpus: str, bound: float) -> None:
    import pandas as pd
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    table = pd.read_csv(speech_corpora / corpus / "metadata.csv", dtype=str)
    audio = (read_audio(speech_corpora / corpus / path, sample_rate=RATE)[0] for path in table["path"])
    rows = np.stack([prosody.compute(samples) for samples in audio])
    model = make_pipeline(StandardScaler(), SVC(C=3.0, gamma=0.5 / rows.shape[1], class_weight="balanced"))
    emotion = table["emotion"].to_numpy(dtype=object)
    groups = table["speaker"].to_numpy(dtype=object)
    found = cross_val_predict(model, rows, emotion, groups=groups, cv=LeaveOneGroupOut())
    assert balanced_accuracy_score(emotion, found) > bound


def test_short_runs_are_cleared() -> None:
    mask = np.array([1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1], dtype=bool)
    expected = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1], dtype=bool)
    np.testing.assert_array_equal(intonation.without_short_runs(mask, 3), expected)
    begin, end = intonation.runs(mask)
    assert begin.tolist() == [0, 2, 6, 10]
    assert end.tolist() == [1, 4, 9, 14]
    assert intonation.without_short_runs(np.zeros(0, bool), 3).shape == (0,)


def test_legendre_equals_numpy() -> None:
    rng = np.random.default_rng(0)
    time = np.sort(rng.random(50))
    values = rng.standard_normal(50)
    expected = np.polynomial.legendre.legfit(2 * time - 1, values, 3)[1:]
    np.testing.assert_allclose(intonation.legendre(time, values), expected, rtol=1e-3, atol=1e-3)
    assert intonation.legendre(time[:7], values[:7]).tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(intonation.legendre(np.repeat([0.0, 1.0], 10), np.arange(20.0))).all()


def test_slope_and_correlation_equal_numpy() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(100)
    y = 0.3 * x + rng.standard_normal(100)
    slope, correlation = intonation.slope_and_correlation(y, x)
    assert slope == pytest.approx(np.polyfit(x, y, 1)[0])
    assert correlation == pytest.approx(np.corrcoef(x, y)[0, 1])
    assert intonation.slope_and_correlation(y, np.ones(100)) == (0.0, 0.0)
    assert intonation.slope_and_correlation(y[:4], x[:4]) == (0.0, 0.0)


def test_the_course_of_a_contour() -> None:
    found = intonation.shape(np.linspace(0.0, 1.0, 100), np.sin(np.linspace(0.0, np.pi, 100)))
    mean = np.sin(np.linspace(0.0, np.pi, 100)).mean()
    assert found["peak_place"] == pytest.approx(0.5, abs=0.02)
    assert found["start"] == pytest.approx(np.sin(np.linspace(0.0, np.pi, 100))[:20].mean() - mean)
    assert found["end"] == pytest.approx(found["start"])
    assert found["legendre_1"] == pytest.approx(0.0, abs=1e-6)
    assert found["legendre_2"] < -0.5
    empty = intonation.shape(np.zeros(0), np.zeros(0))
    assert empty.pop("peak_place") == 0.5
    assert set(empty.values()) == {0.0}
