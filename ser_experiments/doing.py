"""What long work tells of itself, whoever listens: the layers that work know neither a terminal nor a log.

Work is at a stage (``stage``), and inside of it at parts that lie in one another: a fold, a trial in it, an epoch in
that (``part``, ``at``). :func:`heard_by` says who hears of the enclosed code. Nobody by default, and then telling costs
a look at a variable. Who listens is no parameter of anything, so it changes no number and no identity.

Worker processes tell through a folder, a small file each, that :func:`workplace` names: see :mod:`.parallel`.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Step:
    """How far a stage or a part is.

    Parameters
    ----------
    what : str
        ``"measuring"``, ``"trial"``, the name of a member.
    done, total : int
        Of what is counted; 0 where nothing is.
    note : str
        What there is to say besides: a speed, a loss.
    left_s : float
        Seconds left; infinite where that is not known.
    """

    what: str
    done: int = 0
    total: int = 0
    note: str = ""
    left_s: float = math.inf

    def __str__(self) -> str:
        return f"{self.what} {self.done}/{self.total}" if self.total else self.what


class Listener(Protocol):
    """Who hears what work tells; called from any thread."""

    def stage(self, step: Step) -> None:
        """Hear that work is at a stage."""

    def parts(self, parts: tuple[Step, ...]) -> None:
        """Hear where inside its stage work is, the outermost part first."""


_LISTENER: ContextVar[Listener | None] = ContextVar("ser_listener", default=None)
_INSIDE: ContextVar[tuple[Step, ...]] = ContextVar("ser_inside", default=())


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Let somebody hear what the enclosed code tells, in place of who heard it before."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def listener() -> Listener | None:
    """Return who hears the code that asks; for work that goes on in other threads, which inherit nothing."""
    return _LISTENER.get()


def stage(what: str, done: int = 0, total: int = 0, *, note: str = "", left_s: float = math.inf) -> None:
    """Tell that work is at a stage; it lasts until the next one is told."""
    heard = _LISTENER.get()
    if heard is not None:
        heard.stage(Step(what, done, total, note, left_s))


@contextmanager
def part(what: str, done: int = 0, total: int = 0) -> Iterator[None]:
    """Tell that the enclosed code is a part of what it lies in."""
    if _LISTENER.get() is None:
        yield
        return
    before = _INSIDE.get()
    token = _INSIDE.set((*before, Step(what, done, total)))
    at()
    try:
        yield
    finally:
        _INSIDE.reset(token)
        at()


def at(step: Step | None = None) -> None:
    """Tell of a step inside the parts that this code lies in; without one, of these alone."""
    heard = _LISTENER.get()
    if heard is not None:
        heard.parts(_INSIDE.get() if step is None else (*_INSIDE.get(), step))


class _Notebook:
    """What the workers' files say is written here, in a process each."""

    #: Seconds between two notes: nobody reads faster.
    EVERY_S = 0.25

    def __init__(self, folder: str) -> None:
        self._file = Path(folder) / f"{os.getpid()}"
        self._next = 0.0

    def stage(self, step: Step) -> None:
        """Say nothing: stages are of the process that hands out work."""

    def parts(self, parts: tuple[Step, ...]) -> None:
        """Note where this process is."""
        now = time.monotonic()
        # The end of everything is always noted, or a bar would show what is done.
        if now < self._next and parts:
            return
        self._next = now + self.EVERY_S
        with suppress(OSError):
            self._file.write_text(json.dumps([asdict(one) for one in parts]), encoding="utf-8")


_FOLDER: list[str] = []


def workplace() -> str | None:
    """Return the folder in which workers note where they are; None while nobody listens here."""
    if _LISTENER.get() is None:
        return None
    if not _FOLDER:
        # One a process: workers that are kept for the next work go on writing to it.
        _FOLDER.append(tempfile.mkdtemp(prefix="ser-doing-"))
        atexit.register(shutil.rmtree, _FOLDER[0], ignore_errors=True)
    return _FOLDER[0]


def note_in(folder: str | None) -> None:
    """Let this process, a worker, note in a folder where it is."""
    _LISTENER.set(None if folder is None else _Notebook(folder))


def noted() -> list[tuple[Step, ...]]:
    """Return where the workers of this process are, those that are at something."""
    found = []
    for file in sorted(Path(_FOLDER[0]).iterdir()) if _FOLDER else ():
        # A note may be half written.
        with suppress(OSError, ValueError, TypeError):
            found.append(tuple(Step(**one) for one in json.loads(file.read_text(encoding="utf-8"))))
    return [one for one in found if one]


def forget_notes() -> None:
    """Forget where workers were, some of which may have ended since."""
    for file in Path(_FOLDER[0]).iterdir() if _FOLDER else ():
        with suppress(OSError):
            file.unlink()


class Pace:
    """Seconds left, by the pace since the first step."""

    #: Steps and seconds that tell a pace.
    STEPS, SECONDS = 5, 1.0

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None

    def left_s(self, done: int, total: int) -> float:
        """Return the seconds left; infinite until a pace is known."""
        now = time.monotonic()
        # What comes before the first step, such as the start of processes, is done once.
        self._first = self._first or (done, now)
        steps, seconds = done - self._first[0], now - self._first[1]
        return seconds / steps * (total - done) if steps >= self.STEPS and seconds >= self.SECONDS else math.inf


def clock(seconds: float) -> str:
    """Return seconds as hours, minutes and seconds: ``0:12``, ``1:02:05``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
