"""The process that answers requests, one after the other."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from ser_experiments.audio.limits import Budget, TooLong
from ser_experiments.errors import SerError
from ser_experiments.serving.bounds import RECORDING, REQUEST, SHORT
from ser_experiments.serving.http.body import Refused, rows_of
from ser_experiments.serving.rows import answer, failed

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from ser_experiments.serving.audio_model import AudioModel

#: What the process says, each with its own values after it: that it is ready, with what the server says of itself, or
#: why it never will be; how many rows
#: there are, and what is said of one that cannot be answered; the answer to the next row; that the rest takes long; why
#: nothing is answered; that all is.
READY, FAILED, ROWS, ANSWER, LONG, REFUSED, DONE = "ready", "failed", "rows", "answer", "long", "refused", "done"


class Job(NamedTuple):
    """What is asked of the process; the body follows.

    Parameters
    ----------
    kind : str
        What the body is.
    first : int
        The row to begin with: those before it are answered.
    seconds : float
        How long there is for it.
    """

    kind: str
    first: int
    seconds: float


class Place(NamedTuple):
    """What a process is for.

    Parameters
    ----------
    short : bool
        Whether it hands back what takes long.
    memory : int
        Bytes that it may take beyond what it has when it begins.
    """

    short: bool
    memory: int


def work(connection: Connection, folder: str, place: Place) -> None:
    """Answer what comes until the other side is gone."""
    # Whoever ends the server ends the process that speaks for it, and lets this one finish what it does.
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_IGN)
    from ser_experiments.serving.http.loaded import description, model

    try:
        answering, described = model(folder), description(folder)
    except SerError as error:
        connection.send((FAILED, str(error)))
        return
    _bound_memory(place.memory)
    if not place.short and hasattr(os, "nice"):
        os.nice(5)
    with suppress(EOFError, OSError):
        connection.send((READY, described))
        while True:
            job = connection.recv()
            for said in answers(answering, job, connection.recv_bytes(), short=place.short):
                connection.send(said)


def answers(model: AudioModel, job: Job, body: bytes, *, short: bool) -> Iterator[tuple[Any, ...]]:
    """Answer the rows of a request, and say what becomes of it; see :data:`ROWS` and what stands beside it."""
    end = time.monotonic() + job.seconds
    try:
        rows = rows_of(body, job.kind)
    except Refused as refused:
        yield REFUSED, refused.status, str(refused)
        return
    except MemoryError:
        yield REFUSED, 413, "the request takes more memory than one may"
        return
    nothing = model.task.no_answer
    yield ROWS, len(rows), nothing
    budget = Budget(RECORDING, SHORT if short else REQUEST)
    for number in range(job.first, len(rows)):
        if time.monotonic() > end:
            yield ANSWER, failed(nothing, late(job.seconds))
            continue
        try:
            yield ANSWER, answer(model, rows[number], budget, hand_on=short)
        except TooLong:
            yield (LONG,)
            return
        rows[number] = None
    yield (DONE,)


def late(seconds: float) -> str:
    """Say that a row was not answered in the seconds that there were."""
    return (
        f"not answered within {max(seconds, 0):.0f} s, the time of a request; send fewer or shorter recordings at once"
    )


def _bound_memory(extra: int) -> None:
    """Let this process take so many bytes more, and no more, where the system can hold it to that."""
    if not sys.platform.startswith("linux"):
        return
    import resource

    with open("/proc/self/status", encoding="ascii") as file:
        (held,) = [int(line.split()[1]) * 1024 for line in file if line.startswith("VmData:")]
    resource.setrlimit(resource.RLIMIT_DATA, (held + extra, held + extra))
