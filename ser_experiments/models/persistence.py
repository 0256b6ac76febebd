"""Save and load a fitted estimator as one skops file, without executing anything that is in it."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path

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
        It holds a type that is not in the constant lists, so that it could not be read again.
    """
    from skops import io

    io.dump(estimator, path)
    unknown = _unknown(path)
    if unknown:
        path.unlink()
        raise InputError(f"{path.name}: type {unknown[0]!r} is not trusted; add it to the family's trusted_types")


def load_estimator(path: Path) -> BaseEstimator:
    """Read an estimator from a skops file.

    Raises
    ------
    InputError
        No skops file, or one with a type that this project does not know.
    """
    from skops import io

    try:
        unknown = _unknown(path)
        if unknown:
            raise InputError(
                f"{path}: holds the type {unknown[0]!r}, which this version does not trust; it is not loaded"
            )
        return io.load(path, trusted=sorted(trusted_types()))
    except InputError:
        raise
    except Exception as error:  # whatever a damaged file provokes in the reader is bad input
        raise InputError(f"{path}: not a model file of this project ({type(error).__name__}: {error})") from error


def _unknown(path: Path) -> list[str]:
    from skops import io

    return sorted(set(io.get_untrusted_types(file=path)) - set(trusted_types()))
