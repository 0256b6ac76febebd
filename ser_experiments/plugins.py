"""Find what there is of a kind: one file is one corpus, feature set, model, score, protocol, view or command.

Files are found in three places: the folder of the package itself; packages that are installed beside it and name their
modules as entry points; the folder ``plugins/`` of a project. ``docs/plugins.md`` says how each is written.

The files of a project are modules of this one: ``plugins/models/mine.py`` is ``ser_experiments.plugins.models.mine``.
So a saved model names its classes in the same words in every process that :func:`use` told of the folder.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

from ser_experiments.errors import InputError, nearest

log = logging.getLogger(__name__)
Function = TypeVar("Function", bound=Callable[..., object])
#: Names the ``plugins/`` folder where nobody says :func:`use`: for a server or a worker that is started by a program.
VARIABLE = "SER_PLUGINS"


class Kind(NamedTuple):
    """What others may add to: our own package, and the type of what its modules define where that is no function."""

    package: str
    type: str = ""


#: By the folder in ``plugins/``, which is also the end of the entry points' group.
KINDS = {
    "backends": Kind("ser_experiments.tracking.backends"),
    "conditions": Kind("ser_experiments.audio.conditions", "tuple"),
    "corpora": Kind("ser_experiments.corpora", "CorpusSpec"),
    "encoders": Kind("ser_experiments.features.encoders.families", "Family"),
    "features": Kind("ser_experiments.features.sets"),
    "models": Kind("ser_experiments.models.zoo", "ModelSpec"),
    "protocols": Kind("ser_experiments.evaluation.protocols", "Protocol"),
    "scores": Kind("ser_experiments.evaluation.scores", "Score"),
    "views": Kind("ser_experiments.features.views"),
}
#: Where this module has its submodules: the ``plugins/`` folder in use, if any.
__path__: list[str] = [os.environ[VARIABLE]] if os.environ.get(VARIABLE) else []


_FORGET: list[Callable[[], None]] = []


def remembered(function: Function) -> Function:
    """Remember what a function answered, until :func:`use` takes the plug-ins of another project.

    For what depends on modules by their names: in another project the same name is another file.
    """
    kept = lru_cache(maxsize=256)(function)
    _FORGET.append(kept.cache_clear)
    return kept  # type: ignore[return-value]


class Source(NamedTuple):
    """One module that offers a name.

    Parameters
    ----------
    module : str
        Dotted name to import.
    where : str
        What a message calls it: a file, or the module of an installed package.
    ours : bool
        Whether it is part of this package.
    """

    module: str
    where: str
    ours: bool = False


def use(folder: str | Path | None) -> None:
    """Take the plug-ins of a project, and leave those of another.

    Loading a plug-in runs its code: the command takes only the folder beside the ``ser.toml`` of the project.

    Parameters
    ----------
    folder : path or None
        The ``plugins/`` folder of a project; None takes none. It need not exist.
    """
    wanted = [] if folder is None else [os.path.abspath(folder)]
    if wanted == __path__:
        return
    __path__[:] = wanted
    for name in [name for name in sys.modules if name.startswith(f"{__name__}.")]:
        del sys.modules[name]
    for kind in KINDS:
        globals().pop(kind, None)
    for forget in _FORGET:
        forget()
    importlib.invalidate_caches()


def folder() -> str | None:
    """Return the ``plugins/`` folder in use, to hand to a worker process."""
    return __path__[0] if __path__ else None


def names(package: str) -> list[str]:
    """List what there is of a kind, without importing it.

    Parameters
    ----------
    package : str
        Dotted name of our package of that kind, e.g. ``"ser_experiments.corpora"``.

    Returns
    -------
    list of str
        Module names in alphabetical order; those that begin with ``_`` are helpers and left out.
    """
    return sorted(_sources(package))


def load(package: str, name: str, kind: str, *, holds: str = "") -> ModuleType:
    """Import a module by the name that a user wrote.

    Parameters
    ----------
    package : str
        Dotted name of our package of that kind.
    name : str
        The module's name; ``-`` and ``_`` are the same.
    kind : str
        The word for such a thing in an error message, e.g. ``"corpus"``.
    holds : str, optional
        What a module of that kind must define, e.g. ``"SPEC"``.

    Raises
    ------
    InputError
        No such module (the nearest name is given), two of that name, or a plug-in that cannot be imported.
    """
    return _imported(require(package, name, kind), f"{kind} {name!r}", holds, _type_of(package))


def require(package: str, name: str, kind: str) -> Source:
    """Return which module offers a name, without importing it.

    Parameters
    ----------
    package, name, kind : str
        As for :func:`load`.

    Raises
    ------
    InputError
        No such module (the nearest name is given), or two of that name.
    """
    known = _sources(package)
    offered = known.get(name.replace("-", "_"), [])
    if not offered:
        raise InputError(f"unknown {kind} {name!r}{nearest(name, known)}")
    if len(offered) > 1:
        places = " and by ".join(one.where for one in offered)
        raise InputError(f"{kind} {name!r} is offered twice, by {places}; rename or remove one")
    return offered[0]


def each(package: str, kind: str, *, holds: str = "") -> Iterator[tuple[str, ModuleType]]:
    """Import all that there is of a kind; what cannot be used is said in one line and left out.

    Parameters
    ----------
    package, kind, holds : str
        As for :func:`load`.

    Yields
    ------
    name : str
    module : ModuleType
    """
    for name in names(package):
        try:
            module = load(package, name, kind, holds=holds)
        except InputError as error:
            _say_once(str(error))
            continue
        yield name, module


@remembered
def _say_once(error: str) -> None:
    log.warning("left out: %s", error)


def _type_of(package: str) -> str:
    return next((kind.type for kind in KINDS.values() if kind.package == package), "")


def _imported(source: Source, what: str, holds: str, wanted: str) -> ModuleType:
    if source.ours:
        return importlib.import_module(source.module)
    try:
        module = importlib.import_module(source.module)
    except (Exception, SystemExit) as error:  # whatever somebody's file does when it is imported
        log.debug("%s", source.where, exc_info=True)
        said = (str(error).splitlines() or [""])[0]
        raise InputError(f"{what}: plug-in {source.where} cannot be loaded: {type(error).__name__}: {said}") from error
    if holds and not hasattr(module, holds):
        raise InputError(f"{what}: plug-in {source.where} defines no {holds!r}; see docs/plugins.md")
    held = getattr(module, holds, None)
    # By its name: this module lies below those that define the types.
    if holds and not (wanted in {one.__name__ for one in type(held).__mro__} if wanted else callable(held)):
        raise InputError(
            f"{what}: plug-in {source.where} defines {holds!r} as {_one(type(held).__name__)}; it must be "
            f"{_one(wanted or 'function')}; see docs/plugins.md"
        )
    return module


def _one(noun: str) -> str:
    return f"{'an' if noun[:1] in 'aeiouAEIOU' else 'a'} {noun}"


def _sources(package: str) -> dict[str, list[Source]]:
    """Return by name which modules offer it: ours, those of installed packages, those of the project."""
    found: dict[str, list[Source]] = {}
    ours = Path(__file__).parent.joinpath(*package.split(".")[1:])
    for name in _modules(ours):
        found.setdefault(name, []).append(Source(f"{package}.{name}", f"{package}.{name}", ours=True))
    for kind in (name for name, kind in KINDS.items() if kind.package == package):
        for name, sources in _installed(f"ser_experiments.{kind}", tuple(sys.path)).items():
            found.setdefault(name, []).extend(sources)
        for name in _modules(Path(__path__[0], kind)) if __path__ else []:
            found.setdefault(name, []).append(Source(f"{__name__}.{kind}.{name}", _file(Path(__path__[0], kind, name))))
    return found


def _modules(inside: Path) -> tuple[str, ...]:
    """List the modules in a folder, anew when it has changed, as Python does where it looks for one to import."""
    try:
        changed_ns = os.stat(inside).st_mtime_ns
    except OSError:
        return ()
    return _listed(str(inside), changed_ns)


@remembered
def _listed(inside: str, changed_ns: int) -> tuple[str, ...]:
    return tuple(m.name for m in pkgutil.iter_modules([inside]) if not m.name.startswith("_"))


def _file(stem: Path) -> str:
    """Return the file of a module: ``NAME.py``, or ``NAME`` where it is a folder."""
    return str(stem) if stem.is_dir() else f"{stem}.py"


@lru_cache(maxsize=8)
def _points(path: tuple[str, ...]) -> Any:
    """Read what all installed packages offer; to read it takes as long for one group as for all."""
    return entry_points()


@lru_cache(maxsize=32)
def _installed(group: str, path: tuple[str, ...]) -> dict[str, list[Source]]:
    """Return what installed packages offer; `path` is where they were looked for."""
    found: dict[str, list[Source]] = {}
    for point in _points(path).select(group=group):
        source = Source(point.module, f"{point.value} of the package {point.dist.name if point.dist else '?'}")
        # Two metadata folders of one installation name the same module; it is one offer.
        offers = found.setdefault(point.name.replace("-", "_"), [])
        if source.module not in {one.module for one in offers}:
            offers.append(source)
    return found
