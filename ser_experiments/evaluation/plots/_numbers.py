"""What pictures of numbers share: a panel for each dimension, clouds of points, and bins along an axis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, new_figure
from ser_experiments.evaluation.scores._moments import numbers_of
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
#: More points than this hide one another: their density is drawn.
MOST_POINTS = 1500
#: Cells along each side of a picture of density.
_CELLS = 40
#: Panels that stand side by side.
_ABREAST = 4


class Panel(NamedTuple):
    """One dimension: its name, truth and prediction of shape (n_rows,), and where it is drawn."""

    name: str
    truth: Floats
    predicted: Floats
    axis: Axes


def each_dimension(predictions: Predictions) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield the name of each dimension with its truth and prediction, of shape (n_rows,)."""
    truth, predicted = numbers_of(predictions)
    yield from zip(predictions.task.targets, truth.T, predicted.T, strict=True)


def panels(predictions: Predictions, title: str) -> tuple[Figure, list[Panel]]:
    """Return a figure with a panel for each dimension.

    Parameters
    ----------
    predictions : Predictions
        Of dimensions.
    title : str
        Of the figure.
    """
    names, (truth, predicted) = predictions.task.targets, numbers_of(predictions)
    columns = min(len(names), _ABREAST)
    rows = -(-len(names) // columns)
    figure, axes = new_figure(max(5.4, 4.1 * columns), 4.4 * rows, columns=columns, rows=rows)
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    figure.suptitle(title, fontsize=10, color=INK)
    every = zip(names, truth.T, predicted.T, axes[: len(names)], strict=True)
    for axis in axes:
        axis.grid(color=PALE, linewidth=0.6)
        axis.set_axisbelow(True)
    return figure, [Panel(*one) for one in every]


def cloud(axis: Axes, x: Floats, y: Floats) -> None:
    """Draw few rows as points, and many as how many lie in each cell of a grid."""
    if len(x) <= MOST_POINTS:
        axis.scatter(x, y, s=14 if len(x) < 500 else 8, color=ACCENT, alpha=0.45, linewidths=0)
        return
    from matplotlib.colors import LogNorm

    counts, across, up = np.histogram2d(x, y, bins=[_edges(x), _edges(y)])
    most = int(counts.max())
    # From below 1, so that a single row is seen on white, to above the most, so that lines are seen on it.
    norm = LogNorm(vmin=0.3, vmax=4 * max(most, 2))
    axis.pcolormesh(across, up, np.where(counts > 0, counts, np.nan).T, cmap="Blues", norm=norm)
    axis.text(0.98, 0.02, f"darkest: {most} utterances", transform=axis.transAxes, ha="right", fontsize=7.5, color=INK)


def _edges(values: Floats) -> Floats:
    """Return the edges of cells: one for each value of a scale with few steps, else :data:`_CELLS` of equal width."""
    steps = np.unique(values)
    if len(steps) < 2 or len(steps) > _CELLS:
        return np.linspace(*span(values), _CELLS + 1)
    between = (steps[1:] + steps[:-1]) / 2
    return np.concatenate([[2 * steps[0] - between[0]], between, [2 * steps[-1] - between[-1]]])


def span(*values: Floats) -> tuple[float, float]:
    """Return limits around all values, with room; of one and the same number, half a unit on both sides."""
    low, high = min(float(one.min()) for one in values), max(float(one.max()) for one in values)
    room = 0.04 * (high - low) or 0.5
    return low - room, high + room


def draw_diagonal(axis: Axes, limits: tuple[float, float], label: str) -> None:
    """Draw where prediction and truth are equal, on axes of the same limits."""
    axis.plot(limits, limits, color=INK, linewidth=1, linestyle="--", label=label)
    axis.set_xlim(limits)
    axis.set_ylim(limits)


class Bin(NamedTuple):
    """Where it begins and ends, and the rows in it as a mask of shape (n_rows,)."""

    low: float
    high: float
    inside: NDArray[np.bool_]


def bins(values: Floats, most: int) -> Iterator[Bin]:
    """Yield up to so many bins of equal width between the least and the greatest value, those that have rows."""
    edges = np.linspace(values.min(), values.max(), most + 1)
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, most - 1)
    for one in np.unique(place):
        yield Bin(float(edges[one]), float(edges[one + 1]), place == one)


def quantile_bins(values: Floats, most: int) -> Iterator[Bin]:
    """Yield up to so many bins of about as many rows each; equal values are in one bin."""
    edges = np.unique(np.quantile(values, np.linspace(0, 1, most + 1)))
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    for one in np.unique(place):
        inside = place == one
        yield Bin(float(values[inside].min()), float(values[inside].max()), inside)
