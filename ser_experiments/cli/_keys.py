"""Keys that ``--set`` takes of an experiment, for a shell that completes them.

What a family or a feature set takes is asked of its module, which imports numpy or scikit-learn; so it is asked when
the beginning of such a key is there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ser_experiments import plugins, project
from ser_experiments.errors import InputError
from ser_experiments.experiment.lookup import place_of
from ser_experiments.files import read_toml

_ZOO, _SETS = "ser_experiments.models.zoo", "ser_experiments.features.sets"
#: What sections of a definition take, besides what families and sets take themselves; tests hold it against the types.
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "features": ("sets", "augment"),
    "pipeline": ("scale", "clip", "select", "balance", "calibrate"),
    "search": ("trials", "folds"),
    "model": ("type",),
}
#: What begins a key of all members of an ensemble.
MEMBERS = "members."


def keys(experiments: Iterable[str], begun: str = "") -> dict[str, str]:
    """Return the keys that can be set, and what the definitions say of them now.

    Parameters
    ----------
    experiments : iterable of str
        Names; of none the keys are those that every definition has.
    begun : str
        The beginning of the keys that are wanted; others may be left out.
    """
    found: dict[str, str] = {f"{section}.{key}": "" for section, own in SECTIONS.items() for key in own}
    for name in experiments:
        raw = _definition(name)
        below = begun.removeprefix(MEMBERS) if begun.startswith(MEMBERS) else ""
        for member in map(str, raw.get("members", ())):
            found |= {f"{MEMBERS}{key}": "" for key in keys([member], below) if not key.startswith(MEMBERS)}
        if begun.startswith("model."):
            found |= {f"model.{key}": "" for key in _params_of_model(str(raw.get("model", {}).get("type", "")))}
        if begun.startswith("features.p"):
            sets = {str(one).partition("@")[0].partition(".")[0] for one in raw.get("features", {}).get("sets", ())}
            found |= {f"features.params.{one}.{key}": "" for one in sets for key in _params_of_set(one)}
        found |= dict(_said(raw))
    return dict(sorted(found.items()))


def _definition(name: str) -> dict[str, Any]:
    """Return what a definition says; nothing of one that is not there."""
    with suppress(InputError):
        return read_toml(place_of(name, (project.locate().experiments,)).path)
    return {}


def _said(held: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield what a definition says, by key."""
    for key, below in held.items():
        if isinstance(below, Mapping):
            yield from _said(below, f"{place}{key}.")
        elif place:
            yield f"{place}{key}", f"now {below}"


def _params_of_model(name: str) -> Iterable[str]:
    if not _is_ours(_ZOO, name):
        return ()
    ways = plugins.load(_ZOO, name, "model").SPEC.ways.values()
    return (param for way in ways for param in way.params())


def _params_of_set(name: str) -> Iterable[str]:
    return inspect.signature(plugins.load(_SETS, name, "set").extractor).parameters if _is_ours(_SETS, name) else ()


def _is_ours(package: str, name: str) -> bool:
    """Whether a part came with the program: a file of the project is not run because somebody pressed a key."""
    return name.replace("-", "_") in plugins.names(package) and plugins.require(package, name, "part").ours
