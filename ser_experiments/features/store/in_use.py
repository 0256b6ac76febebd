"""Who uses a cache: a lock that every process shares that has read or written tables in it, until it ends.

Arrays are read where they lie while models are fitted, hours after they were measured; whoever cleans the cache asks
here first. The system lets go of the lock when a process dies. Where it knows no such locks, and on other machines of a
cluster whose disk does not pass them on, nobody is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, which refuses to remove files that are open
    fcntl = None  # type: ignore[assignment]

#: In the folder of the cache.
LOCK = ".in-use"
_HELD: dict[Path, IO[bytes]] = {}


def hold(cache: Path) -> None:
    """Say until this process ends that it uses a cache; one that is not there, or cannot be written, is left alone."""
    place = cache.resolve()
    if fcntl is None or place in _HELD or not place.is_dir():
        return
    with suppress(OSError):
        (place / LOCK).touch()
    with suppress(OSError):
        # For reading: what is open for writing would keep a disk from being made read-only.
        file = open(place / LOCK, "rb")  # noqa: SIM115 -- as long as the process
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        _HELD[place] = file


@contextmanager
def alone(cache: Path) -> Iterator[bool]:
    """Say whether no other process uses a cache; while it lasts, none that begins to is seen."""
    place = cache.resolve()
    if fcntl is None or not place.is_dir():
        yield True
        return
    own = _HELD.get(place)
    try:
        file = own or open(place / LOCK, "ab")  # noqa: SIM115 -- closed below, where it is not kept
    except OSError:  # read-only: nothing can be removed from it either
        yield True
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        if own is None:
            file.close()
        else:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
