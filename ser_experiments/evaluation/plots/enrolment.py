"""What an experiment scores by how many clips a new speaker gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ser_experiments.evaluation.plots._style import INK, PALE, marks, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Of points that share a number of clips: so far apart, in steps.
_APART = 0.14
Point = tuple[str, float, float, float]


def plot_enrolment(
    scores: Mapping[str, Sequence[Point]],
    gains: Mapping[str, Sequence[Point]],
    clips: Sequence[str],
    chance: float,
    title: str,
    score: str,
) -> Figure:
    """Draw a score by the number of clips, and how much better it is than that without any.

    Parameters
    ----------
    scores, gains : mapping of str to sequence of (str, float, float, float)
        By what is given: number of clips, value and both ends of its interval.
    clips : sequence of str
        The numbers of clips in their order.
    chance : float
        What knowing nothing scores.
    title : str
        The experiment and corpus.
    score : str
        What it is called.
    """
    figure, (above, below) = new_figure(7.2, 6.2, rows=2, heights=(3, 2))
    for axis, lines in ((above, scores), (below, gains)):
        _draw(axis, lines, clips, list(scores))
    above.axhline(chance, color=INK, linewidth=1, linestyle="--")
    above.text(-0.48, chance, "chance", fontsize=8, color=INK, va="bottom", ha="left")
    above.set_ylabel(f"{score}, with its 95 % interval")
    above.legend(loc="lower right", bbox_to_anchor=(1, 0.06), fontsize=8, frameon=False)
    above.set_title(title, fontsize=10, color=INK)
    below.axhline(0, color=INK, linewidth=1)
    below.set_ylabel("gain over no clips")
    below.set_xlabel("clips that each speaker gives")
    return figure


def _draw(axis: Axes, lines: Mapping[str, Sequence[Point]], clips: Sequence[str], names: Sequence[str]) -> None:
    looks, shared = marks(names), Counter(many for points in lines.values() for many, *_ in points)
    for name, points in lines.items():
        colour, shape = looks[name]
        shift = (names.index(name) - (len(names) - 1) / 2) * _APART
        places = [clips.index(many) + shift * (shared[many] > 1) for many, *_ in points]
        for place, (_, _, low, high) in zip(places, points, strict=True):
            axis.plot([place, place], [low, high], color=colour, linewidth=2.2, alpha=0.45, solid_capstyle="butt")
        values = [value for _, value, *_ in points]
        axis.plot(places, values, color=colour, marker=shape, markersize=6, linewidth=1.2, label=name)
    axis.set_xticks(range(len(clips)), list(clips))
    axis.set_xlim(-0.5, len(clips) - 0.5)
    axis.grid(axis="y", color=PALE, linewidth=0.6)
    axis.set_axisbelow(True)
