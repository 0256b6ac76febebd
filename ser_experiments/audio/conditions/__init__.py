"""Conditions under which a model is heard on: one file a kind, found by this folder, with ``CONDITIONS``.

A condition changes a recording as the world does: noise, rooms, telephones, codecs. It is drawn from a
generator of its own for each recording, so that the same recording is changed in the same way on every machine and in
every order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ser_experiments import plugins
from ser_experiments.audio.effects import Audio
from ser_experiments.errors import InputError, nearest

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
    """

    name: str
    change: Change
    words: str


def conditions(names: Iterable[str] = ()) -> list[Condition]:
    """Return conditions by name, or all of a file by the name of the file; by default all there are.

    Raises
    ------
    InputError
        There is none of that name.
    """
    by_kind = {kind: list(_of(kind)) for kind in plugins.names(__name__)}
    known = {one.name: one for every in by_kind.values() for one in every}
    wanted = list(names) or list(by_kind)
    found: dict[str, Condition] = {}
    for name in wanted:
        if name not in by_kind and name not in known:
            raise InputError(f"unknown condition {name!r}{nearest(name, [*by_kind, *known])}")
        found |= {one.name: one for one in by_kind.get(name) or [known[name]]}
    return list(found.values())


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


def _of(kind: str) -> Iterator[Condition]:
    yield from plugins.load(__name__, kind, "condition", holds="CONDITIONS").CONDITIONS
