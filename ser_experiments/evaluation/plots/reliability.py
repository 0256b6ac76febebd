"""Whether the probabilities of classes mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, new_figure
from ser_experiments.evaluation.scores.ece import N_BINS, SCORE, confidences
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_reliability(predictions: Predictions, title: str) -> Figure:
    """Draw how often the most probable class is right against the probability it was given.

    Parameters
    ----------
    predictions : Predictions
        Of classes, with probabilities.
    title : str
        What was scored, and how.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML: the ten bins.
    """
    confidence, correct, bins = confidences(predictions)
    figure, (axis,) = new_figure(5.4, 5.4)
    axis.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="says what it means")
    for b in np.unique(bins):
        inside = bins == b
        right, said = correct[inside].mean(), confidence[inside].mean()
        middle = (b + 0.5) / N_BINS
        axis.bar(middle, right, width=0.94 / N_BINS, color=ACCENT, alpha=0.85)
        axis.plot([said, said], sorted([right, said]), color="#d55e00", linewidth=2)
        axis.text(middle, 0.015, f"{inside.sum()}", ha="center", fontsize=7.5, color="white" if right > 0.06 else INK)
    error = SCORE.on(predictions).whole()
    axis.plot([], [], color="#d55e00", linewidth=2, label="gap")
    axis.bar([0], [0], color=ACCENT, label="share that is right (number of utterances below)")
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1.02)
    axis.grid(axis="y", color=PALE, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_xlabel("probability of the predicted class")
    axis.set_ylabel("share of utterances whose class is right")
    axis.set_title(f"{title}\nexpected calibration error {error:.3f}", fontsize=10, color=INK)
    # Below the bars, which would else hide its words.
    figure.legend(frameon=False, fontsize=8, loc="outside lower center")
    return figure


def say_reliability(predictions: Predictions) -> str:
    """Say of each bin what was said and how often it was right."""
    confidence, correct, bins = confidences(predictions)
    parts = [(confidence[bins == b].mean(), correct[bins == b].mean(), int((bins == b).sum())) for b in np.unique(bins)]
    told = "; ".join(f"{right:.0%} of {n} at {said:.2f}" for said, right, n in parts)
    return (
        "Share of utterances whose class is right, by the mean probability of the predicted class in ten bins: "
        f"{told}; expected calibration error {SCORE.on(predictions).whole():.3f}."
    )


PICTURES = (Picture("reliability", plot_reliability, say_reliability, kinds=("classes",), needs_values=True),)
