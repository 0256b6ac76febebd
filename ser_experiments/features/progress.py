"""How far an extraction is: told to a callback, or logged now and then."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ser_experiments.doing import clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far one stage is.

    Parameters
    ----------
    stage : str
        ``"reading"`` files to tell whether they are known, or ``"measuring"`` recordings.
    done, total : int
        Files or recordings.
    audio_s : float
        Seconds of audio measured so far.
    elapsed_s : float
        Seconds since the stage began.
    left_s : float
        Seconds left at the pace since the first step, which pays for imports and compilation; infinite until that
        pace is known.
    """

    stage: str
    done: int
    total: int
    audio_s: float
    elapsed_s: float
    left_s: float = math.inf

    @property
    def audio_hours_per_s(self) -> float:
        """Hours of audio measured a second."""
        return self.audio_s / 3600 / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def left(self) -> str:
        """Return the time left as hours, minutes and seconds; empty at the end and where it is not known."""
        return clock(self.left_s) if 0 < self.left_s < math.inf else ""

    def __str__(self) -> str:
        text = f"{self.stage} {self.done}/{self.total}"
        if self.audio_s:
            text += f", {self.audio_hours_per_s:.3f} h of audio/s"
        if self.left:
            text += f", {self.left} left"
        return text


#: Steps and seconds after the first step that tell a pace.
_PACE_STEPS, _PACE_S = 5, 1.0
#: What is told of progress; called at most a few times a second.
Callback = Callable[[Progress], None]


class Meter:
    """Count what is done and tell of it, not too often.

    Parameters
    ----------
    callback : callable, optional
        Takes a :class:`Progress`; without one, a line is logged every `every_s` seconds.
    every_s : float
        Seconds between two calls.
    """

    def __init__(self, callback: Callback | None = None, every_s: float | None = None) -> None:
        self._notify = callback or (lambda progress: _log.info("%s", progress))
        self._every_s = every_s if every_s is not None else (0.1 if callback else 15.0)
        # A log line about a second's work is noise; a bar wants to be there from the start.
        self._first_s = 0.0 if callback else self._every_s
        self._lock = threading.Lock()
        self.start("reading", 0)

    @property
    def done(self) -> int:
        """Return the steps done of the stage."""
        return self._done

    @property
    def total(self) -> int:
        """Return the steps of the stage."""
        return self._total

    def start(self, stage: str, total: int) -> None:
        """Begin a stage of so many steps."""
        self._stage, self._total, self._done, self._audio_s = stage, total, 0, 0.0
        self._began = time.monotonic()
        self._first: tuple[int, float] | None = None
        self._next = self._began + self._first_s

    def step(self, steps: int = 1, audio_s: float = 0.0) -> None:
        """Count steps and the audio that was measured in them; may be called from several threads."""
        with self._lock:
            self._done += steps
            self._audio_s += audio_s
            now = time.monotonic()
            self._first = self._first or (self._done, now)
            # The last step is told when a step before it was, or a bar would stop short.
            last = self._done >= self._total and self._next > self._began + self._first_s
            if now >= self._next or last:
                elapsed_s, left_s = now - self._began, self._left_s(now)
                self._notify(Progress(self._stage, self._done, self._total, self._audio_s, elapsed_s, left_s))
                self._next = now + self._every_s

    def _left_s(self, now: float) -> float:
        first_done, first = self._first or (self._done, now)
        done, seconds = self._done - first_done, now - first
        return seconds / done * (self._total - self._done) if done >= _PACE_STEPS and seconds >= _PACE_S else math.inf
