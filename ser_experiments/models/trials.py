"""The file of a search's trials: lines that are whole and carry a checksum, and a lock that ends with its process."""

from __future__ import annotations

import json
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ser_experiments.models.fits import set_aside, touch

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

log = logging.getLogger(__name__)
#: One lock for all searches of a folder: to note a trial takes milliseconds, and no lock is left behind by any.
_LOCK = ".trials.lock"
_PATIENCE_S = 60.0
#: Between what is noted and the checksum of it; JSON writes it otherwise.
_TAB = b"\t"


class Journal:
    """What Optuna notes of a study, line by line; a backend of its ``JournalStorage``.

    Optuna's own takes what is written behind half a line, as a killed process leaves one, for a part of it, waits for
    the lock of a process that is dead, and believes a number in which a bit has flipped.

    Parameters
    ----------
    path : Path
        The file; made where it is not there, in a folder that is.

    Raises
    ------
    OSError
        It cannot be written, or another process does not let go of the lock.
    ValueError
        A line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path.with_name(_LOCK), timeout=_PATIENCE_S, thread_local=False)
        with self._held():
            path.touch()
            content = path.read_bytes()
            end = content.rfind(b"\n") + 1
            if end < len(content):
                # Whoever was writing this is dead: nobody else holds the lock.
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
        with self._held(), self.path.open("ab") as file:
            file.write(b"".join(_written(one) for one in logs))
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            with self._lock:
                yield
        except Timeout as error:
            raise OSError(f"{self._lock.lock_file}: another process has held it for {_PATIENCE_S:.0f} s") from error


def storage_of(path: Path | None) -> BaseStorage:
    """Return where the trials of a search are kept; in memory alone without a file, or where it cannot be written.

    Parameters
    ----------
    path : Path, optional
        The file, which is made where it is not there. A damaged one is set aside, and the search begins again.
    """
    from optuna.storages import InMemoryStorage

    if path is None:
        return InMemoryStorage()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            storage = _opened(path)
        except OSError:
            raise
        except Exception as error:  # lines that are none, and whatever others provoke in Optuna
            set_aside(path, f"kept trials cannot be used and are made again: {path} ({type(error).__name__}: {error})")
            storage = _opened(path)
        touch(path)
    except OSError as error:
        log.warning("trials are not kept: %s", error)
        return InMemoryStorage()
    return storage


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
