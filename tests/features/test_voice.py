"""Voice measures against signals whose values are known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from ser_experiments.features.dsp import formants, voice
from ser_experiments.features.dsp.pitch import track_f0

RATE = 16_000


def harmonics(f0: float, amplitudes: list[float], seconds: float = 1.0) -> NDArray[np.float32]:
    """Return a steady tone of harmonics with the amplitudes given."""
    time = np.arange(int(seconds * RATE)) / RATE
    parts = [a * np.cos(2 * np.pi * f0 * (h + 1) * time + h) for h, a in enumerate(amplitudes)]
    return np.sum(parts, axis=0).astype(np.float32)


def cycles_of(lengths: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return one damped pulse a cycle, of the lengths (s) and amplitudes given, at exact fractional times."""
    begin = np.concatenate([[0.0], np.cumsum(lengths)])[:-1] + 0.02
    time = np.arange(int((begin[-1] + 0.05) * RATE)) / RATE
    wave = np.zeros(len(time))
    for start, level in zip(begin, levels, strict=True):
        age = time - start
        on = (age >= 0) & (age < 0.012)
        # A resonance at 700 Hz that has died away before the next pulse; its rise is smooth.
        wave[on] += level * np.sin(2 * np.pi * 700.0 * age[on]) * age[on] * 2000.0 * np.exp(-age[on] * 900.0)
    return wave.astype(np.float32)


def coins(n: int) -> NDArray[np.float64]:
    """Return +1 and -1 at random: in turn they would make a true period of two cycles."""
    return np.random.default_rng(4).choice([-1.0, 1.0], n)


@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0, 20.0])
@pytest.mark.parametrize("f0", [90.0, 210.0])
def test_hnr_is_the_ratio_that_was_mixed(snr_db: float, f0: float) -> None:
    tone = harmonics(f0, [1.0 / h for h in range(1, 30)], 2.0).astype(np.float64)
    noise = np.random.default_rng(0).standard_normal(len(tone))
    mixed = tone + noise * tone.std() * 10 ** (-snr_db / 20)
    track = track_f0(mixed.astype(np.float32))
    assert track.voiced.mean() > 0.9
    assert np.median(voice.hnr_db(track.periodicity[track.voiced])) == pytest.approx(snr_db, abs=1.0)


def test_hnr_is_bounded() -> None:
    np.testing.assert_allclose(voice.hnr_db(np.array([0.0, 0.5, 1.0], np.float32)), [-30.0, 0.0, 30.0], atol=0.01)


@pytest.mark.parametrize("f0", [85.0, 140.0, 233.3, 390.0])
def test_harmonics_have_the_levels_that_were_mixed(f0: float) -> None:
    audio = harmonics(f0, [0.2, 0.5, 0.05, 0.4, 0.02])
    chosen = np.arange(20, 80)
    power = voice.power_at(audio, chosen, window=800, n_fft=1024, hop=160)
    found = 10 * np.log10(voice.harmonic_powers(power, np.full(60, f0, np.float32), RATE / 1024))
    # Between two bins a Hann window of 50 ms, read every 15.6 Hz, loses at most 0.9 dB.
    expected = 20 * np.log10([0.2, 0.5, 0.05])
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 60, axis=1), atol=1.0)


def test_quality_rows_are_what_their_names_say() -> None:
    f0 = 200.0
    amplitudes = [0.4, 0.1, 0.05, 0.2] + [0.001] * 8 + [0.02] + [0.001] * 12 + [0.0] * 5
    audio = harmonics(f0, amplitudes)
    chosen = np.arange(20, 80)
    rows, _ = voice.quality_rows(audio, chosen, np.full(60, f0, np.float32))
    found = dict(zip(voice.QUALITY, rows.mean(axis=1), strict=True))
    power = np.square(amplitudes)
    frequency = f0 * np.arange(1, len(power) + 1)

    def band(low: float, high: float) -> float:
        return float(power[(frequency >= low) & (frequency <= high)].sum())

    def db(above: float, below: float) -> float:
        return 10 * np.log10(above / below)

    expected = {
        "h1_h2": db(power[0], power[1]),
        "h1_h3": db(power[0], power[2]),
        "h1_a1": 0.0,  # the first harmonic is the highest at 200-1100 Hz
        "h1_a3": db(power[0], power[12]),
        "alpha": db(band(50, 999), band(1000, 5000)),
        "hammarberg": db(power[0], power[12]),
        "band_0_500": db(band(50, 500), band(50, 8000)),
        "band_500_1000": db(band(500, 999), band(50, 8000)),
    }
    for name, value in expected.items():
        # The harmonic at 1000 Hz is too soft to matter to either side of its band.
        assert found[name] == pytest.approx(value, abs=1.0), name


def test_chosen_frames_are_those_of_the_whole_spectrum() -> None:
    from ser_experiments.features.dsp.frames import power_spectrum

    audio = np.random.default_rng(1).standard_normal(8000).astype(np.float32)
    chosen = np.array([0, 3, 17, 50])
    whole = power_spectrum(audio, window=800, n_fft=1024, hop=160)[chosen]
    found = voice.power_at(audio, chosen, window=800, n_fft=1024, hop=160)
    np.testing.assert_allclose(found * 200.0**2, whole, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("share", [0.005, 0.02])
@pytest.mark.parametrize("f0", [95.0, 180.0])
def test_jitter_is_what_was_put_in(share: float, f0: float) -> None:
    lengths = (1.0 + share * coins(150)) / f0
    audio = cycles_of(lengths, np.ones(150))
    found = voice.cycles(audio, track_f0(audio))
    local, ddp = voice.jitter(found)
    assert len(found.period) > 130
    assert np.mean(found.period) == pytest.approx(1.0 / f0, rel=0.01)
    assert local == pytest.approx(np.abs(np.diff(lengths)).mean() * f0, rel=0.15)
    assert ddp == pytest.approx(np.abs(np.diff(lengths, n=2)).mean() * f0, rel=0.15)
    assert voice.shimmer(found)[0] < 0.5


def test_a_glide_is_little_jitter() -> None:
    lengths = 1.0 / np.linspace(100.0, 150.0, 150)
    audio = cycles_of(lengths, np.ones(150))
    local, ddp = voice.jitter(voice.cycles(audio, track_f0(audio)))
    assert local == pytest.approx(np.mean(np.abs(np.diff(lengths))) / lengths.mean(), abs=0.002)
    assert ddp < 0.003


@pytest.mark.parametrize("step_db", [0.5, 2.0])
def test_shimmer_is_what_was_put_in(step_db: float) -> None:
    decibels = step_db / 2.0 * coins(150)
    audio = cycles_of(np.full(150, 1.0 / 120.0), 10.0 ** (decibels / 20.0))
    found = voice.cycles(audio, track_f0(audio))
    local, ddp = voice.shimmer(found)
    assert local == pytest.approx(np.abs(np.diff(decibels)).mean(), rel=0.15)
    assert ddp == pytest.approx(np.abs(np.diff(decibels, n=2)).mean(), rel=0.15)
    assert voice.jitter(found)[0] < 0.002


def test_cycles_of_different_stretches_are_not_compared() -> None:
    low, high = (cycles_of(np.full(60, 1.0 / f0), np.ones(60)) for f0 in (100.0, 200.0))
    audio = np.concatenate([low, np.zeros(8000, np.float32), high])
    found = voice.cycles(audio, track_f0(audio))
    assert len(set(found.run.tolist())) == 2
    # The first cycle of a stretch, half silence, is a little off; a step of an octave would be 0.5 of the mean.
    assert voice.jitter(found)[0] < 0.005
    assert found.match.min() >= voice.LEAST_MATCH
    assert found.match.max() <= 1.001


def test_without_a_voice_there_are_no_cycles() -> None:
    for audio in (np.zeros(4000, np.float32), np.random.default_rng(0).standard_normal(4000).astype(np.float32)):
        found = voice.cycles(audio, track_f0(audio))
        assert len(found.period) == 0
        assert voice.jitter(found) == voice.shimmer(found) == (0.0, 0.0)


VOWELS = {
    "a": (730.0, 1090.0, 2440.0),
    "i": (300.0, 2300.0, 3000.0),
    "u": (320.0, 870.0, 2240.0),
    "e": (530.0, 1840.0, 2480.0),
}


@pytest.mark.parametrize("name", VOWELS)
def test_formants_of_a_synthetic_vowel(name: str) -> None:
    source = np.zeros(RATE)
    source[:: RATE // 110] = 1.0
    # The glottis falls by 12 dB an octave, the lips raise by 6.
    wave = scipy.signal.lfilter([1.0], [1.0, -0.97], source)
    for frequency, width in zip((*VOWELS[name], 3500.0, 4500.0), (60.0, 90.0, 120.0, 180.0, 250.0), strict=True):
        radius = np.exp(-np.pi * width / RATE)
        wave = scipy.signal.lfilter([1.0], [1.0, -2 * radius * np.cos(2 * np.pi * frequency / RATE), radius**2], wave)
    audio = (wave / np.abs(wave).max()).astype(np.float32)
    power = voice.power_at(audio, np.arange(20, 80), window=800, n_fft=1024, hop=160)
    found = formants.estimate(power, RATE / 1024)
    np.testing.assert_allclose(np.nanmedian(found, axis=1), VOWELS[name], rtol=0.08)


def test_levinson_solves_the_normal_equations() -> None:
    rng = np.random.default_rng(0)
    power = np.abs(np.fft.rfft(rng.standard_normal((4, 256)))) ** 2
    r = np.fft.irfft(power)[:, : formants.ORDER + 1].astype(np.float32)
    found = np.empty_like(r)
    formants._levinson(np.ascontiguousarray(r), found)
    for t in range(4):
        matrix = scipy.linalg.toeplitz(r[t, :-1].astype(np.float64)) + 1e-4 * r[t, 0] * np.eye(formants.ORDER)
        np.testing.assert_allclose(found[t, 1:], np.linalg.solve(matrix, -r[t, 1:]), atol=1e-4)


def test_formants_of_nothing_are_finite_or_none() -> None:
    found = formants.estimate(np.zeros((3, 513), np.float32), RATE / 1024)
    assert found.shape == (3, 3)
    assert not np.isinf(found).any()
    assert formants.estimate(np.zeros((0, 513), np.float32), RATE / 1024).shape == (3, 0)
