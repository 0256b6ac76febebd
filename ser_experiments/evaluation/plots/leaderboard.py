"""Several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.compare import Comparison
from ser_experiments.evaluation.plots._style import ACCENT, ALARM, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Runs that are said in words.
MOST_SAID = 8
#: So little above chance is nothing.
_NOTHING = 0.01


def plot_leaderboard(
    comparison: Comparison, names: Sequence[str], title: str, unit: str, *, chance: float | None = None
) -> Figure:
    """Draw scores with their intervals on the left, paired differences to the best with theirs on the right.

    Parameters
    ----------
    comparison : Comparison
        The runs, best first.
    names : sequence of str
        What to call them, in the same order.
    title : str
        The setting.
    unit : str
        What the intervals are taken over.
    chance : float, optional
        What knowing nothing scores. Runs that score no more, such as a dummy, are a line and no row: a row of theirs
        would squeeze all others into a corner.
    """
    score = comparison.score
    floor = _at_chance(comparison, names, chance)
    kept = [(row, name) for row, name in zip(comparison.rows, names, strict=True) if name not in floor]
    rows, names = [row for row, _ in kept], [name for _, name in kept]
    figure, (left, right) = new_figure(9.5, 1.9 + 0.34 * len(rows), columns=2)
    places = np.arange(len(rows))
    _intervals(left, [(row.score, row.interval.low, row.interval.high) for row in rows])
    left.set_yticks(places, names, fontsize=9)
    left.set_xlabel(f"{score.title}, 95 % interval")
    if np.isfinite(comparison.corrected):
        label = f"best, corrected for the choice: {comparison.corrected:.3f}"
        left.axvline(comparison.corrected, color=ALARM, linewidth=1, linestyle="--", label=label)
        left.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.1)
    if floor:
        told = ", ".join(f"{name} {value:.3f}" for name, value in floor.items())
        left.text(1.0, 1.02, f"chance: {told}", transform=left.transAxes, ha="right", fontsize=8, color=INK)
        if left.get_xlim()[0] <= max(floor.values()) <= left.get_xlim()[1]:
            left.axvline(max(floor.values()), color=INK, linewidth=1, linestyle=":")
    _intervals(right, [(row.difference.value, row.difference.low, row.difference.high) for row in rows])
    right.axvline(0, color=INK, linewidth=0.8)
    right.set_yticks(places, [])
    right.set_xlabel(f"paired difference to {names[0]}, 95 % interval")
    for axis in (left, right):
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.grid(axis="x", color="#e4e9ee", linewidth=0.7)
        axis.set_axisbelow(True)
        axis.tick_params(axis="y", length=0)
    figure.suptitle(
        f"{title}: {len(comparison.rows)} candidates, intervals over {comparison.n_groups} {unit}s", fontsize=10
    )
    return figure


def _at_chance(comparison: Comparison, names: Sequence[str], chance: float | None) -> dict[str, float]:
    """Return the runs that know nothing, with their scores; none where all of them do."""
    if chance is None:
        return {}
    pairs = zip(comparison.rows, names, strict=True)
    floor = {name: row.score for row, name in pairs if comparison.score.better * (row.score - chance) <= _NOTHING}
    return floor if len(floor) < len(comparison.rows) and len(set(names)) == len(names) else {}


def say_leaderboard(comparison: Comparison, names: Sequence[str], unit: str) -> str:
    """Say what :func:`plot_leaderboard` shows, with the numbers of the best runs; see there."""
    said = []
    for name, row in list(zip(names, comparison.rows, strict=True))[:MOST_SAID]:
        ends = f" ({row.interval.low:.3f} to {row.interval.high:.3f})" if np.isfinite(row.interval.low) else ""
        far = row.difference
        known = row is not comparison.best and np.isfinite(far.low)
        apart = f", {far.value:+.3f} to the best ({far.low:+.3f} to {far.high:+.3f})" if known else ""
        said.append(f"{name} {row.score:.3f}{ends}{apart}")
    more = len(comparison.rows) - len(said)
    return (
        f"{comparison.score.title} of {len(comparison.rows)} runs with 95 % intervals over {comparison.n_groups} "
        f"{unit}s on the left, and paired differences to the best on the right: {'; '.join(said)}"
        + (f"; and {more} more, in the table." if more else ".")
    )


def _intervals(axis: Axes, points: Sequence[tuple[float, float, float]]) -> None:
    for place, (value, low, high) in enumerate(points):
        if np.isfinite(low) and high > low:
            axis.plot([low, high], [place, place], color=ACCENT, linewidth=2, solid_capstyle="butt")
        axis.plot(value, place, "o", color=ACCENT, markersize=6)
        axis.annotate(
            f"{value:.3f}", (value, place), (0, 5), textcoords="offset points", ha="center", fontsize=7.5, color=INK
        )
