"""Pictures of a run, readable without the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Ink and accents of all pictures.
INK, ACCENT, PALE = "#1f2933", "#2166ac", "#d1d9e0"


def new_figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure in inches and its axes, without touching pyplot's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, columns)).tolist()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def plot_confusion(counts: pd.DataFrame, title: str) -> Figure:
    """Draw a confusion matrix: counts, coloured by the share of each true class.

    Parameters
    ----------
    counts : DataFrame of shape (n_classes, n_classes)
        True classes down, predicted classes across.
    title : str
        What was scored, and how.
    """
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    size = 1.8 + 0.9 * len(counts)
    figure, (axis,) = new_figure(max(size, 5.2), size)
    image = axis.imshow(shares.to_numpy(), cmap="Blues", vmin=0, vmax=1)
    for i in range(len(counts)):
        for j in range(len(counts)):
            share = shares.iat[i, j]
            text = f"{share:.0%}\n{counts.iat[i, j]}"
            axis.text(j, i, text, ha="center", va="center", fontsize=9, color="white" if share > 0.55 else INK)
    axis.set_xticks(range(len(counts)), counts.columns, rotation=30, ha="right")
    axis.set_yticks(range(len(counts)), counts.index)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=10, color=INK)
    figure.colorbar(image, ax=axis, shrink=0.8, label="share of the true class (recall on the diagonal)")
    return figure


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
    figure, (axis,) = new_figure(max(5.0, 1.6 + 0.55 * len(scores)), 3.6)
    places = np.arange(len(scores))
    axis.bar(places, scores.to_numpy(), color=ACCENT, width=0.7)
    for place, value in zip(places, scores, strict=True):
        axis.text(place, value + 0.01, f"{value:.2f}", ha="center", fontsize=8, color=INK)
    axis.axhline(pooled, color=INK, linewidth=1.2, label=f"pooled {pooled:.3f}")
    axis.axhline(chance, color="#b2182b", linewidth=1, linestyle="--", label=f"chance {chance:.2f}")
    axis.set_xticks(places, scores.index.astype(str), rotation=30, ha="right", fontsize=8)
    axis.set_ylim(0, 1.05)
    axis.set_ylabel("UAR")
    axis.set_xlabel(what)
    axis.set_title(title, fontsize=10, color=INK)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    return figure
