"""What a run has to log, on disk until the tracking store has taken it.

Each step of logging is written to the run's own folder first and removed when the store has it. So nothing that was
computed is lost when a server goes away, and a run whose process was killed leaves a trace by which the next run, or
``ser sync``, ends it.
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ser_experiments.errors import StoreError
from ser_experiments.project import Project
from ser_experiments.tracking.kept import (
    FILES,
    STEP,
    Damaged,
    Step,
    digests,
    read_checked,
    read_step,
    sync_to_disk,
    write_checked,
)

_RUN, _LOCK = "run.json", "lock"
#: Outboxes are named by chance; what else lies there is somebody's. To make or to remove one takes no hour.
_NAME, _LEFTOVER_S = re.compile("[0-9a-f]{32}"), 3600.0
_STEP_FOLDER = re.compile(r"\d{6}-\w+")
#: The folder beside the outboxes that takes what is damaged.
ASIDE = "damaged"
#: Whoever looks for abandoned outboxes may hold a new one's lock for a moment.
_PATIENCE_S = 10.0


class Outbox:
    """The steps of one run that the store has not taken yet.

    Parameters
    ----------
    folder : Path
        Of this run alone.
    lock : FileLock
        Held by whoever writes or delivers it; the system lets go of it when a process is killed.
    """

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder = folder
        self._lock = lock
        self._count = max(map(_number, _steps(folder)), default=0)

    @classmethod
    def create(cls, project: Project, about: Mapping[str, str]) -> Outbox:
        """Make the outbox of a new run.

        Parameters
        ----------
        project : Project
            Outboxes lie in ``mlruns/outbox``.
        about : mapping
            ``uri`` of the store and the ``name`` of the run.

        Raises
        ------
        StoreError
            The folder cannot be written.
        """
        folder = home(project) / uuid.uuid4().hex
        try:
            folder.mkdir(parents=True)
            lock = _lock_of(folder)
            lock.acquire(timeout=_PATIENCE_S)
            outbox = cls(folder, lock)
            outbox.about = dict(about)
        except (OSError, Timeout) as error:
            shutil.rmtree(folder, ignore_errors=True)
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "its lock is held"
            raise StoreError(f"{folder}: cannot be written ({reason}); nothing was run") from error
        return outbox

    @property
    def about(self) -> dict[str, str]:
        """Return the run's ``uri``, ``name`` and, once it is known, ``run_id`` and ``experiment_id``.

        Raises
        ------
        Damaged
            The file is not what was written.
        StoreError
            It cannot be read.
        """
        found = read_checked(self.folder / _RUN, ("uri", "name", "experiment_id"))
        if not all(isinstance(value, str) for value in found.values()):
            raise Damaged(f"{self.folder / _RUN}: is not what an outbox holds")
        return found

    @about.setter
    def about(self, values: Mapping[str, str]) -> None:
        write_checked(self.folder / _RUN, values)

    def note_run(self, run_id: str) -> None:
        """Note which run of the store it is.

        Raises
        ------
        StoreError
            The folder cannot be written.
        """
        try:
            self.about = {**self.about, "run_id": run_id}
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written ({error.strerror}); nothing was run") from error

    def put(self, kind: str, arguments: Mapping[str, Any], write: Callable[[Path], object] | None = None) -> Step:
        """Keep a step; `write` is handed an empty folder for the files that belong to it.

        Raises
        ------
        StoreError
            The folder cannot be written, e.g. because the disk is full.
        """
        self._count += 1
        half = self.folder / f".{self._count:06d}"
        step = Step(self.folder / f"{self._count:06d}-{kind}", kind, dict(arguments))
        # Of a process that was killed.
        shutil.rmtree(half, ignore_errors=True)
        try:
            (half / FILES).mkdir(parents=True)
            if write is not None:
                write(half / FILES)
            write_checked(half / STEP, {"kind": kind, "arguments": step.arguments, "files": digests(half / FILES)})
            half.rename(step.folder)
        except OSError as error:
            shutil.rmtree(half, ignore_errors=True)
            # The next step has its number: a gap would mean that one got lost.
            self._count -= 1
            raise StoreError(f"{step.folder}: results cannot be kept ({error.strerror}); make room") from error
        return step

    @property
    def name(self) -> str:
        """Return the run's name; that of the folder where it cannot be read."""
        try:
            return self.about["name"]
        except StoreError:
            return self.folder.name

    def waiting(self) -> list[Step]:
        """Return the steps that are left, in their order; one that is damaged or gone says so.

        They are delivered one after the other, so that between two that are left none can be missing.

        Raises
        ------
        StoreError
            A step cannot be read.
        """
        there = {_number(folder): folder for folder in _steps(self.folder)}
        every = range(min(there), max(there) + 1) if there else ()
        return [read_step(there.get(number, self.folder / f"{number:06d}-lost")) for number in every]

    @staticmethod
    def delivered(step: Step) -> None:
        """Forget a step that the store has taken: at once, whatever ends the process while its files go."""
        gone = step.folder.with_name(f".{step.folder.name}")
        with suppress(OSError):  # one that stays is taken once more, which changes nothing
            step.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def remove(self) -> None:
        """Forget the run; the store has everything."""
        # Without this file it is no outbox any more. The lock goes before the folder: Windows keeps open files.
        (self.folder / _RUN).unlink(missing_ok=True)
        self._lock.release()
        shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> None:
        """Let the outbox lie for the next who can deliver it, which may be after a power cut."""
        for path in self.folder.rglob("*"):
            with suppress(OSError):
                sync_to_disk(path)
        self._lock.release()

    def set_aside(self) -> Path:
        """Move what no later try can log to where nobody looks for outboxes, and return where it lies."""
        place = self.folder.parents[1] / ASIDE / self.folder.name
        place.parent.mkdir(parents=True, exist_ok=True)
        self._lock.release()
        self.folder.rename(place)
        return place


def home(project: Project) -> Path:
    """Return the folder of all outboxes."""
    return project.mlruns / "outbox"


def abandoned(project: Project) -> Iterator[Outbox]:
    """Yield the outboxes that no running process owns, and hold each while it is looked at."""
    root = home(project)
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not (folder / _RUN).is_file():  # not yet made, removed by its owner in this moment, or somebody else's
            _sweep(folder)
            continue
        lock = _lock_of(folder)
        try:
            lock.acquire(timeout=0)
        except (OSError, Timeout):
            continue
        outbox = Outbox(folder, lock)
        if not (folder / _RUN).is_file():  # removed between the two looks
            outbox.remove()
            continue
        try:
            yield outbox
        finally:
            lock.release()


def _sweep(folder: Path) -> None:
    """Remove what is left of an outbox whose owner was killed while he made or removed it."""
    with suppress(OSError):
        if _NAME.fullmatch(folder.name) and time.time() - folder.stat().st_mtime > _LEFTOVER_S:
            shutil.rmtree(folder, ignore_errors=True)


def _lock_of(folder: Path) -> FileLock:
    # Released by whatever thread comes to it.
    return FileLock(folder / _LOCK, thread_local=False)


def _number(step: Path) -> int:
    return int(step.name.partition("-")[0])


def _steps(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and _STEP_FOLDER.fullmatch(one.name))
