"""Find what a folder offers: one file is one corpus, extractor, model or command."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from types import ModuleType

from ser_experiments.errors import InputError, nearest


def names(package: str) -> list[str]:
    """List the public modules of a package, without importing them.

    Parameters
    ----------
    package : str
        Dotted name of a package, e.g. ``"ser_experiments.corpora"``.

    Returns
    -------
    list of str
        Module names in alphabetical order; those that begin with ``_`` are helpers and left out.
    """
    folder = Path(__file__).parent.joinpath(*package.split(".")[1:])
    return sorted(m.name for m in pkgutil.iter_modules([str(folder)]) if not m.name.startswith("_"))


def load(package: str, name: str, kind: str) -> ModuleType:
    """Import one module of a package by the name that a user wrote.

    Parameters
    ----------
    package : str
        Dotted name of the package.
    name : str
        The module's name; ``-`` and ``_`` are the same.
    kind : str
        The word for such a thing in an error message, e.g. ``"corpus"``.

    Raises
    ------
    InputError
        No such module; the nearest name is given.
    """
    known = names(package)
    module = name.replace("-", "_")
    if module not in known:
        raise InputError(f"unknown {kind} {name!r}{nearest(name, known)}")
    return importlib.import_module(f"{package}.{module}")
