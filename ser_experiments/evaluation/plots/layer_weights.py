"""Which layers of an encoder a network listens to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_layer_weights(weights: Mapping[str, float], by_fold: Mapping[str, Mapping[str, float]], title: str) -> Figure:
    """Draw the learnt weight of each layer as a bar, and those of the folds as dots on it.

    Parameters
    ----------
    weights : mapping of str to float
        By layer, of the fit on all rows; they sum to 1.
    by_fold : mapping of str to mapping
        The same of each fold.
    title : str
        Which network.
    """
    names = list(weights)
    figure, (axis,) = new_figure(max(4.0, 0.6 * len(names) + 2.0), 3.2)
    axis.bar(range(len(names)), list(weights.values()), color=PALE, width=0.7, label="fitted on all rows")
    for number, fold in enumerate(by_fold.values()):
        # Side by side within the bar, so that folds that agree can be counted.
        shift = 0.5 * (number / max(1, len(by_fold) - 1) - 0.5) if len(by_fold) > 1 else 0.0
        label = "folds" if not number else None
        axis.plot(np.arange(len(names)) + shift, [fold[name] for name in names], "o", color=ACCENT, ms=3, label=label)
    axis.axhline(1 / len(names), color=INK, linewidth=0.8, linestyle="--", label="equal weights")
    axis.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
    axis.set_ylabel("weight")
    axis.set_ylim(0, None)
    axis.legend(frameon=False, fontsize=8)
    axis.set_title(title, fontsize=10, color=INK, loc="left")
    return figure
