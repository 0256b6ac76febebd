"""Read recordings, ahead of what is measured where that pays, and put together what is measured together."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio import read_audio
from ser_experiments.errors import AudioError
from ser_experiments.features.store import survey

#: Batches that are put together at a time: among so many clips there are enough of like length.
BATCHES = 8


class Recording(NamedTuple):
    """What is to be measured of one recording.

    Attributes
    ----------
    key : bytes
        Of its rows.
    path : str
    start_s, end_s : float
        The segment; NaN for the file's start and end.
    targets : tuple of int
        Which targets lack its row, as places in the unit's targets.
    survey : bool
        Whether it is to be surveyed.
    """

    key: bytes
    path: str
    start_s: float
    end_s: float
    targets: tuple[int, ...]
    survey: bool


class Clip(NamedTuple):
    """A recording that was read.

    Attributes
    ----------
    recording : Recording
    audio : ndarray of shape (n_samples,), float32
        Empty where it cannot be used.
    sample_rate : int
        In Hz.
    problem : str or None
        Why it cannot be used.
    """

    recording: Recording
    audio: NDArray[np.float32]
    sample_rate: int
    problem: str | None

    @property
    def duration_s(self) -> float:
        """Return its length in seconds."""
        return len(self.audio) / self.sample_rate

    def surveyed(self) -> tuple[Any, ...]:
        """Return its row of the survey."""
        if self.problem is not None:
            return survey.unusable(self.problem)
        return survey.of_audio(self.audio, self.sample_rate)


def read_clips(recordings: Sequence[Recording], ahead: int = 0) -> Generator[Clip]:
    """Read recordings in their order.

    Parameters
    ----------
    recordings : sequence of Recording
        What is to be read.
    ahead : int
        How many are read, in threads, before they are asked for.
    """
    if not ahead:
        yield from map(_read, recordings)
        return
    rest = iter(recordings)
    with ThreadPoolExecutor(min(ahead, 4)) as pool:
        coming: deque[Future[Clip]] = deque(pool.submit(_read, one) for one in islice(rest, ahead))
        try:
            while coming:
                clip = coming.popleft().result()
                coming.extend(pool.submit(_read, one) for one in islice(rest, 1))
                yield clip
        finally:
            for one in coming:
                one.cancel()


def gathered(clips: Iterable[Clip], batch_s: float) -> Iterator[list[Clip]]:
    """Yield the clips that are measured together: one by one, or enough for some batches of so many seconds."""
    together: list[Clip] = []
    seconds = 0.0
    for clip in clips:
        together.append(clip)
        seconds += clip.duration_s
        if seconds >= BATCHES * batch_s:
            yield together
            together, seconds = [], 0.0
    if together:
        yield together


def _read(recording: Recording) -> Clip:
    try:
        audio, rate = read_audio(recording.path, start_s=recording.start_s, end_s=recording.end_s)
    except AudioError as error:
        return Clip(recording, np.empty(0, np.float32), 1, error.reason)
    return Clip(recording, audio, rate, None)
