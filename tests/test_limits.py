"""What decoding a recording may cost: known from its header, or noticed while it is decoded."""

from __future__ import annotations

import importlib.util
import io
import resource
import struct
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ser_experiments.audio import read_audio, scan, stream_audio, to_mono
from ser_experiments.audio.limits import Budget, Limits, TooLong
from ser_experiments.errors import AudioError

RATE = 16_000


def written(audio: np.ndarray, rate: int = RATE, form: str = "WAV", subtype: str = "PCM_16") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, format=form, subtype=subtype)
    return buffer.getvalue()


def noise(seconds: float, channels: int = 1) -> np.ndarray:
    return 0.1 * np.random.default_rng(0).standard_normal((int(seconds * RATE), channels)).astype(np.float32)


SIXTEEN_S = Limits(16.0, 16 * RATE * 2)


@pytest.mark.parametrize("read", [read_audio, scan])
def test_limits_are_exact(read: object) -> None:
    for seconds, channels in ((16.0, 1), (16.0, 2), (8.0, 4)):
        read(written(noise(seconds, channels)), limits=SIXTEEN_S)  # type: ignore[operator]
    for seconds, channels, said in (
        (16.1, 1, "16 s long; at most 16 s are answered at once"),
        (8.1, 4, "1 million samples (8 s, 4 channels, 16000 Hz); at most 1 million are decoded"),
    ):
        with pytest.raises(TooLong) as refused:
            read(written(noise(seconds, channels)), limits=SIXTEEN_S)  # type: ignore[operator]
        assert refused.value.reason == said


def test_a_recording_that_does_not_say_its_length() -> None:
    data = bytearray(written(noise(60.0), form="FLAC"))
    data[21] &= 0xF0  # the number of samples: not known
    data[22:26] = bytes(4)
    for read in (read_audio, scan):
        with pytest.raises(TooLong, match="or longer; at most 16 s"):
            read(bytes(data), limits=SIXTEEN_S)
    assert len(read_audio(bytes(data), limits=Limits(60.0))[0]) == 60 * RATE


def test_several_recordings_have_one_budget() -> None:
    budget = Budget(Limits(10.0), Limits(15.0, 40 * RATE))
    data = written(noise(6.0))
    for _ in range(2):
        read_audio(data, limits=budget)
        budget.next()
    with pytest.raises(TooLong, match="6 s more than the 12 s before it: .* together at most 15 s"):
        read_audio(data, limits=budget)
    budget.next()
    # What was refused cost nothing.
    read_audio(written(noise(3.0)), limits=budget)
    many = Budget(Limits(10.0), Limits(15.0, 5 * RATE))
    with pytest.raises(TooLong):
        read_audio(written(noise(3.0, 2)), limits=many)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("av") is None, reason="needs PyAV")
@pytest.mark.parametrize(("form", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("matroska", "pcm_s16le")])
def test_what_is_decoded_elsewhere_is_bounded_too(form: str, codec: str, tmp_path: Path) -> None:
    import av

    path = tmp_path / "a.bin"
    with av.open(str(path), "w", format=form) as container:
        track = container.add_stream(codec, rate=48_000)
        silence = np.zeros((1, 48_000), np.float32)
        resampler = av.AudioResampler(format=track.format, layout=track.layout, rate=48_000)
        for second in range(90):
            frame = av.AudioFrame.from_ndarray(silence + 0.01 * (second % 2), format="flt", layout="mono")
            frame.rate, frame.pts, frame.time_base = 48_000, second * 48_000, Fraction(1, 48_000)
            for piece in resampler.resample(frame):
                container.mux(track.encode(piece))
        container.mux(track.encode(None))
    began = time.process_time()
    with pytest.raises(TooLong, match="1[67] s or longer; at most 16 s"):
        read_audio(path.read_bytes(), limits=Limits(16.0))
    short = time.process_time() - began
    began = time.process_time()
    assert len(read_audio(path)[0]) == pytest.approx(90 * 48_000, rel=0.01)
    assert short < (time.process_time() - began) / 2


@pytest.mark.parametrize("channels", [2, 3, 16])
def test_channels_are_mixed_as_before(channels: int) -> None:
    audio = noise(37.0, channels)
    data = written(audio, subtype="FLOAT")
    mixed, _ = read_audio(data)
    np.testing.assert_array_equal(mixed, to_mono(audio))
    streamed = np.concatenate([block for block, _ in stream_audio(data, 5.0)])
    np.testing.assert_array_equal(streamed, mixed)
    assert scan(data).peak == pytest.approx(np.abs(mixed).max())


def test_channels_that_cancel_each_other_late() -> None:
    audio = noise(40.0)
    pair = np.concatenate([audio, -0.9 * audio], axis=1)
    mixed, _ = read_audio(written(pair, subtype="FLOAT"))
    np.testing.assert_array_equal(mixed, audio[:, 0])
    piece, _ = read_audio(written(pair, subtype="FLOAT"), start_s=5.0, end_s=30.0)
    np.testing.assert_array_equal(piece, audio[5 * RATE : 30 * RATE, 0])


WIDE = """
import resource, sys
from ser_experiments.audio import read_audio, scan, stream_audio
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for read in (read_audio, scan, lambda path: [len(block) for block, _ in stream_audio(path, 3.0)]):
    read(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_channels(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "wide.wav", "w", 8000, 1000, "PCM_16") as file:
        block = np.random.default_rng(0).integers(-999, 999, (8000, 1000), np.int16)
        for _ in range(8):
            file.write(block)
    words = [sys.executable, "-c", WIDE, str(tmp_path / "wide.wav")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    # 256 MB as float32.
    assert int(done.stdout) < 40


@pytest.mark.parametrize("kind", ["after the samples", "of CAF"])
def test_millions_of_empty_chunks_cost_little(kind: str) -> None:
    chunk = b"junk" + bytes(8 if kind == "of CAF" else 4)
    wav = written(noise(1.0))
    head = b"caff\0\1\0\0" if kind == "of CAF" else wav[:40] + struct.pack("<I", 2) + wav[44:46]
    data = head + chunk * (20 * 2**20 // len(chunk))
    began = time.process_time()
    with pytest.raises(AudioError, match="silent|not recognised"):
        read_audio(data)
    assert time.process_time() - began < 0.4


def test_a_rate_is_bounded_before_it_is_brought_down() -> None:
    fast = written(noise(0.1), rate=2**31 - 1)
    for read in (read_audio, scan):
        with pytest.raises(AudioError, match="sampled at 2147483647 Hz; at most 48000 Hz") as refused:
            read(fast, limits=Limits(10.0, sample_rate=48_000))
        assert not isinstance(refused.value, TooLong)


def test_rates_that_nobody_records_at() -> None:
    for rate in (1, 100, 2**31 - 1):
        with soundfile.SoundFile(buffer := io.BytesIO(), "w", rate, 1, "PCM_16", format="WAV") as file:
            file.write(noise(0.5))
        try:
            read_audio(buffer.getvalue(), limits=Limits(300.0))
            [len(block) for block, _ in stream_audio(buffer.getvalue(), 1.0)]
        except TooLong:
            assert rate == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 4 * 2**20
