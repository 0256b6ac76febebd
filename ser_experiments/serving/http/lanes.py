"""Processes that answer, and the bounded queues of requests before them: one for short ones, one for long ones."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from typing import Any

from ser_experiments.errors import InputError
from ser_experiments.serving.http import worker
from ser_experiments.serving.http.worker import Job, Place, late
from ser_experiments.serving.rows import failed

log = logging.getLogger(__name__)
#: How long a process may take to begin, and how long it is waited before another one is tried.
_START_S, _AGAIN_S = 120.0, 2.0
#: What is left to a process that was told how much time there is, before it is ended.
_GRACE_S = 1.0


class Full(Exception):
    """A request that is not taken, because too many wait.

    Parameters
    ----------
    seconds : int
        After which it may be sent again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass
class Asked:
    """A request and what is answered of it so far.

    Parameters
    ----------
    body : bytes-like
        What was sent.
    kind : str
        What it is.
    seconds : float
        How long it may take, from now.
    """

    body: bytes | bytearray
    kind: str
    seconds: float
    n_rows: int | None = None
    nothing: dict[str, Any] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    refused: tuple[int, str] | None = None
    is_long: bool = False
    was_lost: bool = False

    def __post_init__(self) -> None:
        self.until = time.monotonic() + self.seconds

    @property
    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self.until - time.monotonic()

    def hear(self, said: str, *what: Any) -> bool:
        """Take what a process says; return whether it says more."""
        if said == worker.ROWS:
            self.n_rows, self.nothing = what
        elif said == worker.ANSWER:
            self.answers.append(what[0])
        elif said == worker.REFUSED:
            self.refused = what[0], what[1]
        self.is_long = said == worker.LONG
        return said in (worker.ROWS, worker.ANSWER)

    def lose(self) -> bool:
        """Take it that the process ended or was too slow; return whether rows are left that can be asked for."""
        is_late = self.left_s <= 0
        why = late(self.seconds) if is_late else "ended the process that measured it"
        if self.n_rows is None:
            # It may have ended while it waited: another one is asked once.
            again, self.was_lost = not (is_late or self.was_lost), True
            self.refused = None if again else (503, why) if is_late else (500, f"the request {why}")
            return again
        n_lost = self.n_rows - len(self.answers) if is_late else 1
        self.answers += [failed(self.nothing, why) for _ in range(min(n_lost, self.n_rows - len(self.answers)))]
        return len(self.answers) < self.n_rows


class _Worker:
    """A process that answers; its methods wait, and are called in threads."""

    def __init__(self, context: BaseContext, folder: str, place: Place) -> None:
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=worker.work, args=(theirs, folder, place), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()
        if not self._connection.poll(_START_S):
            self.end()
            raise InputError(f"the model was not read within {_START_S:.0f} s")
        try:
            said, *what = self._connection.recv()
        except EOFError:
            said, what = worker.FAILED, ["the process that answers ended before it began"]
        if said == worker.FAILED:
            self.end()
            raise InputError(what[0])
        self.description: dict[str, Any] = what[0]

    def answer(self, asked: Asked) -> bool:
        """Answer a request as far as that goes; return whether the process is still there."""
        try:
            self._connection.send(Job(asked.kind, len(asked.answers), asked.left_s))
            self._connection.send_bytes(asked.body)
            while self._connection.poll(max(0.0, asked.left_s) + _GRACE_S):
                if not asked.hear(*self._connection.recv()):
                    return True
        except (EOFError, OSError):
            pass
        return False

    @property
    def is_there(self) -> bool:
        """Whether the process lives."""
        return self._process.is_alive()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()


class Lane:
    """Processes of one kind, and the requests that wait for one of them.

    Parameters
    ----------
    folder : str
        Of the model.
    place : Place
        What they are for.
    n_workers : int
        How many there are.
    most_waiting : int
        Requests that wait; more are not taken.
    again_s : int
        After how many seconds one that was not taken may be sent again.
    """

    def __init__(self, folder: str, place: Place, n_workers: int, most_waiting: int, again_s: int) -> None:
        self._folder, self._place, self._n = folder, place, n_workers
        self._most_waiting, self._again_s = most_waiting, again_s
        self._context = _context()
        self._threads = ThreadPoolExecutor(n_workers, thread_name_prefix="answers")
        self._idle: asyncio.Queue[_Worker] = asyncio.Queue()
        self._waiting, self._there, self._ended = 0, 0, False
        self._tasks: set[asyncio.Task[None]] = set()
        #: What the server says of itself, once a process is there.
        self.description: dict[str, Any] = {}

    @property
    def is_full(self) -> bool:
        """Whether no more requests are taken."""
        return self._waiting >= self._most_waiting

    @property
    def is_there(self) -> bool:
        """Whether there is a process that answers."""
        return self._there > 0

    def full(self) -> Full:
        """Return what is raised where no more requests are taken."""
        return Full(self._again_s)

    async def start(self) -> None:
        """Start the processes.

        Raises
        ------
        InputError
            The model cannot be used.
        """
        await asyncio.gather(*(self._add() for _ in range(self._n)))

    async def answer(self, asked: Asked) -> None:
        """Answer a request when its turn comes, as far as this lane does.

        Raises
        ------
        Full
            Too many wait, or its turn did not come in its time.
        """
        if self.is_full:
            raise self.full()
        going_on = True
        while going_on:
            one = await self._turn(asked.left_s)
            # From here on it cannot be given up: the process is at work.
            going_on = await asyncio.shield(self._ask(one, asked))

    async def _turn(self, seconds: float) -> _Worker:
        self._waiting += 1
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                while not (one := await self._idle.get()).is_there:
                    self._lose(one)
                return one
        except TimeoutError:
            raise self.full() from None
        finally:
            self._waiting -= 1

    async def _ask(self, one: _Worker, asked: Asked) -> bool:
        if await asyncio.get_running_loop().run_in_executor(self._threads, one.answer, asked):
            self._idle.put_nowait(one)
            return False
        self._lose(one)
        return asked.lose()

    def _lose(self, one: _Worker) -> None:
        one.end()
        self._there -= 1
        task = asyncio.create_task(self._replace())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add(self) -> None:
        started = await asyncio.get_running_loop().run_in_executor(
            self._threads, _Worker, self._context, self._folder, self._place
        )
        self._there += 1
        self.description = started.description
        self._idle.put_nowait(started)

    async def _replace(self) -> None:
        while not self._ended:
            try:
                return await self._add()
            except (InputError, OSError) as error:
                log.warning("a process that answers could not be started again: %s", error)
                await asyncio.sleep(_AGAIN_S)
        return None

    def end(self) -> None:
        """End all processes."""
        self._ended = True
        while not self._idle.empty():
            self._idle.get_nowait().end()
        self._threads.shutdown(wait=False, cancel_futures=True)


def _context() -> BaseContext:
    """Return how processes are started: as copies of one that has the model, where the system does that safely."""
    if not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["ser_experiments.serving.http.loaded"])
    return context
