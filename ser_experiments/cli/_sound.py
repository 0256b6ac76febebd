"""Sound as it comes: from a microphone, from a file that is played, or as samples on standard input."""

from __future__ import annotations

import importlib.util
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError, SerError

#: Seconds of a piece, and of all that may wait to be heard.
_PIECE_S, _MOST_BEHIND_S = 0.1, 10.0


class Piece(NamedTuple):
    """Samples of shape (n_samples,), and when the last of them was there, by :func:`time.monotonic`."""

    audio: NDArray[np.float32]
    there: float


class Feed:
    """Pieces of sound that one side brings and the other takes; what is not taken in time is lost, and counted."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate, self.lost_s = sample_rate, 0.0
        self._waiting: queue.Queue[Piece | Exception | None] = queue.Queue(round(_MOST_BEHIND_S / _PIECE_S))
        self.ended = threading.Event()
        #: What brings the pieces, where that stops when nobody holds it.
        self.held: object = None

    def bring(self, audio: NDArray[np.float32]) -> None:
        """Bring a piece."""
        try:
            self._waiting.put_nowait(Piece(audio, time.monotonic()))
        except queue.Full:
            self.lost_s += len(audio) / self.sample_rate

    def end(self, error: Exception | None = None) -> None:
        """Say that nothing follows, or what went wrong."""
        self._waiting.put(error)

    def __iter__(self) -> Iterator[Piece]:
        while True:
            try:
                # Not for ever, so that a signal is heard.
                got = self._waiting.get(timeout=0.5)
            except queue.Empty:
                continue
            if isinstance(got, Exception):
                raise got
            if got is None:
                return
            yield got


def played(path: Path) -> Feed:
    """Play a recording at the speed at which it was spoken.

    Raises
    ------
    AudioError
        It cannot be used.
    """
    from ser_experiments.audio import scan, stream_audio

    overall = scan(path)
    feed = Feed(overall.sample_rate)

    def play() -> None:
        begun, so_far = time.monotonic(), 0
        for audio, rate in stream_audio(path, _PIECE_S, overall.channel):
            so_far += len(audio)
            # A piece is there when its last sample would have been spoken.
            if feed.ended.wait(max(0.0, begun + so_far / rate - time.monotonic())):
                return
            feed.bring(audio)

    return _begun(feed, play)


def raw(sample_rate: int) -> Feed:
    """Take samples from standard input as they come: 16 bits with a sign, little-endian, one channel."""
    feed = Feed(sample_rate)
    size = 2 * round(_PIECE_S * sample_rate)

    def take() -> None:
        while not feed.ended.is_set() and (got := sys.stdin.buffer.read(size)):
            samples = np.frombuffer(got[: len(got) // 2 * 2], dtype="<i2")
            feed.bring(samples.astype(np.float32) / np.float32(32768))

    return _begun(feed, take)


def microphone(device: str | None) -> Feed:
    """Hear a microphone.

    Raises
    ------
    InputError
        What hears microphones is not installed.
    SerError
        There is no microphone, or not this one.
    """
    if importlib.util.find_spec("sounddevice") is None:
        raise InputError("a microphone needs the package: pip install 'ser_experiments[listen]'; or say --from FILE")
    try:
        import sounddevice
    except OSError as error:
        raise InputError(
            f"{error}: install PortAudio (Debian: apt install libportaudio2), or say --from FILE"
        ) from error
    named: Any = int(device) if device is not None and device.isdigit() else device
    try:
        rate = int(sounddevice.query_devices(named, "input")["default_samplerate"])
        feed = Feed(rate)
        stream = sounddevice.InputStream(
            samplerate=rate, blocksize=round(_PIECE_S * rate), device=named, channels=1, dtype="float32",
            callback=lambda audio, frames, when, status: feed.bring(audio[:, 0].copy()),
        )  # fmt: skip
        stream.start()
    except (ValueError, sounddevice.PortAudioError) as error:
        raise SerError(f"no microphone can be heard ({' '.join(str(error).split())}); or say --from FILE") from error
    feed.held = stream
    return feed


def _begun(feed: Feed, bring: Callable[[], None]) -> Feed:
    def work() -> None:
        try:
            bring()
        except Exception as error:  # is raised where the pieces are taken
            feed.end(error)
        else:
            feed.end()

    threading.Thread(target=work, daemon=True).start()
    return feed
