"""Read recordings, ahead of what is measured where that pays, and put together what is measured together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Condition
from typing import Any, NamedTuple

from ser_experiments.audio import read_audio, resample
from ser_experiments.errors import AudioError
from ser_experiments.features.measure import Audio
from ser_experiments.features.store import survey

#: Batches that are put together at a time: among so many clips there are enough of like length.
BATCHES = 8
#: Threads that read ahead; decoding and resampling run beside each other.
THREADS = 4


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
    """A recording that was read, surveyed and brought to the rates that it is measured at.

    Attributes
    ----------
    recording : Recording
    duration_s : float
        Its length; 0 where it cannot be used.
    problem : str or None
        Why it cannot be used.
    row : tuple or None
        Its row of the survey where that is wanted.
    heard : mapping of int to ndarray of shape (n_samples,), float32
        The audio by rate in Hz; or why there is none.
    """

    recording: Recording
    duration_s: float
    problem: str | None
    row: tuple[Any, ...] | None
    heard: Mapping[int, Audio | Exception]


def read_clips(recordings: Sequence[Recording], rates: Sequence[int], ahead_s: float = 0.0) -> Generator[Clip]:
    """Read recordings in their order.

    Parameters
    ----------
    recordings : sequence of Recording
        What is to be read.
    rates : sequence of int
        The rate in Hz that each target is measured at.
    ahead_s : float
        Threads read before they are asked for as long as less than so many seconds of audio wait.
    """
    if not ahead_s:
        yield from map(partial(_read, rates), recordings)
        return
    room = _Room(ahead_s)
    with ThreadPoolExecutor(THREADS) as pool:
        coming = deque(
            pool.submit(room.fill, number, partial(_read, rates, one)) for number, one in enumerate(recordings)
        )
        try:
            while coming:
                clip = coming.popleft().result()
                room.let_go(clip.duration_s)
                yield clip
        finally:
            for each in coming:
                each.cancel()
            room.close()


class _Room:
    """Where clips wait that were read ahead; there is room as long as less than so many seconds of audio wait."""

    def __init__(self, most_s: float) -> None:
        self._most_s, self._waiting_s = most_s, 0.0
        self._n_taken = 0
        self._closed = False
        self._changed = Condition()

    def fill(self, number: int, read: Callable[[], Clip]) -> Clip:
        """Read a recording once there is room; the one that is taken next waits for nobody."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting_s < self._most_s or number <= self._n_taken)
        clip = read()
        with self._changed:
            self._waiting_s += clip.duration_s
        return clip

    def let_go(self, seconds: float) -> None:
        """Take the next clip out."""
        with self._changed:
            self._waiting_s -= seconds
            self._n_taken += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of whoever waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


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


def _read(rates: Sequence[int], recording: Recording) -> Clip:
    """Do for a recording all that needs no other one: what measures on a GPU finds it done."""
    try:
        audio, rate = read_audio(recording.path, start_s=recording.start_s, end_s=recording.end_s)
    except AudioError as error:
        return Clip(recording, 0.0, error.reason, survey.unusable(error.reason) if recording.survey else None, {})
    row = survey.of_audio(audio, rate) if recording.survey else None
    wanted = {rates[number] for number in recording.targets}
    heard = {each: _resampled(audio, rate, each) for each in sorted(wanted)}
    return Clip(recording, len(audio) / rate, None, row, heard)


def _resampled(audio: Audio, rate: int, target: int) -> Audio | Exception:
    try:
        return resample(audio, rate, target)
    except Exception as error:
        return error
