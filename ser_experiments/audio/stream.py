"""Read a recording of any length piece by piece, so that hours of it need the memory of seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.container import File, name_of
from ser_experiments.audio.opening import opened
from ser_experiments.audio.read import averaged, cancelled, check_extent, powers, to_mono

#: Seconds that are read at once while a recording is scanned.
_BLOCK_S = 10.0


@dataclass(frozen=True)
class Overall:
    """What is known of a recording after it was read once.

    Parameters
    ----------
    duration_s : float
        Its length.
    sample_rate : int
        Its rate in Hz.
    peak : float
        The largest magnitude of the mono mix; full scale is 1.
    channel : int or None
        The channel that stands for all where they cancel each other.
    """

    duration_s: float
    sample_rate: int
    peak: float
    channel: int | None = None


def scan(source: File) -> Overall:
    """Read a recording once from start to end.

    Raises
    ------
    AudioError
        The recording is missing, unreadable, empty, silent or holds NaN or infinite samples.
    """
    with opened(source) as file:
        rate, several = int(file.samplerate), file.channels > 1
        # One channel is its own mix.
        mixed, each = _Extent(), [_Extent() for _ in range(file.channels if several else 0)]
        of_mix, of_channels = 0.0, np.zeros(file.channels)
        while len(samples := file.read(max(1, round(_BLOCK_S * rate)), dtype="float32", always_2d=True)):
            mix = averaged(samples)
            mixed.add(mix)
            if several:
                power = powers(samples, mix)
                of_mix, of_channels = of_mix + power[0], of_channels + power[1]
                for one, heard in zip(each, samples.T, strict=True):
                    one.add(heard)
    channel = cancelled(of_mix, of_channels) if several else None
    return (mixed if channel is None else each[channel]).overall(name_of(source), rate, channel)


class _Extent:
    """How long and how loud what was heard is."""

    def __init__(self) -> None:
        self.n_samples, self.low, self.high = 0, math.inf, -math.inf

    def add(self, audio: NDArray[np.float32]) -> None:
        self.n_samples += len(audio)
        # NumPy's, unlike Python's, keep a NaN.
        self.low = float(np.minimum(self.low, audio.min()))
        self.high = float(np.maximum(self.high, audio.max()))

    def overall(self, name: str, rate: int, channel: int | None) -> Overall:
        check_extent(self.n_samples, self.low, self.high, name)
        return Overall(self.n_samples / rate, rate, max(abs(self.low), abs(self.high)), channel)


def stream_audio(source: File, block_s: float, channel: int | None = None) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Yield a recording in blocks of `block_s` seconds; the last may be shorter.

    Parameters
    ----------
    source : path or bytes
        A file that libsndfile reads, or the bytes of one.
    block_s : float
        Length of a block in seconds.
    channel : int, optional
        The one that stands for all, as :func:`scan` found it; by default channels are averaged.

    Yields
    ------
    audio : ndarray of shape (n_samples,), float32
        Mono; full scale is 1. Not checked for NaN or silence.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioError
        The recording is missing or unreadable.
    """
    with opened(source) as file:
        n_samples = max(1, round(block_s * file.samplerate))
        while len(samples := file.read(n_samples, dtype="float32", always_2d=True)):
            mono = averaged(samples) if channel is None else to_mono(samples, channel)
            yield mono, int(file.samplerate)
