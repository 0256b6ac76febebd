"""What a run has to log, on disk until the tracking store has taken it.

Each step of logging is written to the run's own folder first and removed when the store has it. So nothing that was
computed is lost when a server goes away, and a run whose process was killed leaves a trace by which the next run, or
``ser sync``, ends it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ser_experiments.errors import StoreError
from ser_experiments.project import Project

_RUN, _LOCK, _STEP, _FILES = "run.json", "lock", "step.json", "files"
_STEP_FOLDER = re.compile(r"\d{6}-\w+")
#: Whoever looks for abandoned outboxes may hold a new one's lock for a moment.
_PATIENCE_S = 10.0


@dataclass(frozen=True)
class Step:
    """One step of logging.

    Parameters
    ----------
    folder : Path
        Where it is kept.
    kind : str
        What is to be done, e.g. ``metrics``; each store knows how.
    arguments : dict
        JSON values.
    """

    folder: Path
    kind: str
    arguments: dict[str, Any]

    @property
    def files(self) -> Path:
        """Return the folder of the files that belong to it."""
        return self.folder / _FILES


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
        self._count = max((int(one.name.partition("-")[0]) for one in _steps(folder)), default=0)

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
            reason = error.strerror if isinstance(error, OSError) and error.strerror else "its lock is held"
            raise StoreError(f"{folder}: cannot be written ({reason}); nothing was run") from error
        return outbox

    @property
    def about(self) -> dict[str, str]:
        """Return the run's ``uri``, ``name`` and, once it is known, ``run_id`` and ``experiment_id``.

        Raises
        ------
        StoreError
            The file is damaged.
        """
        return _read(self.folder / _RUN, ("uri", "name", "experiment_id"))

    @about.setter
    def about(self, values: Mapping[str, str]) -> None:
        write_whole(self.folder / _RUN, json.dumps(dict(values)))

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
            (half / _FILES).mkdir(parents=True)
            if write is not None:
                write(half / _FILES)
            told = {"kind": kind, "arguments": step.arguments, "sizes": _sizes(half / _FILES)}
            write_whole(half / _STEP, json.dumps(told))
            half.rename(step.folder)
        except OSError as error:
            shutil.rmtree(half, ignore_errors=True)
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
        """Return the steps that are left, in their order.

        Raises
        ------
        StoreError
            A step is damaged.
        """
        found = []
        for folder in _steps(self.folder):
            said = _read(folder / _STEP, ("kind", "arguments"))
            step = Step(folder, said["kind"], said["arguments"])
            if said.get("sizes") not in (None, _sizes(step.files)):  # None: of a version before
                raise StoreError(f"{step.files}: files of it are lost; move the folder {self.folder} away")
            found.append(step)
        return found

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
        """Let the outbox lie for the next who can deliver it."""
        self._lock.release()


def home(project: Project) -> Path:
    """Return the folder of all outboxes."""
    return project.mlruns / "outbox"


def abandoned(project: Project) -> Iterator[Outbox]:
    """Yield the outboxes that no running process owns, and hold each while it is looked at."""
    root = home(project)
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        if not (folder / _RUN).is_file():  # not yet made, removed by its owner in this moment, or somebody else's
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


def _lock_of(folder: Path) -> FileLock:
    # Released by whatever thread comes to it.
    return FileLock(folder / _LOCK, thread_local=False)


def _steps(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and _STEP_FOLDER.fullmatch(one.name))


def _sizes(folder: Path) -> dict[str, int]:
    """Return the bytes of each file of a step."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}


def _read(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.keys() >= set(keys):
            return found
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); move the outbox away") from error
    raise StoreError(f"{path}: is not what an outbox holds; move the outbox away")


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all, whatever ends the process meanwhile."""
    half = path.with_name(f".{path.name}")
    with half.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
