"""Names that a store holds, for a shell that completes a word: in a moment, or not at all.

A store that can tell them at once has ``known(project)`` in ``backends/_NAME/known.py``; of any other none is known.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ser_experiments.project import Project

#: Runs that are offered at most: the latest.
MOST_RUNS = 200


@dataclass(frozen=True)
class Known:
    """Names of a store.

    Parameters
    ----------
    settings : tuple of str
        Those that have runs.
    runs, models : tuple of (str, str)
        Beginnings of ids, the latest first, and registered names with ``@alias``; with a word about each.
    """

    settings: tuple[str, ...] = ()
    runs: tuple[tuple[str, str], ...] = ()
    models: tuple[tuple[str, str], ...] = ()


def known(project: Project) -> Known:
    """Return the names in a project's store, without making it, writing it or asking anybody."""
    from ser_experiments.tracking import backend

    name = os.environ.get(backend.VARIABLE) or backend.DEFAULT
    module = f"{backend.PACKAGE}._{name}.known"
    if not name.isidentifier() or importlib.util.find_spec(f"{backend.PACKAGE}._{name}") is None:
        return Known()
    if importlib.util.find_spec(module) is None:
        return Known()
    found: Known = importlib.import_module(module).known(project)
    return found
