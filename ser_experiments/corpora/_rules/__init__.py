"""The rules that ``--labels`` names: what an utterance's truth is. Label schemes stand in the file of each corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments.corpora._rules import ratings
from ser_experiments.errors import InputError, nearest

if TYPE_CHECKING:
    from ser_experiments.corpora._corpus import CorpusSpec
    from ser_experiments.corpora._rules._rule import Rule

#: What may stand behind a name that is no scheme of a corpus; each returns the rule of a name, or None.
NAMED = (ratings.named,)
#: The names that are offered beside those of the schemes.
OFFERED = (*ratings.NAMES,)


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
        raise InputError(
            f"corpus {spec.name!r}: unknown label scheme {name!r}{nearest(name, [*spec.schemes, *OFFERED])}"
        )
    return found
