"""The rules that ``--labels`` names: what an utterance's truth is. Label schemes stand in the file of each corpus.

What else there is, is one file each: ``named(name, spec)`` returns the rule of a name on a corpus, or None, and
``offered(spec)`` the names that it knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments import plugins
from ser_experiments.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from ser_experiments.corpora._corpus import CorpusSpec
    from ser_experiments.corpora._rules._rule import Rule

PACKAGE = "ser_experiments.corpora._rules"


def _files() -> Iterator[ModuleType]:
    return (module for _, module in plugins.each(PACKAGE, "rule of labels", holds="named"))


def offered(spec: CorpusSpec) -> list[str]:
    """Return what ``--labels`` may be on a corpus."""
    return [*spec.schemes, *(name for one in _files() for name in one.offered(spec))]


def rule_of(spec: CorpusSpec, labels: str | None) -> Rule:
    """Return the rule of a name on a corpus; without a name the corpus's first scheme.

    Raises
    ------
    InputError
        There is no such rule; the nearest name is given.
    """
    name = labels or next(iter(spec.schemes))
    if name in spec.schemes:
        return spec.schemes[name]
    found = next((rule for rule in (one.named(name, spec) for one in _files()) if rule is not None), None)
    if found is None:
        raise InputError(f"corpus {spec.name!r}: unknown label scheme {name!r}{nearest(name, offered(spec))}")
    return found
