"""Whether probabilities mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ser_experiments.evaluation.metrics import expected_calibration_error
from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_reliability(confidence: NDArray[np.float64], correct: NDArray[np.bool_], title: str) -> Figure:
    """Draw how often the predicted class is right against the probability it was given.

    Parameters
    ----------
    confidence : ndarray of shape (n_rows,)
        Probability of the most probable class.
    correct : ndarray of shape (n_rows,)
        Whether that class is the true one.
    title : str
        What was scored, and how.

    References
    ----------
    Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML: the ten bins.
    """
    figure, (axis,) = new_figure(5.4, 4.9)
    bins = np.minimum((confidence * 10).astype(int), 9)
    axis.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="says what it means")
    for b in np.unique(bins):
        inside = bins == b
        right, said = correct[inside].mean(), confidence[inside].mean()
        axis.bar(b / 10 + 0.05, right, width=0.094, color=ACCENT, alpha=0.85)
        axis.plot([said, said], sorted([right, said]), color="#d55e00", linewidth=2)
        axis.text(
            b / 10 + 0.05, 0.015, f"{inside.sum()}", ha="center", fontsize=7.5, color="white" if right > 0.06 else INK
        )
    error = expected_calibration_error(confidence, correct)
    axis.plot([], [], color="#d55e00", linewidth=2, label="gap")
    axis.bar([0], [0], color=ACCENT, label="share that is right (number of utterances below)")
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1.02)
    axis.grid(axis="y", color=PALE, linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_xlabel("probability of the predicted class")
    axis.set_ylabel("share of utterances whose class is right")
    axis.set_title(f"{title}\nexpected calibration error {error:.3f}", fontsize=10, color=INK)
    axis.legend(frameon=False, fontsize=8, loc="upper left")
    return figure
