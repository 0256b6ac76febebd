"""Predicted against true numbers: how near to the diagonal they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments.evaluation.plots._numbers import cloud, draw_diagonal, each_dimension, panels, span
from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import INK
from ser_experiments.evaluation.scoring import pooled
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_predicted_vs_true(predictions: Predictions, title: str) -> Figure:
    """Draw each dimension's predictions against the truth, both on one scale, with the diagonal.

    Parameters
    ----------
    predictions : Predictions
        Of dimensions.
    title : str
        What was scored, and how.
    """
    figure, every = panels(predictions, title)
    scores = pooled(predictions)
    for name, truth, predicted, axis in every:
        limits = span(truth, predicted)
        cloud(axis, truth, predicted)
        draw_diagonal(axis, limits, "predicted as it is")
        axis.set_box_aspect(1)
        axis.set_xlabel(f"true {name}")
        axis.set_ylabel(f"predicted {name}")
        told = (f"{word} {scores[key]:.3f}" for word, key in (("CCC", f"ccc_{name}"), ("Pearson", f"pearson_{name}"))
                if key in scores)  # fmt: skip
        axis.set_title(f"{name}: {', '.join(told) or 'does not vary'}", fontsize=9, color=INK)
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def say_predicted_vs_true(predictions: Predictions) -> str:
    """Say of each dimension how far prediction and truth agree, and from where to where both go."""
    scores = pooled(predictions)
    said = []
    for name, truth, predicted in each_dimension(predictions):
        told = [f"{word} {scores[key]:.3f}" for word, key in (("CCC", f"ccc_{name}"), ("Pearson", f"pearson_{name}"))
                if key in scores]  # fmt: skip
        ends = (
            f"truth {truth.min():.2f} to {truth.max():.2f}, predictions {predicted.min():.2f} to {predicted.max():.2f}"
        )
        said.append(f"{name}: {', '.join([*told, ends])}")
    return f"Predicted against true numbers of {len(predictions)} utterances, with the diagonal. {'; '.join(said)}."


PICTURES = (Picture("predicted_vs_true", plot_predicted_vs_true, say_predicted_vs_true, kinds=("dimensions",)),)
