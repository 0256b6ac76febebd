"""What is gained where the least sure answers are withheld, and who then gets no answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import ACCENT, ALARM, INK, PALE, new_figure
from ser_experiments.evaluation.scores.aurc import SCORE
from ser_experiments.evaluation.selective import COVERAGES, coverage_by, risk_coverage
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Speakers that are named at their marks.
_NAMED = 24


def plot_risk_coverage(predictions: Predictions, title: str) -> Figure:
    """Draw the share of wrong answers by the share that is answered, and which speakers these are of.

    Parameters
    ----------
    predictions : Predictions
        Of classes, with probabilities.
    title : str
        What was scored, and how.
    """
    figure, (left, right) = new_figure(9.6, 4.2, columns=2)
    curve = risk_coverage(predictions)
    left.plot(curve["coverage"], curve["risk"], color=ACCENT, linewidth=1.8, label="the surest are answered")
    whole = float(curve["risk"].iloc[-1])
    left.plot([0, 1], [whole, whole], color=INK, linewidth=1, linestyle="--", label="any are answered")
    coverage = np.linspace(0.005, 1, 200)
    best = np.clip(coverage - (1 - whole), 0, None) / coverage
    left.plot(coverage, best, color=INK, linewidth=1, linestyle=":", label="the right ones are answered")
    left.set_xlim(0, 1.005)
    left.set_ylim(0, max(0.05, 1.1 * float(curve["risk"].max())))
    left.set_xlabel("share of utterances that is answered")
    left.set_ylabel("share of the answers that is wrong")
    left.set_title(f"area {SCORE.on(predictions).whole():.3f}", fontsize=9, color=INK)
    left.legend(frameon=False, fontsize=8)
    left.grid(color=PALE, linewidth=0.6)
    _draw_speakers(right, predictions)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure


def _draw_speakers(axis: Axes, predictions: Predictions) -> None:
    table = coverage_by(predictions)
    table = table.sort_values(table.columns[-1])
    places = np.arange(len(table))
    for coverage, colour, shape in zip(COVERAGES, ("#9aa7b3", ACCENT, ALARM), "os^", strict=True):
        percent = round(100 * coverage)
        axis.plot(places, table[f"answered_{percent}"], shape, color=colour, markersize=4.5, markeredgecolor=INK,
                  markeredgewidth=0.4, label=f"{percent} % of all")  # fmt: skip
        axis.axhline(coverage, color=colour, linewidth=0.8, zorder=0)
    axis.set_ylim(-0.02, 1.02)
    axis.set_ylabel("share of a speaker's utterances answered")
    axis.set_title("who is answered", fontsize=9, color=INK, pad=20)
    axis.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.1, ncols=3)
    named = len(table) <= _NAMED
    axis.set_xticks(places if named else [], table.index if named else [], rotation=90, fontsize=7)
    axis.set_xlabel("speakers" if named else f"{len(table)} speakers")


def say_risk_coverage(predictions: Predictions) -> str:
    """Say which share of the answers is wrong where so many are given, and of which speakers these are."""
    curve = risk_coverage(predictions)
    at = [float(np.interp(one, curve["coverage"], curve["risk"])) for one in (1.0, *COVERAGES)]
    wrong = ", ".join(
        f"{risk:.0%} where {one:.0%} are answered" for one, risk in zip((1.0, *COVERAGES), at, strict=True)
    )
    least = round(100 * min(COVERAGES))
    share = coverage_by(predictions)[f"answered_{least}"].sort_values(kind="stable")
    return (
        f"Left: share of wrong answers by the share that is answered, the surest first: {wrong}; area "
        f"{SCORE.on(predictions).whole():.3f}. Right: share of each speaker's utterances that is answered; where "
        f"{least} % of all are, from {share.iloc[0]:.0%} of {share.index[0]} to {share.iloc[-1]:.0%} "
        f"of {share.index[-1]}."
    )


PICTURES = (Picture("risk_coverage", plot_risk_coverage, say_risk_coverage, kinds=("classes",), needs_values=True),)
