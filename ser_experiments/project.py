"""Where a project keeps its things: ``cache/``, ``mlruns/``, ``experiments/``, ``plugins/``, ``ser.toml``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ser_experiments.errors import InputError, nearest
from ser_experiments.files import Unreadable, read_toml

#: Marks the folder of a project.
MARKER = "ser.toml"
#: What a ``ser.toml`` may hold.
KEYS = {"roots"}


@dataclass(frozen=True)
class Project:
    """The folder of a project and the paths in it.

    Parameters
    ----------
    folder : Path
        The nearest parent of the current folder that holds ``ser.toml``, else the current folder.
    roots : dict of str to str
        Corpus roots of ``ser.toml``.
    """

    folder: Path
    roots: dict[str, str]

    @property
    def cache(self) -> Path:
        """Where tables and the demo corpus are kept: ``SER_CACHE``, else ``cache/``."""
        return Path(os.environ.get("SER_CACHE") or self.folder / "cache")

    @property
    def mlruns(self) -> Path:
        """Return the home of the local MLflow store."""
        return self.folder / "mlruns"

    @property
    def plugins(self) -> Path | None:
        """Return the folder of the project's own corpora, feature sets and models; None without a ``ser.toml``.

        Loading one of its files runs it, so a folder that merely happens to be the current one has none.
        """
        return self.folder / "plugins" if (self.folder / MARKER).is_file() else None

    @property
    def experiments(self) -> Path:
        """Return the folder of the experiment definitions."""
        return self.folder / "experiments"

    def root(self, corpus: str) -> str | None:
        """Return a corpus's root from ``SER_<CORPUS>_ROOT``, else ``ser.toml``, else None."""
        return os.environ.get(f"SER_{corpus.upper()}_ROOT") or self.roots.get(corpus)


def find(start: Path | None = None) -> Project:
    """Find the project that a folder belongs to.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the current folder by default.

    Raises
    ------
    InputError
        ``ser.toml`` is there and cannot be used.
    """
    folder = locate(start).folder
    marker = folder / MARKER
    return Project(folder, _roots(marker) if marker.is_file() else {})


def locate(start: Path | None = None) -> Project:
    """Find the project that a folder belongs to without reading its ``ser.toml``: it knows no roots.

    Parameters
    ----------
    start : Path, optional
        Where to begin; the current folder by default.
    """
    try:
        here = (start or Path.cwd()).resolve()
    except FileNotFoundError as error:
        raise InputError("the current folder is no longer there; change to another") from error
    folder = next((folder for folder in (here, *here.parents) if (folder / MARKER).is_file()), here)
    return Project(folder, {})


def _roots(path: Path) -> dict[str, str]:
    try:
        text = read_toml(path)
    except Unreadable as error:
        raise InputError(f"{path}: cannot be read as TOML: {error.reason.removeprefix('not TOML: ')}") from error
    for key in text:
        if key not in KEYS:
            raise InputError(f"{path}: unknown key {key!r}{nearest(key, KEYS)}")
    roots = text.get("roots", {})
    if not isinstance(roots, dict) or not all(isinstance(v, str) for v in roots.values()):
        raise InputError(f"{path}: [roots] must map corpus names to paths, got {roots!r}")
    return {name: str(path.parent / Path(value).expanduser()) for name, value in roots.items()}
