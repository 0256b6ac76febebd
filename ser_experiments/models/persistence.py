"""Save and load a fitted estimator as one skops file, without executing anything that is in it."""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from sklearn.base import BaseEstimator

from ser_experiments import plugins
from ser_experiments.errors import InputError
from ser_experiments.models.spec import ZOO

PACKAGE = "ser_experiments.models"
#: Held by what several libraries keep.
_EVERYWHERE = ("numpy.dtype",)


def trusted_types() -> frozenset[str]:
    """Return every type that a model of this project may hold: a constant of the code, never of a file.

    Each module of this package says in ``PERSISTED`` which of its classes a saved model may hold, and which functions
    or foreign types those keep; each family does so in its spec.
    """
    types = set(_of_wrappers())
    for _, module in plugins.each(ZOO, "model", holds="SPEC"):
        types.update(module.SPEC.trusted_types)
    return frozenset(types)


@lru_cache(maxsize=1)
def _of_wrappers() -> frozenset[str]:
    types = set(_EVERYWHERE)
    for name in plugins.names(PACKAGE):
        for one in getattr(importlib.import_module(f"{PACKAGE}.{name}"), "PERSISTED", ()):
            types.add(f"{one.__module__}.{one.__qualname__}")
    return frozenset(types)


def save_estimator(estimator: BaseEstimator, path: Path) -> None:
    """Write a fitted estimator to a skops file.

    Raises
    ------
    InputError
        It holds a type that is not in the constant lists, so that it could not be read again; nothing is written.
    """
    io = skops_io()
    data = io.dumps(estimator)
    unknown = sorted(set(io.get_untrusted_types(data=data)) - trusted_types())
    if unknown:
        raise InputError(f"{path.name}: type {unknown[0]!r} is not trusted; add it to the family's trusted_types")
    path.write_bytes(data)


def load_estimator(path: Path) -> BaseEstimator:
    """Read an estimator from a skops file.

    Raises
    ------
    InputError
        No skops file, or one with a type that this version does not know.
    """
    io = skops_io()
    try:
        return io.load(path, trusted=sorted(trusted_types()))
    except Exception as error:  # whatever a damaged file provokes in the reader is bad input
        raise InputError(_why_not(path) or f"{path}: {_NO_MODEL} ({type(error).__name__}: {error})") from error


_NO_MODEL = "not a model file of this project"


def _why_not(path: Path) -> str | None:
    """Return in one line which type of a file that cannot be loaded is not known."""
    try:
        unknown = sorted(set(skops_io().get_untrusted_types(file=path)) - trusted_types())
    except Exception:  # as above; what the first reader said is told
        return None
    if not unknown:
        return None
    if unknown[0].startswith(f"{plugins.__name__}."):
        return f"{path}: holds {unknown[0]!r}, a plug-in of another project; use the model where that has its plugins/"
    if unknown[0].startswith("ser_experiments."):
        return f"{path}: was made by another version, with {unknown[0]!r}, which is gone; run its experiment again"
    return f"{path}: holds the type {unknown[0]!r}, which this version does not trust; it is not loaded"


@lru_cache(maxsize=1)
def skops_io() -> ModuleType:
    """Import skops without what it would import in vain.

    It looks for estimators in every module of scikit-learn, and some of those, which hold none, import torch, Dask and
    pytest: seconds in every process that keeps or loads a fit.
    """
    hidden = [name for name in _IMPORTS_IN_VAIN if name not in sys.modules]
    # Python takes None for a module that cannot be imported, and the search passes over those.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        return importlib.import_module("skops.io")
    finally:
        # What was imported without pytest lacks a part, which somebody else may want.
        for name in [*hidden, *(["sklearn.utils._testing"] if "pytest" in hidden else [])]:
            sys.modules.pop(name, None)


_IMPORTS_IN_VAIN = (*(f"sklearn.externals.array_api_compat.{name}" for name in ("torch", "dask", "cupy")), "pytest")
