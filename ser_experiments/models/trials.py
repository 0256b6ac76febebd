"""The file of a search's trials: lines that are whole and carry a checksum, written by one process at a time."""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ser_experiments.models.fits import SEARCHING, set_aside, touch

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

log = logging.getLogger(__name__)
#: How often a search looks whether the other process that makes it is done.
_POLL_S = 0.2
#: Between what is noted and the checksum of it; JSON writes it otherwise.
_TAB = b"\t"


class Journal:
    """What Optuna notes of a study, line by line; a backend of its ``JournalStorage``.

    Optuna's own takes what is written behind half a line, as a killed process leaves one, for a part of it, waits for
    the lock of a process that is dead, and believes a number in which a bit has flipped. This one has no lock: who
    opens it has the search for itself.

    Parameters
    ----------
    path : Path
        The file; made where it is not there, in a folder that is.

    Raises
    ------
    OSError
        It cannot be written.
    ValueError
        A line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        content = path.read_bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            # Whoever was writing this is dead: nobody else has the search.
            os.truncate(path, end)
        list(self.read_logs(0))

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield what was noted, from the n-th note on."""
        content = self.path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1].splitlines()
        for line in whole[log_number_from:]:
            yield _read(line)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Note something, whole when this returns."""
        with self.path.open("ab") as file:
            file.write(b"".join(_written(one) for one in logs))
            file.flush()
            os.fsync(file.fileno())


@contextmanager
def storage_of(path: Path | None) -> Iterator[BaseStorage]:
    """Yield where the trials of a search are kept; in memory alone without a file, or where it cannot be written.

    One process makes a search at a time. Folds of a stack ask for the same one side by side: the rows without the folds
    A and B are the inner rows of either. Whoever comes second waits, and finds the trials made.

    Parameters
    ----------
    path : Path, optional
        The file, which is made where it is not there. A damaged one is set aside, and the search begins again.
    """
    from optuna.storages import InMemoryStorage

    with ExitStack() as stack:
        storage: BaseStorage = InMemoryStorage()
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                stack.enter_context(_alone(path))
                storage = _readable(path)
                touch(path)
            except OSError as error:
                log.warning("trials are not kept: %s", error)
        yield storage


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Have a search for oneself: a lock that ends with its process."""
    lock = FileLock(path.with_suffix(SEARCHING), thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        log.info("another process makes the same search; waiting for its trials: %s", path)
        lock.acquire(poll_interval=_POLL_S)
    try:
        yield
    finally:
        # While it is held: who waits sees that the file has no name any more, and makes a new one.
        with suppress(OSError):
            os.unlink(lock.lock_file)
        lock.release()


def _readable(path: Path) -> BaseStorage:
    try:
        return _opened(path)
    except OSError:
        raise
    except Exception as error:  # lines that are none, and whatever others provoke in Optuna
        set_aside(path, f"kept trials cannot be used and are made again: {path} ({type(error).__name__}: {error})")
        return _opened(path)


def _opened(path: Path) -> BaseStorage:
    from optuna.storages import JournalStorage

    return JournalStorage(Journal(path))  # type: ignore[arg-type]  # to inherit would import Optuna with this module


def _written(noted: dict[str, Any]) -> bytes:
    line = json.dumps(noted, separators=(",", ":")).encode()
    return line + _TAB + b"%08x" % zlib.crc32(line) + b"\n"


def _read(line: bytes) -> dict[str, Any]:
    told, tab, checksum = line.partition(_TAB)
    # Lines of a version before have none.
    if tab and checksum != b"%08x" % zlib.crc32(told):
        raise ValueError("a line is not what was written")
    noted: dict[str, Any] = json.loads(told)
    return noted
