"""A copy of a released corpus as somebody has it: which files there are, and which of them are recordings of it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ser_experiments.files import open_regular

#: Folders below each other that are looked into.
_DEEPEST = 12
#: What git leaves in the place of a large file that was not fetched begins so, and is not longer than this.
_POINTER, _POINTER_BYTES = b"version https://git-lfs", 1024


def walk(root: Path) -> Iterator[Path]:
    """Yield the files below a folder, folder by folder, each folder in alphabetical order.

    Hidden ones are passed over: a Mac leaves ``._x.wav`` beside every ``x.wav``, which is no audio. Links to folders
    are followed, and no folder is entered twice.
    """
    waiting, entered = [(root, 0)], set()
    while waiting:
        folder, depth = waiting.pop(0)
        try:
            there = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda one: one.name)
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
                    waiting.append((folder / one.name, depth + 1))
            elif one.is_file():
                yield folder / one.name


def plain_path(root: Path, path: Path) -> str:
    """Return a file's path as rules see it: the root's own name first, ``/`` between folders, composed letters.

    The suffix is left out. The root's name is a part of it because a folder's name may say who speaks.
    """
    below = path.relative_to(root).with_suffix("").as_posix()
    return unicodedata.normalize("NFC", f"{root.name}/{below}")


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
    def files(self) -> Sequence[Path]:
        """Every file that is not hidden; those of a folder before those of the folders below it."""
        return tuple(walk(self.root))

    def beside(self, *names: str) -> Path | None:
        """Return the file of one of these names, in whatever case, that is nearest to the root."""
        wanted = {name.lower() for name in names}
        return next((path for path in self.files if path.name.lower() in wanted), None)

    def ending_in(self, suffix: str) -> list[Path]:
        """Return the files whose names end so, in whatever case."""
        return [path for path in self.files if path.name.lower().endswith(suffix)]

    def shown(self, path: str | Path) -> str:
        """Return a file's path below the root, as messages say it."""
        return Path(path).relative_to(self.root).as_posix()


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
