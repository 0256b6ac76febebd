"""Whether predicted numbers mean what they say: what is true, on average, where so much is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._numbers import Bin, bins, draw_diagonal, each_dimension, panels, span
from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Bins of equal width between the least and the greatest prediction.
N_BINS = 10
#: The mean of fewer rows is not joined to the others.
FEW = 10


def plot_calibration(predictions: Predictions, title: str) -> Figure:
    """Draw the mean truth of the rows of ten bins of the prediction, with the middle half of the truth and the counts.

    Parameters
    ----------
    predictions : Predictions
        Of dimensions.
    title : str
        What was scored, and how.
    """
    figure, every = panels(predictions, title)
    for name, truth, predicted, axis in every:
        parts = list(bins(predicted, N_BINS))
        said = np.array([predicted[one.inside].mean() for one in parts])
        true = np.array([truth[one.inside].mean() for one in parts])
        low, high = np.transpose([np.quantile(truth[one.inside], [0.25, 0.75]) for one in parts])
        draw_diagonal(axis, span(low, high, true, predicted), "says what it means")
        axis.vlines(said, low, high, color=ACCENT, alpha=0.35, linewidth=5, label="middle half of the truth")
        many = np.array([one.inside.sum() >= FEW for one in parts])
        axis.plot(said[many], true[many], color=ACCENT, marker="o", markersize=4.5, linewidth=1.4, label="mean truth")
        if not many.all():
            axis.plot(said[~many], true[~many], "o", color=ACCENT, markerfacecolor="white", markersize=4.5,
                      label=f"of fewer than {FEW}")  # fmt: skip
        _draw_counts(axis, parts)
        axis.set_box_aspect(1)
        axis.set_xlabel(f"predicted {name}")
        axis.set_ylabel(f"true {name}")
        gap = predicted.mean() - truth.mean()
        axis.set_title(f"{name}: predicted {abs(gap):.2f} too {'high' if gap >= 0 else 'low'} on average", fontsize=9,
                       color=INK)  # fmt: skip
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def _draw_counts(axis: Axes, parts: list[Bin]) -> None:
    """Draw how many rows each bin has as bars at the foot of the panel."""
    counts = np.array([int(one.inside.sum()) for one in parts])
    foot = axis.twinx()
    foot.set_ylim(0, 6 * counts.max())
    foot.set_axis_off()
    foot.bar([one.low for one in parts], counts, width=[one.high - one.low for one in parts], align="edge",
             color=PALE, edgecolor="white", linewidth=0.8)  # fmt: skip
    for one, count in zip(parts, counts, strict=True):
        foot.text((one.low + one.high) / 2, count, f"{count}", ha="center", va="bottom", fontsize=6.5, color=INK)
    axis.set_zorder(foot.get_zorder() + 1)
    axis.patch.set_visible(False)


def say_calibration(predictions: Predictions) -> str:
    """Say of each dimension the mean truth in each bin of the prediction."""
    said = []
    for name, true, answered in each_dimension(predictions):
        parts = [
            (answered[one.inside].mean(), true[one.inside].mean(), int(one.inside.sum()))
            for one in bins(answered, N_BINS)
        ]
        said.append(f"{name}: " + ", ".join(f"{true:.2f} at {at:.2f} ({n})" for at, true, n in parts))
    return (
        "Mean truth by the mean prediction in bins of equal width, with the number of utterances in brackets. "
        f"{'; '.join(said)}."
    )


PICTURES = (Picture("calibration", plot_calibration, say_calibration, kinds=("dimensions",)),)
