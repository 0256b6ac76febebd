"""What models of some corpora score on others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._style import INK, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_transfer(
    names: Sequence[str],
    scores: Mapping[tuple[str, str], tuple[float, float, float]],
    limits: tuple[float, float],
    title: str,
    score: str,
) -> Figure:
    """Draw a matrix: a row for each corpus that was trained on, a column for each that was tested.

    Parameters
    ----------
    names : sequence of str
        The corpora.
    scores : mapping of (str, str) to (float, float, float)
        By trained and tested corpus the score, and both ends of its interval.
    limits : tuple of float
        What the palest and the darkest colour stand for: chance and the best there can be.
    title : str
        The experiment, labels and normalisation.
    score : str
        What it is called.
    """
    from matplotlib import colormaps

    size = 2.2 + 1.25 * len(names)
    figure, (axis,) = new_figure(size + 1.2, size)
    numbers = np.full((len(names), len(names)), np.nan)
    for (trained, tested), (value, _, _) in scores.items():
        numbers[names.index(trained), names.index(tested)] = value
    colour = colormaps["Blues"].with_extremes(bad=PALE)
    image = axis.imshow(np.ma.masked_invalid(numbers), cmap=colour, vmin=limits[0], vmax=limits[1])
    middle = limits[0] + 0.6 * (limits[1] - limits[0])
    for (trained, tested), (value, low, high) in scores.items():
        ends = f"\n{low:.2f} - {high:.2f}" if np.isfinite(low) else ""
        place = names.index(tested), names.index(trained)
        ink = "white" if value > middle else INK
        axis.text(*place, f"{value:.3f}{ends}", ha="center", va="center", fontsize=9, color=ink)
    axis.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("tested on")
    axis.set_ylabel("trained on")
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=10, color=INK)
    figure.colorbar(image, ax=axis, shrink=0.8, label=f"{score}, from chance on")
    return figure
