"""Read a recording of any length piece by piece, so that hours of it need the memory of seconds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.container import File, name_of
from ser_experiments.audio.limits import Bounds
from ser_experiments.audio.opening import BLOCK, opened
from ser_experiments.audio.read import Mix, check_extent


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


def scan(source: File, limits: Bounds | None = None) -> Overall:
    """Read a recording once from start to end.

    Parameters
    ----------
    source : path or bytes
        The recording.
    limits : Limits or Budget, optional
        How much of it is decoded.

    Raises
    ------
    AudioError
        The recording is missing, unreadable, empty, silent or holds NaN or infinite samples.
    TooLong
        It has more than the limits allow; where its header says so, nothing was decoded.
    """
    with opened(source, limits) as file:
        rate, mix = int(file.samplerate), Mix(file.channels)
        if limits is not None and file.n_frames is not None:
            limits.check(file.n_frames, rate, file.channels, name_of(source))
        # One channel is its own mix.
        mixed, each = _Extent(), [_Extent() for _ in range(file.channels if file.channels > 1 else 0)]
        for samples in file.blocks_of(BLOCK):
            mixed.add(mix(samples))
            if limits is not None:
                limits.check(mixed.n_samples, rate, file.channels, name_of(source), ended=False)
            for one, heard in zip(each, samples.T, strict=False):
                one.add(heard)
    channel = mix.instead()
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
        # What stands for all was found before: nothing is to be found again.
        while parts := [Mix(file.channels, channel)(block) for block in file.blocks_of(BLOCK, n_samples)]:
            yield parts[0] if len(parts) == 1 else np.concatenate(parts), int(file.samplerate)
