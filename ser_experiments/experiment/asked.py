"""What was said of a run, as JSON: kept with it, so that the same can be prepared again.

What cannot change a number is not kept; nor is a corpus that was made in Python, which nothing could name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from ser_experiments.corpora import Place, is_loaded, is_table, place_of
from ser_experiments.errors import InputError
from ser_experiments.experiment.request import RunRequest
from ser_experiments.project import Project

#: The file that holds it.
REQUEST = "request.json"
FORMAT = "ser-request/1"
#: Fields that no score depends on; the definition is kept whole beside it.
_OF_NO_WEIGHT = frozenset({"experiment", "jobs", "scheduler", "no_pictures"})
_PATHS = frozenset({"root", "test_root", "folds_file", "table"})
_CORPORA = {"corpus": "root", "test_corpus": "test_root"}


def kept_request(request: RunRequest, project: Project) -> dict[str, Any]:
    """Return what was said of a run, as JSON takes it: its fields that are not their defaults.

    Parameters
    ----------
    request : RunRequest
        As it was run.
    project : Project
        Paths in its folder are kept without it, so that it may be moved.
    """
    found: dict[str, Any] = {}
    for one in fields(RunRequest):
        value = getattr(request, one.name)
        plain = one.default_factory() if one.default is MISSING and one.default_factory is not MISSING else one.default
        if one.name not in _OF_NO_WEIGHT | _CORPORA.keys() and value and value != plain:
            found[one.name] = _kept(value, project) if one.name in _PATHS else value
    in_memory = []
    for name, root in _CORPORA.items():
        said = getattr(request, name)
        several = list(said) if isinstance(said, list | tuple) else [] if said is None else [said]
        if any(is_table(one) or is_loaded(one) for one in several):
            in_memory.append(name)
        elif several:
            found |= _places([place_of(one) for one in several], name, root, project)
    return {"format": FORMAT, "said": found, "in_memory": in_memory}


def _places(places: Sequence[Place], name: str, root: str, project: Project) -> dict[str, Any]:
    """Return where corpora lie; of one the root stands by itself, so that another can be said."""
    if len(places) == 1:
        (one,) = places
        return {name: one.corpus} | ({} if one.root is None else {root: _kept(one.root, project)})
    return {name: [one.corpus if one.root is None else f"{one.corpus}={_kept(one.root, project)}" for one in places]}


def asked_again(
    definition: Path, kept: Any, project: Project, given: Mapping[str, Any], where: str
) -> tuple[RunRequest, Sequence[str]]:
    """Return a request that was kept, with what is said anew.

    Parameters
    ----------
    definition : Path
        The definition that was run.
    kept : mapping
        What :func:`kept_request` returned.
    project : Project
        Whose folder paths are of.
    given : mapping
        Fields that count instead, e.g. ``root``.
    where : str
        Begins the message.

    Returns
    -------
    request : RunRequest
    lacking : sequence of str
        Options that must be said, since what they named was in memory alone.

    Raises
    ------
    InputError
        It is not what was kept.
    """
    known = {one.name for one in fields(RunRequest)} - _OF_NO_WEIGHT
    said = kept.get("said") if isinstance(kept, Mapping) and kept.get("format") == FORMAT else None
    if not isinstance(said, Mapping) or not known.issuperset(said):
        raise InputError(f"{where}: is no request of this version ({FORMAT}); audit the experiment by its name")
    found = dict(said)
    for name in _PATHS & found.keys():
        found[name] = _whole(found[name], project)
    for name in _CORPORA.keys() & found.keys():
        found[name] = _named(found[name], project)
    for name, value in found.items():
        if isinstance(value, list):
            found[name] = tuple(value)
    found |= {name: value for name, value in given.items() if name in known or name in _OF_NO_WEIGHT}
    lacking = [f"--{name.replace('_', '-')}" for name in kept.get("in_memory", ()) if name not in given]
    if "corpus" in kept.get("in_memory", ()) and "root" in given:
        lacking = [one for one in lacking if one != "--corpus"]
    return RunRequest(experiment=definition, **found), lacking


def _named(said: Any, project: Project) -> Any:
    if isinstance(said, list):
        return tuple(_named(one, project) for one in said)
    name, equals, root = str(said).partition("=")
    return f"{name}={_whole(root, project)}" if equals else said


def _whole(path: str, project: Project) -> str:
    return path if "://" in path else str(project.folder / path)


def _kept(path: Any, project: Project) -> str:
    """Return a path as it is kept; an address stays as it is."""
    if "://" in str(path):
        return str(path)
    whole = Path(os.path.expanduser(path)).resolve()
    return whole.relative_to(project.folder).as_posix() if whole.is_relative_to(project.folder) else str(whole)
