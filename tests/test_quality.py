"""What recordings are like is measured right: where they end, how loud, how noisy and how clipped they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve, firwin

from ser_experiments.audio import read_audio, resample
from ser_experiments.audio.bandwidth import bandwidth
from ser_experiments.audio.conditions import changed, conditions
from ser_experiments.audio.effects import noise
from ser_experiments.audio.quality import Quality, clipped, quality, quality_of
from ser_experiments.audio.spectra import spectra
from ser_experiments.errors import AudioError
from tests.served import voice

RATE = 16_000


def white(seconds: float = 3.0, rate: int = RATE, level_db: float = -30.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (10 ** (level_db / 20) * rng.standard_normal(int(seconds * rate))).astype(np.float32)


def ends(audio: np.ndarray, rate: int) -> float:
    return bandwidth(spectra(np.asarray(audio, dtype=np.float32), rate))


def spoken(rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Speak, with hisses as of an /s/ in between, and pauses."""
    sound = voice(4.0, rate).astype(np.float64)
    places = np.arange(len(sound))
    hiss = white(4.0, rate, -32.0, seed) * (places // (rate // 5) % 5 == 0)
    return np.where(places // (rate // 2) % 4 == 3, 0.0, sound + hiss).astype(np.float32)


CUTS = [(rate, cut) for rate in (8000, 16_000, 44_100) for cut in (1500, 2000, 3400, 7500, 16_000) if 2 * cut < rate]


@pytest.mark.parametrize(("rate", "cut_hz"), CUTS)
def test_noise_ends_where_it_was_cut(rate: int, cut_hz: int) -> None:
    cut = fftconvolve(white(rate=rate), firwin(801, cut_hz, fs=rate), "same")
    assert ends(cut, rate) == pytest.approx(cut_hz, abs=100)
    # Rounded to 16 bits, whose noise goes on to the end.
    assert ends(np.round(cut * 32767) / 32767, rate) == pytest.approx(cut_hz, abs=100)
    assert ends(cut * 0.01, rate) == pytest.approx(cut_hz, abs=100)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
def test_what_is_not_cut_ends_at_half_of_the_rate(rate: int) -> None:
    assert ends(white(rate=rate), rate) == pytest.approx(rate / 2, rel=0.01)


@pytest.mark.parametrize("stored", [16_000, 44_100])
@pytest.mark.parametrize("rate", [8000, 11_025])
def test_a_higher_rate_adds_nothing(rate: int, stored: int) -> None:
    heard = resample(spoken(rate), rate, stored)
    assert ends(np.round(heard * 32767) / 32767, stored) == pytest.approx(rate / 2, rel=0.06)


def test_telephones_and_codecs() -> None:
    heard = {one.name: changed(one, spoken(), RATE, "u1", []) for one in conditions(["telephone", "band", "codec"])}
    for name, low, high in (
        ("landline", 3100, 3600), ("mobile phone", 3100, 3700), ("below 3.4 kHz", 3100, 4100),
        ("above 300 Hz", 7500, 8000), ("MP3 low", 3800, 4500), ("Opus low", 3700, 4400),
    ):  # fmt: skip
        audio, rate = heard[name]
        assert low <= ends(audio, rate) <= high, name
        assert low <= ends(resample(audio, rate, 44_100), 44_100) <= high, name


@pytest.mark.parametrize("exponent", [0.0, 1.0])
@pytest.mark.parametrize("snr_db", [20, 10, 0])
def test_speech_above_noise(snr_db: float, exponent: float) -> None:
    sound = spoken()
    clean = quality(sound, RATE)
    below = noise(len(sound), exponent, np.random.default_rng(1))
    below *= 10 ** ((clean.level_db - snr_db) / 20) / np.sqrt(np.mean(below**2))
    found = quality((sound + below).astype(np.float32), RATE)
    assert found.snr_db == pytest.approx(snr_db, abs=2.5)
    assert found.noise_db == pytest.approx(clean.level_db - snr_db, abs=2.5)


def test_noise_alone_is_as_loud_as_it_is() -> None:
    for rate in (8000, 16_000, 44_100):
        assert quality(white(rate=rate, level_db=-40.0), rate).noise_db == pytest.approx(-40, abs=0.7)


def test_level_is_of_what_is_spoken_and_not_of_an_offset() -> None:
    sound = spoken()
    found, offset = quality(sound, RATE), quality(sound + np.float32(0.1), RATE)
    padded = quality(np.concatenate([sound, 1e-4 * white(4.0)]), RATE)
    assert offset.level_db == pytest.approx(found.level_db, abs=0.2)
    assert offset.noise_db == pytest.approx(found.noise_db, abs=1)
    assert padded.level_db == pytest.approx(found.level_db, abs=1)
    assert padded.speech == pytest.approx(found.speech / 2, abs=0.1)
    assert quality(sound * 0.1, RATE).level_db == pytest.approx(found.level_db - 20, abs=0.1)


def test_clipped() -> None:
    sound = spoken()
    assert clipped(sound) < 1e-3
    # A pure low tone has broad tops, which are no clipping.
    assert clipped(np.sin(2 * np.pi * 60 * np.arange(44_100) / 44_100).astype(np.float32)) < 0.002
    for one in conditions(["level"]):
        if one.name.startswith("clipped"):
            share = float(one.name.split()[1]) / 100
            assert clipped(changed(one, sound, RATE, "u", [])[0]) == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize("n_samples", [1, 2, 10, 400, 1000])
def test_any_length_is_measured(n_samples: int) -> None:
    for audio in (white()[:n_samples], np.eye(1, n_samples, dtype=np.float32)[0], np.full(n_samples, 0.5, np.float32)):
        for rate in (100, 8000, 96_000):
            assert all(map(np.isfinite, quality(audio, rate)))


def test_files(tmp_path: Path) -> None:
    sound = spoken()
    soundfile.write(tmp_path / "a.wav", np.stack([sound, sound], axis=1), RATE)
    found = quality_of(str(tmp_path / "a.wav"))
    assert (found.channels, found.sample_rate, found.duration_s) == (2, RATE, pytest.approx(4.0))
    assert quality_of(str(tmp_path / "a.wav"), start_s=1.0, end_s=2.0).duration_s == pytest.approx(1.0)
    assert set(Quality._fields) >= {"bandwidth_hz", "level_db", "noise_db", "snr_db", "clipped", "speech"}
    with pytest.raises(AudioError, match="no such file"):
        quality_of(str(tmp_path / "b.wav"))


@pytest.mark.speech
@pytest.mark.slow
def test_real_speech(speech_corpora: Path) -> None:
    """The figures that docs/inspect.md states."""
    files = [path for one in ("emodb4", "nemo_subset") for path in sorted((speech_corpora / one).rglob("*.flac"))[::12]]
    heard = [read_audio(path) for path in files]
    assert len(heard) > 90
    for cut_hz in (2000, 3000, 4000, 5500, 7000):
        found = np.array([ends(fftconvolve(a, firwin(801, cut_hz, fs=r), "same"), r) for a, r in heard])
        assert np.median(found) == pytest.approx(cut_hz, rel=0.02)
        assert np.quantile(found, 0.05) > 0.75 * cut_hz
        assert found.max() < 1.05 * cut_hz
    for name, low, high in (("landline", 3300, 3450), ("mobile phone", 3300, 3450), ("below 3.4 kHz", 3250, 3600)):
        (one,) = conditions([name])
        middle = np.median([ends(*changed(one, a, r, str(i), [])) for i, (a, r) in enumerate(heard)])
        assert low <= middle <= high, name
    rng = np.random.default_rng(0)
    for snr_db, exponent in ((0, 0), (0, 1), (10, 0), (10, 1), (20, 0), (20, 1)):
        off = []
        for audio, rate in heard:
            below = noise(len(audio), exponent, rng)
            below *= 10 ** ((quality(audio, rate).level_db - snr_db) / 20) / np.sqrt(np.mean(below**2))
            off.append(quality((audio + below).astype(np.float32), rate).snr_db - snr_db)
        assert np.median(off) == pytest.approx(0, abs=3), (snr_db, exponent)
        assert np.quantile(off, 0.05) > -6
        assert np.quantile(off, 0.95) < 4
