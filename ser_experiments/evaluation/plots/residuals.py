"""By how much predictions are off along the scale: those of a model that knows little are drawn to the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._numbers import cloud, each_dimension, panels, quantile_bins, span
from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import INK
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Parts of the truth, of about as many utterances each, in which quantiles are taken.
N_BINS = 10
_MIDDLE = "#d55e00"


def plot_residuals(predictions: Predictions, title: str) -> Figure:
    """Draw prediction minus truth by the truth, with the median and the middle 80 % of ten parts of the scale.

    Parameters
    ----------
    predictions : Predictions
        Of dimensions.
    title : str
        What was scored, and how.
    """
    figure, every = panels(predictions, title)
    for name, truth, predicted, axis in every:
        off = predicted - truth
        across, up = span(truth), span(off)
        cloud(axis, truth, off)
        parts = [one.inside for one in quantile_bins(truth, N_BINS)]
        where = [truth[inside].mean() for inside in parts]
        low, middle, high = np.transpose([np.quantile(off[inside], [0.1, 0.5, 0.9]) for inside in parts])
        axis.plot(where, middle, color=_MIDDLE, linewidth=1.8, marker="o", markersize=3.5, label="median")
        for end, label in ((low, "10 % and 90 %"), (high, None)):
            axis.plot(where, end, color=_MIDDLE, linewidth=1.3, linestyle="--", label=label)
        axis.axhline(0, color=INK, linewidth=1)
        axis.set_xlim(across)
        axis.set_ylim(up)
        axis.set_xlabel(f"true {name}")
        axis.set_ylabel(f"{name}: predicted minus true")
        axis.set_title(_slope(truth, off, name), fontsize=9, color=INK)
        axis.legend(frameon=True, framealpha=0.85, edgecolor="none", fontsize=8, loc="upper right")
    return figure


def _slope(truth: np.ndarray, off: np.ndarray, name: str) -> str:
    """Say by how much predictions follow the truth: the slope of the residuals is this less 1."""
    spread = truth.var()
    if spread == 0:
        return name
    kept = 1 + float(((truth - truth.mean()) * off).mean() / spread)
    return f"{name}: moves {kept:.2f} where the truth moves 1"


def say_residuals(predictions: Predictions) -> str:
    """Say of each dimension by how much predictions are off at both ends of the truth, and how far they follow it."""
    said = []
    for name, truth, predicted in each_dimension(predictions):
        off = predicted - truth
        parts = [one.inside for one in quantile_bins(truth, N_BINS)]
        ends = (
            f"{np.median(off[one]):+.2f} where the truth is about {truth[one].mean():.2f}"
            for one in (parts[0], parts[-1])
        )
        said.append(f"{_slope(truth, off, name)}; median error {' and '.join(ends)}")
    return f"Prediction minus truth by the truth. {'. '.join(said)}."


PICTURES = (Picture("residuals", plot_residuals, say_residuals, kinds=("dimensions",)),)
