"""Files that numbers depend on, such as the weights of a network: they count by their content, never by their path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ser_experiments import identity
from ser_experiments.errors import InputError

#: What stands for the name of a file that is an asset by itself: calling it otherwise changes nothing.
_ITSELF = "file"
_DIGEST = re.compile(r"[0-9a-f]{12,128}")


@dataclass(frozen=True)
class Asset:
    """A file, or a folder with all files in it.

    Parameters
    ----------
    path : str or Path
        Where it lies, which is no part of what it is.
    """

    path: str | Path

    @property
    def files(self) -> dict[str, Path]:
        """Return the files that it is made of, by what they are called in it.

        Raises
        ------
        InputError
            There is no such file, or nothing in the folder.
        """
        path = Path(self.path)
        if path.is_file():
            return {_ITSELF: path}
        found = {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*")) if one.is_file()}
        if not found:
            raise InputError(f"asset {path}: {'an empty folder' if path.is_dir() else 'no such file or folder'}")
        return found

    @property
    def n_bytes(self) -> int:
        """Return what it takes on disk."""
        return sum(file.stat().st_size for file in self.files.values())

    @property
    def digest(self) -> str:
        """Return the digest of the content; read again only where a file changed its size, time or inode."""
        return _content(tuple((name, str(file), *state_of(file)) for name, file in self.files.items()))


class AssetAway(InputError):
    """What a set's parameters name is not on this machine, and can be brought; nothing else is wrong with them."""


def state_of(file: Path) -> tuple[int, int, int, int]:
    """Return what changes with a file's content: its size, times and inode."""
    told = file.stat()
    return told.st_size, told.st_mtime_ns, told.st_ctime_ns, told.st_ino


@lru_cache(maxsize=64)
def _content(files: tuple[tuple[str, str, int, int, int, int], ...]) -> str:
    return identity.of_assets({name: path for name, path, *_ in files})


def is_digest(text: object) -> bool:
    """Whether a text is a hexadecimal digest, and so no path."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def digest_of(name: str, asset: Asset | str) -> str:
    """Return the digest of an asset, or the digest that stands for one.

    Raises
    ------
    ValueError
        A text that is no digest, such as a path, which would count by where the files lie.
    """
    if isinstance(asset, Asset):
        return asset.digest
    if not is_digest(asset):
        raise ValueError(f"asset {name!r}: {asset!r} is no hexadecimal digest; give Asset(path) for files")
    return asset
