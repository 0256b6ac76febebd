"""Read a recording of any length piece by piece, so that hours of it need the memory of seconds."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio.read import SILENT_PEAK, opened, to_mono
from ser_experiments.errors import AudioError

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
    """

    duration_s: float
    sample_rate: int
    peak: float


def scan(source: str | os.PathLike[str] | bytes) -> Overall:
    """Read a recording once from start to end.

    Raises
    ------
    AudioError
        The recording is missing, unreadable, empty, silent or holds NaN or infinite samples.
    """
    n_samples, low, high, rate = 0, math.inf, -math.inf, 1
    for block, sample_rate in stream_audio(source, _BLOCK_S):
        n_samples, rate = n_samples + len(block), sample_rate
        low, high = min(low, float(block.min())), max(high, float(block.max()))
        # A NaN is neither above nor below, so it has to be looked for in every block.
        if not np.isfinite(block).all():
            raise AudioError(name_of(source), "holds NaN or infinite samples")
    if n_samples == 0:
        raise AudioError(name_of(source), "empty recording (no samples)")
    if high - low <= 2 * SILENT_PEAK:
        raise AudioError(name_of(source), "silent recording (all samples alike)")
    return Overall(n_samples / rate, rate, max(abs(low), abs(high)))


def stream_audio(source: str | os.PathLike[str] | bytes, block_s: float) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Yield a recording in blocks of `block_s` seconds; the last may be shorter.

    Parameters
    ----------
    source : path or bytes
        A file that libsndfile reads, or the bytes of one.
    block_s : float
        Length of a block in seconds.

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
            yield to_mono(samples), int(file.samplerate)


def name_of(source: str | os.PathLike[str] | bytes) -> str:
    """Return what messages call a source."""
    return "<bytes>" if isinstance(source, bytes) else str(source)
