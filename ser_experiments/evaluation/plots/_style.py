"""What all pictures share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Ink and accents of all pictures.
INK, ACCENT, PALE, ALARM = "#1f2933", "#2166ac", "#d1d9e0", "#b2182b"


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, heights: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Return an empty figure in inches and its axes, row by row, without touching pyplot's global state."""
    from matplotlib.figure import Figure

    _take_words_as_they_are()
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, columns, height_ratios=heights)).ravel().tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


@cache
def _take_words_as_they_are() -> None:
    """Let a dollar in somebody's word be one: by itself matplotlib takes it for the beginning of a formula."""
    import matplotlib

    matplotlib.rcParams["text.parse_math"] = False


def limits(numbers: NDArray[np.floating], *known: Sequence[float]) -> tuple[float, float]:
    """Return from where to where an axis goes: a little beyond numbers, perhaps NaN, and what else is to be on it."""
    there = np.concatenate([np.ravel(numbers), *(np.ravel(one) for one in known)]).astype(np.float64)
    there = there[np.isfinite(there)]
    if not len(there):
        return 0.0, 1.0
    low, high = float(there.min()), float(there.max())
    margin = 0.04 * (high - low) or 0.5
    return low - margin, high + margin


#: Shapes of points; with eight colours they give 96 pairs, see :func:`marks`.
_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
#: Okabe and Ito (2008): told apart by colour-blind readers too; yellow is darkened for a white ground.
_SAFE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#b5a800", "#444444")


def marks(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return a colour and a shape for each name: neighbours differ in both, and no pair comes twice among 96."""
    # Each round of the colours begins three shapes further: 8 + 3 and the number of shapes have no divisor in common.
    shapes = [_SHAPES[(place + 3 * (place // len(_SAFE))) % len(_SHAPES)] for place in range(len(names))]
    return {name: (_SAFE[place % len(_SAFE)], shapes[place]) for place, name in enumerate(names)}


def colours(names: Sequence[str]) -> dict[str, Any]:
    """Return a colour for each name, told apart as far as their number allows."""
    from matplotlib import colormaps

    if len(names) <= 8:
        return dict(zip(names, _SAFE, strict=False))
    spread = colormaps["tab20" if len(names) <= 20 else "turbo"]
    places = range(len(names)) if len(names) <= 20 else np.linspace(0, 1, len(names))
    return {name: spread(place) for name, place in zip(names, places, strict=True)}
