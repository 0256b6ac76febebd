"""The rules that ``--labels`` names: what an utterance's truth is. Label schemes stand in the file of each corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments.corpora._rules import ratings, votes
from ser_experiments.errors import InputError, nearest

if TYPE_CHECKING:
    from ser_experiments.corpora._corpus import CorpusSpec
    from ser_experiments.corpora._rules._rule import Rule

#: What may stand behind a name that is no scheme of a corpus; each returns the rule of a name, or None.
NAMED = (ratings.named, votes.named)
#: The names that each offers beside those of the schemes.
OFFERED = (ratings.offered, votes.offered)


def offered(spec: CorpusSpec) -> list[str]:
    """Return what ``--labels`` may be on a corpus."""
    return [*spec.schemes, *(name for names in OFFERED for name in names(spec))]


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
    found = next((rule for rule in (named(name, spec) for named in NAMED) if rule is not None), None)
    if found is None:
        raise InputError(f"corpus {spec.name!r}: unknown label scheme {name!r}{nearest(name, offered(spec))}")
    return found
