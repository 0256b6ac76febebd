"""What an experiment scores under protocols from which ever more is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ser_experiments.evaluation.plots._style import ACCENT, ALARM, INK, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_ladder(
    rungs: Sequence[tuple[str, float, float, float]], chance: float, highest: float, title: str, score: str
) -> Figure:
    """Draw a score by protocol, the one that leaks most above.

    Parameters
    ----------
    rungs : sequence of (str, float, float, float)
        Protocol, score, and both ends of its interval.
    chance, highest : float
        What knowing nothing scores, and the best there can be.
    title : str
        The experiment and corpus.
    score : str
        What it is called.
    """
    figure, (axis,) = new_figure(7.2, 1.4 + 0.5 * len(rungs))
    for place, (_, value, low, high) in enumerate(rungs):
        colour = ACCENT if place else ALARM
        axis.plot([low, high], [place, place], color=colour, linewidth=2.2, solid_capstyle="butt", alpha=0.55)
        axis.plot(value, place, "o", color=colour, markersize=7)
        axis.annotate(f"{value:.3f}", (value, place), (0, 7), textcoords="offset points", ha="center", fontsize=8.5)
    axis.plot([value for _, value, _, _ in rungs], range(len(rungs)), color=INK, linewidth=0.8, linestyle=":", zorder=0)
    axis.axvline(chance, color=INK, linewidth=1, linestyle="--")
    axis.text(chance, -0.62, " chance", fontsize=8, color=INK, va="center")
    axis.set_yticks(range(len(rungs)), [name for name, *_ in rungs])
    axis.set_ylim(len(rungs) - 0.5, -0.8)
    axis.set_xlim(min(chance, *(low for _, _, low, _ in rungs)) - 0.02, highest)
    axis.grid(axis="x", color=PALE, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_xlabel(f"{score}, with its 95 % interval")
    axis.set_title(title, fontsize=10, color=INK)
    return figure
