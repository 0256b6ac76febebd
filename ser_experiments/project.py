"""Where a project keeps its things: ``cache/``, ``mlruns/``, ``experiments/``, ``plugins/``, ``ser.toml``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ser_experiments.errors import InputError, nearest
from ser_experiments.files import Unreadable, read_toml

#: Marks the folder of a project.
MARKER = "ser.toml"
#: A checkout of the program is a project by itself, so that its ``ser.toml`` is free for roots of one's own.
CHECKOUT = ("pyproject.toml", "ser_experiments/project.py")
#: What a ``ser.toml`` may hold.
KEYS = {"roots"}


@dataclass(frozen=True)
class Project:
    """The folder of a project and the paths in it.

    Parameters
    ----------
    folder : Path
        The nearest folder, of the current one and its parents, that holds ``ser.toml`` or is a checkout of the
        program; else the current folder.
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

    @property
    def is_marked(self) -> bool:
        """Whether somebody said that it is a project, rather than that it happens to be the current folder."""
        return _is_marked(self.folder)

    @property
    def is_begun(self) -> bool:
        """Whether something of ours lies in it."""
        return self.is_marked or self.mlruns.is_dir() or self.cache.is_dir()

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
    folder = next((folder for folder in (here, *here.parents) if _is_marked(folder)), here)
    return Project(folder, {})


def _is_marked(folder: Path) -> bool:
    return (folder / MARKER).is_file() or all((folder / name).is_file() for name in CHECKOUT)


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
