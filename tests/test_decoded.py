"""Recordings of phones and browsers, through PyAV where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_experiments.audio import opening, read_audio, scan, stream_audio
from ser_experiments.audio.container import why_not
from ser_experiments.errors import AudioError

RATE = 48_000
TONE = (0.3 * np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE)).astype(np.float32)


def encoded(path: Path, codec: str, channels: int = 1, tone_in: int | None = None) -> Path:
    """Write a tone into a recording, into every channel or, with noise in the others, into one."""
    av = pytest.importorskip("av")
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
    with av.open(str(path), "w", format=None if path.suffix else "webm") as container:
        stream = container.add_stream(codec, rate=RATE, layout=layout)
        samples = np.repeat(TONE[None, :], channels, axis=0)
        if tone_in is not None:
            noise = 0.3 * np.random.default_rng(0).standard_normal(samples.shape)
            samples[np.arange(channels) != tone_in] = noise[np.arange(channels) != tone_in]
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.m4a", "aac"),
        ("a.webm", "libopus"),
        ("a.mp4", "aac"),
        ("a.mka", "libopus"),
        ("a.aac", "aac"),
        ("a", "libopus"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_phones_and_browsers_record(tmp_path: Path, name: str, codec: str, channels: int) -> None:
    path = encoded(tmp_path / name, codec, channels)
    audio, rate = read_audio(path)
    assert rate == RATE
    assert len(audio) == pytest.approx(len(TONE), abs=0.05 * RATE)
    middle = np.abs(np.fft.rfft(audio[RATE // 2 : RATE // 2 + RATE] * np.hanning(RATE)))
    assert middle.argmax() == 220
    assert np.sqrt(np.mean(audio[RATE // 2 : RATE] ** 2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    np.testing.assert_array_equal(read_audio(path.read_bytes())[0], audio)
    assert scan(path).duration_s == pytest.approx(len(audio) / rate)
    np.testing.assert_array_equal(np.concatenate([block for block, _ in stream_audio(path, 0.5)]), audio)
    piece, _ = read_audio(path, start_s=0.5, end_s=1.0)
    np.testing.assert_array_equal(piece, audio[RATE // 2 : RATE])
    with pytest.raises(AudioError, match="ends after the recording"):
        read_audio(path, end_s=2000)


def test_of_surround_sound_the_voices_are_taken(tmp_path: Path) -> None:
    """FL, FR, FC, LFE, BL, BR: what films have in front is speech, and music and laughter are around it."""
    audio, _ = read_audio(encoded(tmp_path / "a.mp4", "aac", 6, tone_in=2))
    middle = audio[RATE // 2 : RATE]
    tone = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    assert tone[108:113].sum() > 0.99 * tone.sum()


def telephone(path: Path, codec: str) -> Path:
    """Write two seconds of a WAV as telephone systems record it."""
    av = pytest.importorskip("av")
    rate = 16_000 if codec == "g722" else 8000
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        tone = (9000 * np.sin(2 * np.pi * 220 * np.arange(2 * rate) / rate)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[None, :], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(format=stream.format, layout="mono", rate=rate, frame_size=stream.frame_size or 0)
        for piece in resampler.resample(frame):
            for packet in stream.encode(piece):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


@pytest.mark.parametrize("codec", ["g722", "g726", "pcm_s64le"])
def test_a_wav_of_a_codec_that_libsndfile_does_not_know(
    tmp_path: Path, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = telephone(tmp_path / "a.wav", codec)
    for source in (path, path.read_bytes()):
        audio, rate = read_audio(source)
        assert len(audio) == pytest.approx(2 * rate, rel=0.02)
        assert np.abs(np.fft.rfft(audio[:rate])).argmax() == 220
    assert scan(path).duration_s == pytest.approx(2.0, rel=0.02)
    monkeypatch.setattr(opening, "is_installed", lambda: False)
    with pytest.raises(AudioError, match="a WAV of a codec that libsndfile does not read: convert it, .*'ser_exp"):
        read_audio(path)


@pytest.mark.parametrize("content", [b"RIFF\x24\x00\x00\x00WAVEnothing at all" + bytes(99), b"OggS" + bytes(200)])
def test_what_nobody_can_decode_is_said_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(AudioError, match="unreadable audio") as caught:
        read_audio(tmp_path / "a.wav")
    assert "pip install" not in str(caught.value)


def test_what_it_cannot_decode_is_said(tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "a.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(500))
    with pytest.raises(AudioError, match="unreadable audio") as caught:
        read_audio(tmp_path / "a.m4a")
    assert "\n" not in str(caught.value)


def test_without_it_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_bytes(b"\x1aE\xdf\xa3" + bytes(500))
    assert "pip install 'ser_experiments[av]'" in why_not(tmp_path / "a.webm")
