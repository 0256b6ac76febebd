"""What an audit found: how far a score falls under each condition, and how far groups of speakers differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ser_experiments.evaluation.audited import Audited, Robustness
from ser_experiments.evaluation.fairness import FAILED, PASSED, SHORTLY, UNKNOWN, Fairness, Part
from ser_experiments.evaluation.plots._style import INK, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class _Look(NamedTuple):
    colour: str
    shape: str
    filled: bool


#: Of Okabe and Ito's colours, and of shapes that tell the verdicts without any.
_LOOKS: Mapping[str, _Look] = {
    FAILED: _Look("#d55e00", "X", True),
    UNKNOWN: _Look("#444444", "D", False),
    PASSED: _Look("#0072b2", "o", True),
}
#: Findings that are said in words.
_MOST_SAID = 12


def worst_first(audited: Audited) -> list[Robustness]:
    """Return the conditions in the order of their falls."""
    return sorted(audited.robustness, key=lambda one: -np.nan_to_num(one.worse[0], nan=-np.inf))


def plot_conditions(audited: Audited, title: str) -> Figure:
    """Draw by how much the score is worse under each condition, with its interval, the worst at the top.

    Parameters
    ----------
    audited : Audited
        What was found.
    title : str
        What was audited.
    """
    rows = worst_first(audited)
    figure, (axis,) = new_figure(8.5, 1.5 + 0.29 * max(3, len(rows)))
    for place, one in enumerate(rows):
        value, low, high = one.worse
        look = _LOOKS[one.verdict]
        if np.isfinite([low, high]).all():
            axis.plot([low, high], [place, place], color=look.colour, linewidth=2, solid_capstyle="butt")
        _point(axis, value, place, look)
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.axvline(audited.tolerated, color=INK, linewidth=1, linestyle="--")
    axis.annotate(
        f"{audited.tolerated:g} is tolerated",
        (audited.tolerated, 1), (3, 2), xycoords=("data", "axes fraction"), textcoords="offset points",
        fontsize=8, color=INK,
    )  # fmt: skip
    axis.set_yticks(range(len(rows)), [f"{one.condition.name}  {one.score:.3f}" for one in rows], fontsize=8.5)
    axis.set_xlabel(f"{audited.title} worse by, 95 % interval; beside each condition the {audited.title} under it")
    _rows(axis, len(rows))
    axis.set_title(f"{title}: {audited.title} {audited.score:.3f} as recorded", fontsize=10, color=INK, pad=16)
    _legend(figure, [one.verdict for one in rows])
    return figure


def say_conditions(audited: Audited) -> str:
    """Say what :func:`plot_conditions` shows, with the numbers of the worst."""
    rows = worst_first(audited)
    told = []
    for one in rows[:_MOST_SAID]:
        value, low, high = one.worse
        told.append(f"{one.condition.name} {value:+.3f} ({low:+.3f} to {high:+.3f}), {SHORTLY[one.verdict]}")
    more = f"; and {len(rows) - _MOST_SAID} more, in the table" if len(rows) > _MOST_SAID else ""
    return (
        f"By how much the {audited.title}, {audited.score:.3f} as recorded, is worse under {len(rows)} conditions, "
        f"with 95 % intervals and a line at {audited.tolerated:g}: {'; '.join(told)}{more}."
    )


def _compared(audited: Audited) -> list[tuple[str, Fairness | Part]]:
    """Return what of groups is compared, by what it is called."""
    found: list[tuple[str, Fairness | Part]] = []
    for group in audited.fairness:
        found.append((f"{group.by}: {audited.title}", group))
        found += [(part.name, part) for part in group.parts]
    return found


def plot_differences(audited: Audited, title: str) -> Figure:
    """Draw how far groups of speakers differ, against what chance would show.

    Parameters
    ----------
    audited : Audited
        What was found, with groups.
    title : str
        What was audited.
    """
    rows = _compared(audited)
    figure, (axis,) = new_figure(8.5, 1.5 + 0.29 * max(3, len(rows)))
    for place, (_, one) in enumerate(rows):
        if np.isfinite(one.threshold):
            axis.barh(place, one.threshold, color=PALE, height=0.7, zorder=1)
        if np.isfinite(one.difference):
            look = _LOOKS[one.verdict]
            axis.plot([0, one.difference], [place, place], color=look.colour, linewidth=1.6, zorder=2)
            _point(axis, one.difference, place, look)
    axis.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=8.5)
    for label, (_, one) in zip(axis.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if isinstance(one, Fairness) else "normal")
    axis.set_xlim(left=0)
    axis.set_xlabel("difference between the best and the worst group; grey: what chance would show at most")
    _rows(axis, len(rows))
    axis.set_title(title, fontsize=10, color=INK)
    _legend(figure, [one.verdict for _, one in rows])
    return figure


def say_differences(audited: Audited) -> str:
    """Say what :func:`plot_differences` shows, with the numbers."""
    told = []
    for name, one in _compared(audited)[:_MOST_SAID]:
        chance = f"chance {one.threshold:.3f}" if np.isfinite(one.threshold) else "chance not known"
        told.append(f"{name} {one.difference:.3f} ({chance}), {SHORTLY[one.verdict]}")
    more = len(_compared(audited)) - len(told)
    return (
        "How far groups of speakers differ, and what chance would show at most: "
        + "; ".join(told)
        + (f"; and {more} more, in the tables." if more else ".")
    )


def _point(axis: Axes, value: float, place: int, look: _Look) -> None:
    axis.plot(
        value, place, look.shape, color=look.colour, markersize=6.5, markeredgewidth=1.2, zorder=3,
        markerfacecolor=look.colour if look.filled else "white",
    )  # fmt: skip


def _rows(axis: Axes, n_rows: int) -> None:
    """Let rows be read from the top."""
    axis.set_ylim(max(n_rows, 1) - 0.4, -0.6)
    axis.grid(axis="x", color="#e4e9ee", linewidth=0.7)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)


def _legend(figure: Figure, verdicts: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    shown = [
        Line2D([], [], marker=look.shape, color=look.colour, linestyle="", label=SHORTLY[verdict],
               markerfacecolor=look.colour if look.filled else "white")
        for verdict, look in _LOOKS.items() if verdict in verdicts
    ]  # fmt: skip
    if shown:
        figure.legend(handles=shown, frameon=False, fontsize=8, loc="outside lower center", ncols=3)
