"""Recordings of phones and browsers, through PyAV where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_experiments.audio import read_audio, scan, stream_audio
from ser_experiments.audio.container import why_not
from ser_experiments.errors import AudioError

RATE = 48_000
TONE = (0.3 * np.sin(2 * np.pi * 220 * np.arange(2 * RATE) / RATE)).astype(np.float32)


def encoded(path: Path, codec: str, channels: int = 1) -> Path:
    av = pytest.importorskip("av")
    layout = {1: "mono", 2: "stereo"}[channels]
    with av.open(str(path), "w", format=None if path.suffix else "webm") as container:
        stream = container.add_stream(codec, rate=RATE, layout=layout)
        samples = np.repeat(TONE[None, :], channels, axis=0)
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


def test_what_it_cannot_decode_is_said(tmp_path: Path) -> None:
    pytest.importorskip("av")
    (tmp_path / "a.m4a").write_bytes(b"\x00\x00\x00\x20ftypM4A " + bytes(500))
    with pytest.raises(AudioError, match="unreadable audio") as caught:
        read_audio(tmp_path / "a.m4a")
    assert "\n" not in str(caught.value)


def test_without_it_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "a.webm").write_bytes(b"\x1aE\xdf\xa3" + bytes(500))
    assert "pip install 'ser_experiments[av]'" in why_not(tmp_path / "a.webm")
