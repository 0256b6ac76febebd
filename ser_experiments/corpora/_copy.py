"""A copy of a released corpus as somebody has it: which files there are, and which of them are recordings of it."""

from __future__ import annotations

import os
import unicodedata
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ser_experiments.errors import InputError
from ser_experiments.files import open_regular
from ser_experiments.words import in_one_line

#: Folders below each other that are looked into.
_DEEPEST = 12
#: What git leaves in the place of a large file that was not fetched begins so, and is not longer than this.
_POINTER, _POINTER_BYTES = b"version https://git-lfs", 1024


def walk(root: Path) -> Iterator[str]:
    """Yield the files below a folder by their paths in it, folder by folder, each folder in alphabetical order.

    Hidden ones are passed over: a Mac leaves ``._x.wav`` beside every ``x.wav``, which is no audio. Links to folders
    are followed, and no folder is entered twice. Between folders there is ``/`` on every system.
    """
    waiting, entered = deque([("", 0)]), set()
    while waiting:
        inside, depth = waiting.popleft()
        folder = root / inside
        try:
            there = os.stat(folder)
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda one: one.name)
        except OSError:
            continue
        if (there.st_dev, there.st_ino) in entered:
            continue
        entered.add((there.st_dev, there.st_ino))
        for one in entries:
            if one.name.startswith("."):
                continue
            if one.is_dir():
                if depth < _DEEPEST:
                    waiting.append((f"{inside}{one.name}/", depth + 1))
            elif one.is_file():
                yield inside + one.name


def must_be_folder(root: Path, what: str = "") -> None:
    """Refuse a root that is none with an InputError; `what` begins the message, e.g. ``"corpus 'tess': "``."""
    if not root.is_dir():
        raise InputError(f"{what}{'not a' if root.exists() else 'no'} folder: {root}")


def plain_path(root: Path, below: str) -> str:
    """Return a file's path as rules see it: the root's own name first, composed letters, no suffix.

    The root's name is a part of it because a folder's name may say who speaks.
    """
    return unicodedata.normalize("NFC", f"{root.name}/{os.path.splitext(below)[0]}")


@dataclass(frozen=True)
class Copy:
    """What lies under a root.

    Parameters
    ----------
    root : Path
        The folder, resolved.
    """

    root: Path

    @cached_property
    def files(self) -> Sequence[str]:
        """Every file that is not hidden, by its path below the root; those of a folder before those further below."""
        return tuple(walk(self.root))

    def beside(self, *names: str) -> Path | None:
        """Return the file of one of these names, in whatever case, that is nearest to the root."""
        wanted = {name.lower() for name in names}
        return next((self.root / one for one in self.files if one.rpartition("/")[2].lower() in wanted), None)

    def shown(self, path: str | Path) -> str:
        """Return a file's path below the root, as messages say it."""
        return in_one_line(Path(path).relative_to(self.root).as_posix())


def is_pointer(path: str | Path) -> bool:
    """Whether a file only says where Git LFS keeps the one that is meant."""
    try:
        if os.stat(path).st_size > _POINTER_BYTES:
            return False
        with open_regular(path) as file:
            return file.read(len(_POINTER)) == _POINTER
    except OSError:
        return False


def is_empty(path: str | Path) -> bool:
    """Whether a file holds nothing."""
    return os.stat(path).st_size == 0
