"""The gate from a recording to an array: formats, rates, segments, and what is refused."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile

from ser_experiments.audio import read_audio, resample
from ser_experiments.errors import AudioError

RATE = 16_000
TONE = (0.3 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("suffix", "subtype"),
    [("wav", "PCM_U8"), ("wav", "PCM_16"), ("wav", "PCM_24"), ("wav", "PCM_32"), ("wav", "FLOAT"), ("wav", "DOUBLE"),
     ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III"), ("aiff", "PCM_16")],
)  # fmt: skip
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100, 48_000])
def test_formats_and_rates(tmp_path: Path, suffix: str, subtype: str, rate: int) -> None:
    path = tmp_path / f"ünï code.{suffix}"
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(rate) / rate)
    soundfile.write(path, tone, rate, subtype=subtype)
    audio, got = read_audio(path, sample_rate=RATE)
    assert got == RATE
    assert audio.dtype == np.float32
    assert audio.ndim == 1
    assert abs(len(audio) - RATE) < 0.1 * RATE
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert np.argmax(spectrum) * RATE / len(audio) == pytest.approx(220, abs=3)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "x.wav"
    gains = np.linspace(0.2, 1.0, channels)
    soundfile.write(path, TONE[:, None] * gains, RATE, subtype="FLOAT")
    assert read_audio(path)[0] == pytest.approx(TONE * gains.mean(), abs=1e-6)


def test_bytes_segments_and_links(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, TONE, RATE, subtype="FLOAT")
    (tmp_path / "link.wav").symlink_to(path)
    assert np.array_equal(read_audio(path.read_bytes())[0], TONE)
    assert np.array_equal(read_audio(tmp_path / "link.wav", start_s=0.25, end_s=0.5)[0], TONE[4000:8000])
    assert np.array_equal(read_audio(path, start_s=float("nan"), end_s=float("nan"))[0], TONE)


def test_resampling_is_librosas() -> None:
    theirs = librosa.resample(TONE, orig_sr=RATE, target_sr=22_050)
    assert np.allclose(resample(TONE, RATE, 22_050), theirs, atol=1e-5)


def _write(path: Path, kind: str) -> None:
    makers = {
        "missing": lambda: None,
        "a folder": path.mkdir,
        "0 bytes": path.touch,
        "header only": lambda: soundfile.write(path, np.zeros(0), RATE),
        "text": lambda: path.write_text("this is not audio"),
        "AppleDouble": lambda: path.write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(40)),
        "zeros": lambda: soundfile.write(path, np.zeros(RATE), RATE),
        "offset": lambda: soundfile.write(path, np.full(RATE, 0.25), RATE),
        "NaN": lambda: soundfile.write(path, np.where(np.arange(RATE) == 5, np.nan, TONE), RATE, subtype="FLOAT"),
        "Inf": lambda: soundfile.write(path, np.where(np.arange(RATE) == 5, np.inf, TONE), RATE, subtype="FLOAT"),
    }
    makers[kind]()


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("a folder", "is a folder"),
        ("0 bytes", "empty file"),
        ("header only", "outside the recording|empty recording"),
        ("text", "unreadable audio"),
        ("AppleDouble", "unreadable audio"),
        ("zeros", "silent recording"),
        ("offset", "silent recording"),
        ("NaN", "NaN or infinite"),
        ("Inf", "NaN or infinite"),
    ],
)
def test_refused(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "x.wav"
    _write(path, kind)
    with pytest.raises(AudioError, match=message) as caught:
        read_audio(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("start", "end"), [(2.0, 3.0), (-1.0, 0.5), (0.5, 0.5), (0.6, 0.5)])
def test_segments_outside(tmp_path: Path, start: float, end: float) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, TONE, RATE)
    with pytest.raises(AudioError, match="outside the recording"):
        read_audio(path, start_s=start, end_s=end)
