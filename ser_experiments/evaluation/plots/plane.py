"""An answer of numbers as a point in the plane of two of them, and its way through that plane over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import ACCENT, ALARM, INK, PALE, limits, new_figure
from ser_experiments.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Colours of the way, from its start to its end.
_WAY, _EARLY, _LATE = "viridis", 0.9, 0.1


def plot_plane(
    task: Task, answer: Mapping[str, Any], table: pd.DataFrame, *, scale: Mapping[str, Sequence[float]] | None = None
) -> Figure:
    """Draw an answer where it lies between the first two targets, such as valence (across) and arousal (up).

    Of a task of one target it lies on a line, which has no way through it.

    Parameters
    ----------
    task : Task
        Whose numbers lie on scales.
    answer : mapping
        As the task answers; its ranges are drawn as bars.
    table : DataFrame
        The task's columns, one row a step in the order of time, NaN where nobody speaks.
    scale : mapping of str to (float, float), optional
        By target the lowest and the highest number that there is room for; by default what is drawn decides.
    """
    names = task.targets[:2]
    way = task.values(table)[:, :2]
    numbers, ranges = task.numbers(answer), task.ranges(answer)
    is_flat = len(names) == 1
    figure, (axis,) = new_figure(5.4, 1.9 if is_flat else 5.0)
    room = []
    for i, name in enumerate(names):
        drawn = [numbers[name], *ranges.get(name, ())] if name in numbers else []
        room.append(limits(way[:, i], drawn, (scale or {}).get(name, ())))
    axis.set_xlim(*room[0])
    axis.set_ylim(*(room[-1] if len(names) > 1 else (-1, 1)))
    _cross(axis, names, scale or {})
    if is_flat:
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    else:
        _way(axis, way[~np.isnan(way).any(axis=1)])
        axis.set_ylabel(names[1])
    axis.set_xlabel(names[0])
    if numbers:
        _point(axis, [numbers[name] for name in names], [ranges.get(name) for name in names])
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return figure


def _cross(axis: Axes, names: Sequence[str], scale: Mapping[str, Sequence[float]]) -> None:
    """Draw the middles of the scales, where these are known."""
    for name, line in zip(names, (axis.axvline, axis.axhline), strict=False):
        if name in scale:
            line(sum(scale[name]) / 2, color=PALE, linewidth=1, zorder=0)


def _way(axis: Axes, steps: NDArray[np.float64]) -> None:
    """Draw the steps in the order of time, paler where it begins; a single one is no way."""
    if len(steps) < 2:
        return
    from matplotlib import colormaps
    from matplotlib.collections import LineCollection

    shades = colormaps[_WAY](np.linspace(_EARLY, _LATE, len(steps)))
    pieces = np.stack([steps[:-1], steps[1:]], axis=1)
    axis.add_collection(LineCollection(list(pieces), colors=shades[1:], linewidths=1.6, zorder=2))
    axis.scatter(steps[:, 0], steps[:, 1], color=shades, s=10, zorder=3)
    for place, marker, name in ((0, ">", "start"), (-1, "s", "end")):
        x, y = steps[place]
        axis.scatter(x, y, color=[shades[place]], edgecolor=INK, marker=marker, s=70, zorder=5, label=name)


def _point(axis: Axes, at: Sequence[float], ranges: Sequence[Sequence[float] | None]) -> None:
    """Draw the answer, with bars as far as its ranges go."""
    x, y = [*at, 0.0][:2]
    beside = [None if ends is None else [[at[i] - ends[0]], [ends[1] - at[i]]] for i, ends in enumerate(ranges)]
    across, up = [*beside, None][:2]
    label = "whole recording" + (" with its intervals" if any(one is not None for one in beside) else "")
    axis.errorbar(
        x, y, xerr=across, yerr=up, fmt="o", color=ALARM, ecolor=ACCENT, markersize=9, elinewidth=2, capsize=5,
        zorder=4, label=label,
    )  # fmt: skip
