"""One score a fold or a speaker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_experiments.evaluation.plots._style import ACCENT, ALARM, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_groups(scores: pd.Series, pooled: float, chance: float, title: str, what: str) -> Figure:
    """Draw one score a fold or speaker as bars, with the pooled score and chance as lines.

    Parameters
    ----------
    scores : Series
        UAR by name.
    pooled, chance : float
        The pooled UAR and one over the number of classes.
    title : str
        What was scored, and how.
    what : str
        What a bar is, e.g. ``"fold"``.
    """
    figure, (axis,) = new_figure(min(max(5.0, 1.6 + 0.55 * len(scores)), 16), 3.6)
    places = np.arange(len(scores))
    axis.bar(places, scores.to_numpy(), color=ACCENT, width=0.7)
    # Beyond this, numbers run into one another.
    for place, value in zip(places, scores, strict=True) if len(scores) <= 30 else ():
        axis.text(float(place), value + 0.01, f"{value:.2f}", ha="center", fontsize=8, color=INK)
    axis.axhline(pooled, color=INK, linewidth=1.2, label=f"pooled {pooled:.3f}")
    axis.axhline(chance, color=ALARM, linewidth=1, linestyle="--", label=f"chance {chance:.2f}")
    axis.set_xticks(places, scores.index.astype(str), rotation=30, ha="right", fontsize=8)
    axis.set_ylim(0, 1.05)
    axis.set_ylabel("UAR")
    axis.set_xlabel(what)
    axis.set_title(title, fontsize=10, color=INK)
    axis.legend(framealpha=0.9, edgecolor="none", fontsize=8, loc="lower right")
    return figure
