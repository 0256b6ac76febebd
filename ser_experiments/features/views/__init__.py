"""Views of a recording for training: the same words in another room, with noise, by a faster voice.

Each file of this folder holds one view as a function ``view(audio, sample_rate, rng)`` that returns mono float32
audio, with its ``VERSION``. A feature set measured on a view is a feature set of its own, ``"lld@noise"``, kept in the
store beside the plain one, and its columns end in ``@noise``. ``"noise-2"`` is a second draw of the same view.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from ser_experiments import identity, plugins
from ser_experiments.errors import InputError
from ser_experiments.features.columns import suffixed
from ser_experiments.features.measure import Array, Audio, Measure, Opened

#: Stands between the name of a set or column and the view of the recording that it was measured on.
AT = "@"
VIEWS = "ser_experiments.features.views"
#: Draws of a view that may be told apart.
MOST_DRAWS = 99
_NAME = re.compile(r"([a-z]+)(?:-([1-9]\d*))?")


def view_names() -> list[str]:
    """List the views there are, without importing them."""
    return plugins.names(VIEWS)


def on_view(name: str, view: str) -> str:
    """Return the name of a set or column as measured on a view."""
    return f"{name}{AT}{view}"


def recorded(columns: Iterable[str]) -> list[str]:
    """Return the columns that were measured on the recordings themselves."""
    return [name for name in columns if AT not in str(name)]


def check_view(name: str) -> None:
    """Raise an InputError with the nearest name where there is no such view."""
    _parse(name)


def perturb(name: str, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """Return a view of a recording.

    Parameters
    ----------
    name : str
        The view, e.g. ``"noise"`` or ``"noise-2"``.
    audio : ndarray of shape (n_samples,), float32
        Mono; full scale is 1.
    sample_rate : int
        In Hz.

    Returns
    -------
    ndarray of shape (n_samples_of_view,), float32
        The same for the same audio: what is random in a view is drawn from the samples themselves.

    Raises
    ------
    InputError
        No such view; the nearest name is given.
    """
    kind, draw = _parse(name)
    seed = bytes.fromhex(identity.of_bytes([audio.tobytes(), f"{kind}-{draw}".encode()]))
    rng = np.random.default_rng(int.from_bytes(seed, "little"))
    done = _module(kind).view(audio, sample_rate, rng)
    return np.ascontiguousarray(done, dtype=np.float32)


def viewed(measure: Measure, name: str) -> Measure:
    """Return the measure of a view of the recording instead of the recording."""
    kind, _ = _parse(name)
    return replace(
        measure,
        name=on_view(measure.name, name),
        outputs=tuple(replace(one, columns=suffixed(one.columns, on_view("", name))) for one in measure.outputs),
        params={**measure.params, "view": name, "view_version": _module(kind).VERSION},
        open=_OnView(measure.without_names(), name),
    )


@dataclass(frozen=True)
class _OnView:
    measure: Measure
    view: str

    def __call__(self) -> Opened:
        return self._measure

    def _measure(self, clips: Sequence[Audio], *numbers: tuple[int, ...]) -> Sequence[Sequence[Array]]:
        # What the plain set has opened serves its views, too.
        rate = self.measure.needs.sample_rate
        return self.measure.opened()([perturb(self.view, clip, rate) for clip in clips], *numbers)


def _parse(name: str) -> tuple[str, int]:
    found = _NAME.fullmatch(name)
    draw = int(found[2] or 1) if found else 0
    if not found or draw > MOST_DRAWS:
        raise InputError(f"augment: {name!r} is no view; expected NAME or NAME-2, e.g. {view_names()[0]!r}")
    _module(found[1])
    return found[1], draw


def _module(kind: str) -> ModuleType:
    return plugins.load(VIEWS, kind, "view")
