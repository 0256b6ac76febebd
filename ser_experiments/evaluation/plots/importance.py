"""Which descriptors a model relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ser_experiments.evaluation.plots._style import ACCENT, INK, new_figure
from ser_experiments.evaluation.score import Score

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_importance(importance: pd.DataFrame, title: str, how: str, score: Score, *, top: int = 20) -> Figure:
    """Draw how much worse a score gets when the columns of a descriptor are shuffled between rows.

    Parameters
    ----------
    importance : DataFrame
        As :func:`ser_experiments.evaluation.importance.permutation_importance` returns it, most important first.
    title : str
        What was scored.
    how : str
        Which rows, of which model.
    score : Score
        What gets worse.
    top : int, default=20
        How many are shown.
    """
    shown = importance.head(top)
    figure, (axis,) = new_figure(7.2, 1.7 + 0.27 * len(shown))
    places = np.arange(len(shown))
    axis.barh(places, shown["worse"], xerr=shown["std"], color=ACCENT, ecolor="#7b8794", height=0.7)
    columns = [f"{name}  ({n})" for name, n in zip(shown.index, shown["n_columns"], strict=True)]
    axis.set_yticks(places, columns, fontsize=8)
    axis.set_ylim(len(shown) - 0.4, -0.6)
    axis.axvline(0, color=INK, linewidth=0.8)
    change = "loss" if score.better > 0 else "increase"
    said = f"{change} of the {score.title} when shuffled (bars: standard deviation over repeats)"
    axis.set_xlabel(said, fontsize=8.5)
    axis.set_ylabel("descriptor (columns)")
    axis.set_title(f"{title}\n{how}", fontsize=10, color=INK)
    return figure
