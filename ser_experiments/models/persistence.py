"""Save and load a fitted estimator as one skops file, without executing anything that is in it."""

from __future__ import annotations

import importlib
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from types import ModuleType

from sklearn.base import BaseEstimator

from ser_experiments import plugins
from ser_experiments.errors import InputError
from ser_experiments.files import MADE, Unreadable, read_bytes
from ser_experiments.models.sound import check_sound
from ser_experiments.models.spec import ZOO, ModelSpec, missing
from ser_experiments.words import cut, in_one_line

PACKAGE = "ser_experiments.models"
#: Bytes of a model's file.
LARGEST = 8 * MADE
#: Where a saved model says in which file an array lies.
_FILE = re.compile(rb'"file":\s*"([^"\\]*)"')
#: A plain character that is written as an escape, which no writer of JSON does.
_HIDDEN = re.compile(rb"(?<!\\)(?:\\\\)*\\u00[2-7]")
#: Held by what several libraries keep.
_EVERYWHERE = ("numpy.dtype",)
#: Modules that say nothing of a family.
_OF_OTHERS = frozenset({"builtins", "collections", "numpy"})


def trusted_types() -> frozenset[str]:
    """Return every type that a model of this project may hold: a constant of the code, never of a file.

    Each module of this package says in ``PERSISTED`` which of its classes a saved model may hold, and which functions
    or foreign types those keep; each family does so in its spec.
    """
    return _of_wrappers().union(*(spec.trusted_types for spec in _families()))


def _families() -> Iterator[ModelSpec]:
    for _, module in plugins.each(ZOO, "model", holds="SPEC"):
        yield module.SPEC


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
    """Read an estimator from a skops file; as :func:`estimator_of`."""
    try:
        content = read_bytes(path, most=LARGEST)
    except Unreadable as error:
        raise InputError(f"{path}: {_NO_MODEL} ({error.reason})") from error
    return estimator_of(content, path)


def estimator_of(content: bytes, path: Path) -> BaseEstimator:
    """Return the estimator that the bytes of a skops file hold.

    Parameters
    ----------
    content : bytes
        Of the file.
    path : Path
        What messages call it.

    Raises
    ------
    InputError
        No skops file, one with a type that this version does not know, or one that does not hold together.
    """
    families = list(_families())
    try:
        schema, trusted = _schema(content), set(_of_wrappers())
        for spec in families:
            if spec.guard is not None and not _names(schema, spec.trusted_types):
                continue
            trusted.update(spec.trusted_types)
            if spec.guard is not None:
                spec.guard()
        found = skops_io().loads(content, trusted=sorted(trusted))
        check_sound(found, [check for spec in families for check in spec.checks])
    except ModuleNotFoundError as error:
        raise InputError(f"{path}: the model needs {missing(str(error.name))}") from error
    except Exception as error:  # whatever a damaged file provokes in the reader is bad input
        said = in_one_line(cut(" ".join(f"{type(error).__name__}: {error}".split()), 200))
        raise InputError(_why_not(content, path) or f"{path}: {_NO_MODEL} ({said})") from error
    return found


_NO_MODEL = "not a model file of this project"
#: What a file may become: so many bytes, and so many times its own. An array may stand in several places, and somebody
#: may have packed it.
_PACKED, _TIMES = 64 << 20, 16
_SCHEMA = "schema.json"


def _names(schema: bytes, types: Iterable[str]) -> bool:
    """Whether a file names the module of one of some types; it cannot do so in other letters, see :func:`_schema`."""
    return any(module.encode() in schema for module in {one.rpartition(".")[0] for one in types} - _OF_OTHERS)


def _schema(content: bytes) -> bytes:
    """Return what a file says that it holds.

    Raises
    ------
    ValueError
        The file would become many times as large, hides what it names, or uses its arrays too often.
    """
    with zipfile.ZipFile(BytesIO(content)) as packed:
        inside = packed.infolist()
        if sum(one.file_size for one in inside) > _PACKED + _TIMES * len(content):
            raise ValueError("it is packed so that it would become many times as large")
        schema = packed.read(_SCHEMA)
        if b"\\u00" in schema and _HIDDEN.search(schema):
            raise ValueError("it hides names in escapes")
        sizes = {one.filename.encode(): one.file_size for one in inside}
    used = sum(sizes.get(name, 0) for name in _FILE.findall(schema))
    if used > _PACKED + _TIMES * len(content):
        raise ValueError("it uses its arrays too often")
    return schema


def _why_not(content: bytes, path: Path) -> str | None:
    """Return in one line which type of a file that cannot be loaded is not known."""
    try:
        unknown = sorted(set(skops_io().get_untrusted_types(data=content)) - trusted_types())
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
