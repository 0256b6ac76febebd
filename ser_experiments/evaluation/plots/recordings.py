"""What recordings are like, beside those that a model learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, limits, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Pictures beside each other.
_COLUMNS = 3
_BINS = 24


def plot_recordings(
    measures: Sequence[tuple[str, NDArray[np.float64], Sequence[float] | None]],
    answers: Mapping[str, tuple[float, float | None]],
    title: str,
) -> Figure:
    """Draw how often each number of a measure is met, over what lies within the training.

    Parameters
    ----------
    measures : sequence of (str, ndarray of shape (n_recordings,), sequence of float or None)
        Its name with its unit, the numbers, and 1, 5, 50, 95 and 99 % of the training where that is known.
    answers : mapping of str to (float, float or None)
        The share of each class among the answers, and among those to the training.
    title : str
        Which recordings, and which model.
    """
    n = len(measures) + bool(answers)
    rows = -(-n // _COLUMNS)
    figure, axes = new_figure(10, 0.6 + 2.1 * rows, columns=_COLUMNS, rows=rows)
    for axis, (name, values, training) in zip(axes, measures, strict=False):
        _measure(axis, name, values, training)
    if answers:
        _answers(axes[len(measures)], answers)
    for axis in axes[n:]:
        axis.set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure


def _measure(axis: Axes, name: str, values: NDArray[np.float64], training: Sequence[float] | None) -> None:
    low, high = limits(values, () if training is None else training)
    if training is not None:
        first, second, middle, fourth, last = training
        # A range without width is to be seen, too.
        least = 0.006 * (high - low)
        axis.axvspan(first - least, last + least, color=PALE, alpha=0.6, label="training, 1 to 99 %")
        axis.axvspan(second - least, fourth + least, color=PALE, label="training, 5 to 95 %")
        axis.axvline(middle, color=INK, linewidth=1.2, linestyle="--", label="training, median")
    axis.hist(values, bins=list(np.linspace(low, high, _BINS + 1)), color=ACCENT, alpha=0.85, label="yours")
    axis.set_xlim(low, high)
    axis.locator_params(axis="x", nbins=5)
    axis.set_xlabel(name, fontsize=9)
    axis.tick_params(labelsize=8)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)


def _answers(axis: Axes, answers: Mapping[str, tuple[float, float | None]]) -> None:
    places = np.arange(len(answers))
    yours, training = zip(*answers.values(), strict=True)
    known = None not in training
    axis.barh(places - 0.19 * known, yours, height=0.36, color=ACCENT)
    if known:
        axis.barh(places + 0.19, training, height=0.36, color=PALE)
    for place, share in zip(places, yours, strict=True):
        axis.text(share + 0.01, place - 0.19 * known, f"{100 * share:.0f} %", va="center", fontsize=7, color=INK)
    axis.set_yticks(places, list(answers), fontsize=8)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.12)
    axis.set_xticks([])
    axis.spines["bottom"].set_visible(False)
    axis.set_xlabel("answers: yours, and to the training", fontsize=9)
