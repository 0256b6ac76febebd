"""Conditions under which a model is heard: one file a kind, found by this folder or as a plug-in, with ``CONDITIONS``.

A condition changes a recording as the world does: noise, rooms, telephones, codecs. It is drawn from a
generator of its own for each recording, so that the same recording is changed in the same way on every machine and in
every order.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ser_experiments import plugins
from ser_experiments.audio.effects import Audio
from ser_experiments.errors import InputError, nearest

log = logging.getLogger(__name__)
#: A recording, its rate in Hz, a generator, and voices of others at the same rate; back come a recording and its rate.
Change = Callable[[Audio, int, np.random.Generator, Sequence[Audio]], tuple[Audio, int]]


@dataclass(frozen=True)
class Condition:
    """One change of a recording.

    Parameters
    ----------
    name : str
        E.g. ``"white noise 10 dB"``.
    change : callable
        From the samples of shape (n_samples,), their rate in Hz, a generator and voices of others, to samples and rate.
    words : str
        What it stands for.
    lacks : callable, optional
        Says what this machine lacks for it, such as an encoder; "" where nothing.
    kind : str
        The file that holds it; nothing is said of it there.
    """

    name: str
    change: Change
    words: str
    lacks: Callable[[], str] = str
    kind: str = ""


def conditions(names: Iterable[str] = ()) -> list[Condition]:
    """Return conditions by name, or all of a file by the name of the file; by default all there are.

    What this machine lacks something for, or a plug-in that cannot be used, is left out and said, unless it was named.

    Raises
    ------
    InputError
        There is none of that name, it is offered twice, or it cannot be had here.
    """
    wanted = list(names)
    by_kind, broken = _kinds()
    for error in broken.values() if not wanted else ():
        log.warning("left out: %s", error)
    whose: dict[str, list[str]] = {}
    for kind, every in by_kind.items():
        for one in every:
            whose.setdefault(one.name, []).append(kind)
    found: dict[str, Condition] = {}
    for name in wanted or by_kind:
        if name in broken:
            raise broken[name]
        if name not in by_kind and name not in whose:
            raise InputError(f"unknown condition {name!r}{nearest(name, [*by_kind, *whose])}")
        for one in by_kind.get(name) or [one for one in by_kind[whose[name][0]] if one.name == name]:
            if len(whose[one.name]) > 1:
                places = " and by ".join(whose[one.name])
                raise InputError(f"condition {one.name!r} is offered twice, by {places}; rename one")
            if _is_here(one, named=one.name in wanted):
                found[one.name] = one
    return list(found.values())


def _kinds() -> tuple[dict[str, list[Condition]], dict[str, InputError]]:
    """Return the conditions by kind, and of the kinds that cannot be used why not."""
    by_kind, broken = {}, {}
    for kind in plugins.names(__name__):
        try:
            by_kind[kind] = _of(kind)
        except InputError as error:
            broken[kind] = error
    return by_kind, broken


def _is_here(condition: Condition, *, named: bool) -> bool:
    """Whether this machine has what a condition takes; one that was named is refused, another left out and said."""
    lack = condition.lacks()
    if lack and named:
        raise InputError(f"condition {condition.name!r}: {lack}")
    if lack:
        log.warning("left out: condition %r: %s", condition.name, lack)
    return not lack


def changed(
    condition: Condition, audio: Audio, sample_rate: int, key: str, voices: Sequence[Audio]
) -> tuple[Audio, int]:
    """Return a recording under a condition, and its rate in Hz.

    Parameters
    ----------
    condition : Condition
        What happens to it.
    audio : ndarray of shape (n_samples,), float32
        The recording, with a full scale of 1.
    sample_rate : int
        In Hz.
    key : str
        Names the recording: the same key gives the same draw.
    voices : sequence of ndarray
        Recordings of others at the same rate, for babble.
    """
    digest = hashlib.blake2b(f"{condition.name}\0{key}".encode(), digest_size=16).digest()
    rng = np.random.default_rng(list(digest))
    heard, rate = condition.change(audio, sample_rate, rng, voices)
    return np.ascontiguousarray(heard, dtype=np.float32), rate


def _of(kind: str) -> list[Condition]:
    """Return the conditions of a file."""
    held = plugins.load(__name__, kind, "condition", holds="CONDITIONS").CONDITIONS
    for one in held:
        if not isinstance(one, Condition):
            where = plugins.require(__name__, kind, "condition").where
            raise InputError(
                f"condition {kind!r}: plug-in {where} holds a {type(one).__name__} among its CONDITIONS; each must "
                "be a Condition; see docs/plugins.md"
            )
    return [replace(one, kind=kind) for one in held]
