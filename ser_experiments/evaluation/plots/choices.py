"""What a search on inner folds thought of each of a parameter's values, such as the layers of an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ser_experiments.evaluation.plots._style import ACCENT, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ser_experiments.evaluation.score import Score


def plot_choices(
    searches: Sequence[tuple[Sequence[Mapping[str, Any]], Mapping[str, Any]]],
    parameter: str,
    title: str,
    score: Score,
) -> Figure:
    """Draw the best inner score of each value of a parameter, over training folds, and how often it was chosen.

    Parameters
    ----------
    searches : sequence of (sequence of mapping, mapping)
        Of each training fold the trials (``params``, the score by its name), and the parameters that were chosen.
    parameter : str
        By its name in the space.
    title : str
        Which experiment.
    score : Score
        What was chosen by.
    """
    values = list(dict.fromkeys(str(trial["params"][parameter]) for trials, _ in searches for trial in trials))
    best = np.full((len(searches), len(values)), np.nan)
    for row, (trials, _) in zip(best, searches, strict=True):
        for trial in trials:
            at = values.index(str(trial["params"][parameter]))
            row[at] = np.nanmax([row[at], trial[score.name]])
    chosen = [str(taken[parameter]) for _, taken in searches]
    figure, (axis,) = new_figure(max(4.8, 0.55 * len(values) + 1.6), 3.6)
    places = np.arange(len(values))
    axis.fill_between(places, np.nanmin(best, axis=0), np.nanmax(best, axis=0), color=ACCENT, alpha=0.15, linewidth=0)
    axis.plot(places, np.nanmean(best, axis=0), color=ACCENT, marker="o", markersize=4)
    for place, value in zip(places, values, strict=True):
        if count := chosen.count(value):
            axis.annotate(
                f"{count}x", (place, np.nanmax(best[:, place])), textcoords="offset points", xytext=(0, 5),
                ha="center", fontsize=8, color=INK,
            )  # fmt: skip
    axis.set_xticks(places, values, rotation=0 if max(map(len, values)) < 5 else 30)
    axis.set_xlabel(parameter.rpartition(".")[2])
    axis.set_ylabel(f"{score.title} on inner folds")
    axis.margins(y=0.15)
    figure.suptitle(
        f"{title}\nmean and range over {len(searches)} training sides; how often chosen", fontsize=9, color=INK
    )
    return figure
