"""Whether recordings are measured today as they were when a model was trained."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.features.extractor import Extractor

log = logging.getLogger(__name__)
#: The part of an identity that may differ: another version of a library moves numbers in their last digits, if at all.
_LIBRARIES = "libraries"


def check_extractors(where: str, saved: Iterable[Mapping[str, Any]], extractors: Sequence[Extractor]) -> list[str]:
    """Hold the identities that were saved beside a model against those of the extractors that feed it now.

    Parameters
    ----------
    where : str
        Begins each message.
    saved : iterable of mapping
        What :attr:`Extractor.identity` was when the model was trained.
    extractors : sequence of Extractor
        What measures now.

    Returns
    -------
    list of str
        What differs and may: versions of libraries, one line a set; logged as warnings too.

    Raises
    ------
    InputError
        An extractor has another version, other parameters or another rate.
    KeyError
        A set has no saved identity.
    """
    by_name = {str(one["set"]): one for one in saved}
    said = []
    for extractor in extractors:
        then, now = by_name[extractor.name], dict[str, Any](extractor.identity)
        _must_be_equal(where, extractor.name, _strict(then), _strict(now))
        libraries = _differing(then.get(_LIBRARIES, {}), now[_LIBRARIES])
        if libraries:
            told = ", ".join(f"{name} {old} (here {new})" for name, old, new in libraries)
            said.append(f"{extractor.name!r} was measured with {told}")
            log.warning("%s: %s; answers can differ a little", where, said[-1])
    return said


def _strict(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return what must be equal, as JSON gives it back, with the parameters beside the rest."""
    plain = identity.canonical({key: value for key, value in one.items() if key != _LIBRARIES})
    return {**{key: value for key, value in plain.items() if key != "params"}, **plain.get("params", {})}


def _must_be_equal(where: str, name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    # What an older version of this program did not save yet cannot be asked for.
    for key, old, new in _differing(then, now):
        words = f"{key} {old}" if key == "version" else f"{key} = {old!r}"
        here = f"has {key} {new}" if key == "version" else f"has {new!r}"
        raise InputError(f"{where}: the model was trained on {name!r} {words}, this program {here}; train it again")


def _differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(key, old, now.get(key, "none")) for key, old in sorted(then.items()) if now.get(key) != old]
