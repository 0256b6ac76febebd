"""Each condition does what it says, alike on every machine, to whatever length and rate."""

from __future__ import annotations

import numpy as np
import pytest

from ser_experiments.audio.conditions import Condition, changed, conditions
from ser_experiments.errors import InputError

RATE = 16_000
EVERY = conditions()


def _voice(seed: int = 0, seconds: float = 1.5, rate: int = RATE) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * rate)) / rate
    tone = sum(np.sin(2 * np.pi * 150 * k * time_s) / k for k in range(1, 20) if 150 * k < rate / 2)
    return (0.2 * tone * (1 + np.sin(2 * np.pi * 3 * time_s)) + 0.002 * rng.standard_normal(len(time_s))).astype(
        np.float32
    )


VOICES = [_voice(seed) for seed in range(1, 9)]


def _power(audio: np.ndarray) -> float:
    return float(np.mean(np.square(audio, dtype=np.float64)))


@pytest.mark.parametrize("condition", EVERY, ids=lambda one: one.name)
def test_the_same_recording_is_changed_in_the_same_way(condition: Condition) -> None:
    audio = _voice()
    heard, rate = changed(condition, audio, RATE, "u1", VOICES)
    again, _ = changed(condition, audio, RATE, "u1", VOICES)
    np.testing.assert_array_equal(heard, again)
    assert heard.dtype == np.float32
    assert heard.ndim == 1
    assert np.isfinite(heard).all()
    assert rate in (RATE, 8000)
    assert condition.words
    if "noise" in condition.name or "babble" in condition.name:
        assert not np.array_equal(heard, changed(condition, audio, RATE, "u2", VOICES)[0])


@pytest.mark.parametrize("rate", [8000, 11_025, 44_100])
@pytest.mark.parametrize("condition", EVERY, ids=lambda one: one.name)
def test_any_rate_and_a_short_recording(condition: Condition, rate: int) -> None:
    heard, told = changed(condition, _voice(seconds=0.06, rate=rate), rate, "u1", [_voice(1, 0.06, rate)])
    assert len(heard) > 0
    assert np.isfinite(heard).all()
    assert told > 0


BELOW = [one for one in EVERY if one.name.endswith(" dB")]


@pytest.mark.parametrize("condition", BELOW, ids=lambda one: one.name)
def test_what_is_below_the_voice_is_so_far_below(condition: Condition) -> None:
    assert len(BELOW) == 10
    audio, snr_db = _voice(), float(condition.name.split()[-2])
    heard, _ = changed(condition, audio, RATE, "u1", VOICES)
    found_db = 10 * np.log10(_power(audio) / _power(heard.astype(np.float64) - audio))
    assert found_db == pytest.approx(snr_db, abs=0.01)


def test_levels_bands_and_extents() -> None:
    audio = _voice()
    heard = {one.name: changed(one, audio, RATE, "u1", VOICES) for one in EVERY}
    assert 10 * np.log10(_power(heard["20 dB quieter"][0]) / _power(audio)) == pytest.approx(-20, abs=1e-3)
    assert 10 * np.log10(_power(heard["6 dB louder"][0]) / _power(audio)) == pytest.approx(6, abs=1e-3)
    for share in (1, 10):
        clipped, _ = heard[f"clipped {share} %"]
        assert (np.abs(clipped) >= np.abs(clipped).max() * (1 - 1e-6)).mean() == pytest.approx(share / 100, abs=0.002)
    assert len(heard["silence around"][0]) == len(audio) + 2 * RATE
    assert len(heard["1 s from the middle"][0]) == RATE
    assert len(heard["10 % slower"][0]) == pytest.approx(len(audio) / 0.9, abs=2)
    assert len(heard["10 % faster"][0]) == pytest.approx(len(audio) / 1.1, abs=2)
    for name in ("landline", "mobile phone"):
        sent, rate = heard[name]
        assert rate == 8000
        spectrum = np.abs(np.fft.rfft(sent.astype(np.float64))) ** 2
        hertz = np.fft.rfftfreq(len(sent), 1 / rate)
        assert spectrum[hertz < 200].sum() < 0.01 * spectrum.sum()
    low = np.abs(np.fft.rfft(heard["below 3.4 kHz"][0].astype(np.float64))) ** 2
    whole = np.abs(np.fft.rfft(audio.astype(np.float64))) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / RATE)
    assert low[hertz > 4500].sum() < 0.01 * whole[hertz > 4500].sum()
    assert low[hertz < 2500].sum() == pytest.approx(whole[hertz < 2500].sum(), rel=0.01)


def test_names_and_kinds() -> None:
    names = [one.name for one in EVERY]
    assert len(set(names)) == len(names)
    assert [one.name for one in conditions(["telephone"])] == ["landline", "mobile phone"]
    assert [one.name for one in conditions(["landline", "telephone", "hall"])] == ["landline", "mobile phone", "hall"]
    with pytest.raises(InputError, match="unknown condition 'telephon'; did you mean 'telephone'"):
        conditions(["telephon"])
