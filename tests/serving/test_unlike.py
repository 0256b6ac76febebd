"""What is no speech is said to be none, and what is speech is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_experiments.audio import read_audio, resample
from ser_experiments.serving.unlike import unlike_speech
from tests.served import voice

RATE, N = 16_000, 48_000
TIME = np.arange(N) / RATE


def coloured(slope: float, seed: int = 0) -> np.ndarray:
    """Return noise whose amplitude falls with the frequency: 0 is white, 0.5 pink, 1 brown."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(N))
    spectrum /= np.maximum(1, np.arange(len(spectrum))) ** slope
    noise = np.fft.irfft(spectrum, N)
    return (0.1 * noise / np.abs(noise).max()).astype(np.float32)


def clicks(*places: int) -> np.ndarray:
    audio = np.zeros(N, np.float32)
    audio[list(places)] = 0.9
    return audio


def tone(pitch: float) -> np.ndarray:
    return (0.1 * np.sin(2 * np.pi * pitch * TIME)).astype(np.float32)


VOICE, STEADY, SHORT = "hardly any voice", "one steady sound", "too short for speech"
NONE = {
    "white noise": (coloured(0.0), VOICE),
    "pink noise": (coloured(0.5), VOICE),
    "brown noise": (coloured(1.0), VOICE),
    "noise that comes and goes": (coloured(0.0) * (1 + np.sin(8 * np.pi * TIME)).astype(np.float32), VOICE),
    "silence with a click": (clicks(20_000), VOICE),
    "clicks": (clicks(*range(0, N, 4000)), VOICE),
    "a step": (np.repeat([0.0, 0.5], N // 2).astype(np.float32), VOICE),
    "hum of mains": (tone(50.0), VOICE),
    "hum of mains and noise": (tone(100.0) + coloured(0.0), VOICE),
    "a tone": (tone(440.0), STEADY),
    "a whistle": (tone(3000.0), STEADY),
    "a buzz": (clicks(*range(0, N, 100)), STEADY),
    "a minute of a tone": (np.tile(tone(440.0), 20), STEADY),
    "two tones": (tone(697.0) + tone(1209.0), STEADY),
    "ten samples": (coloured(0.0)[:10], SHORT),
    "one sample": (coloured(0.0)[:1], SHORT),
    "a syllable's end": (voice(0.05), SHORT),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_speech(name: str) -> None:
    audio, word = NONE[name]
    for gain in (1.0, 0.01, 3.0):
        (said,) = unlike_speech(audio * np.float32(gain), RATE)
        assert word in said


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("slope", [0.0, 0.5, 0.75, 1.0, 1.25])
def test_any_noise(seed: int, slope: float) -> None:
    (said,) = unlike_speech(coloured(slope, seed), RATE)
    assert VOICE in said


@pytest.mark.parametrize("seconds", [0.3, 1.0, 3.0, 50.0])
@pytest.mark.parametrize("pitch", [90.0, 130.0, 220.0])
def test_a_voice(seconds: float, pitch: float) -> None:
    assert unlike_speech(voice(seconds, pitch=pitch), RATE) == []


def test_a_rate_that_is_too_low() -> None:
    assert unlike_speech(voice(3.0, 2000), 2000) == ["sampled at 2000 Hz, too low for speech"]
    assert unlike_speech(voice(3.0, 8000), 8000) == []


def test_a_voice_after_a_long_pause() -> None:
    assert unlike_speech(np.concatenate([np.zeros(40 * RATE, np.float32), voice(6.0)]), RATE) == []


@pytest.mark.speech
@pytest.mark.slow
def test_real_speech(speech_corpora: Path) -> None:
    files = sorted(path for corpus in ("emodb4", "nemo_subset") for path in (speech_corpora / corpus).rglob("*.flac"))
    assert len(files) > 1000
    rng, said, n = np.random.default_rng(0), [], 0
    for path in files[::4]:
        audio, rate = read_audio(path)
        noise = rng.standard_normal(len(audio)).astype(np.float32) * np.float32(0.3 * audio.std())
        for one in ((audio, rate), (resample(audio, rate, 8000), 8000), (audio + noise, rate)):
            said += unlike_speech(*one)
            n += 1
    assert len(said) <= 0.005 * n, said
