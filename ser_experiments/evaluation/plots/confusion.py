"""The confusion matrix of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ser_experiments.evaluation.mistakes import confusion
from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import INK, new_figure
from ser_experiments.frames import Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What a class is taken for, in words: the most frequent ones.
MOST_SAID = 4


def plot_confusion(predictions: Predictions, title: str) -> Figure:
    """Draw the confusion matrix: counts, coloured by the share of each true class.

    Parameters
    ----------
    predictions : Predictions
        Of classes.
    title : str
        What was scored, and how.
    """
    counts = confusion(predictions)
    numbers = counts.to_numpy(dtype=int)
    shares = numbers / numbers.sum(axis=1, keepdims=True).clip(min=1)
    size = 1.8 + 0.9 * len(counts)
    figure, (axis,) = new_figure(max(size, 5.2), size)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i in range(len(counts)):
        for j in range(len(counts)):
            share = float(shares[i, j])
            text = f"{share:.0%}\n{numbers[i, j]}"
            axis.text(j, i, text, ha="center", va="center", fontsize=9, color="white" if share > 0.55 else INK)
    axis.set_xticks(range(len(counts)), counts.columns, rotation=30, ha="right")
    axis.set_yticks(range(len(counts)), counts.index)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.spines[:].set_visible(False)
    axis.set_title(title, fontsize=10, color=INK)
    figure.colorbar(image, ax=axis, shrink=0.8, label="share of the true class")
    return figure


def say_confusion(predictions: Predictions) -> str:
    """Say of each class how many of its utterances are called what, the most frequent answers first."""
    counts = confusion(predictions)
    said = []
    for name, row in counts.iterrows():
        total = int(row.sum())
        called = row[row > 0].sort_values(ascending=False, kind="stable").head(MOST_SAID)
        if total:
            words = ", ".join(f"{n} {other} ({n / total:.0%})" for other, n in called.items())
            said.append(f"of {total} {name}, {words}")
    return f"Confusion matrix, true class to predicted class: {'; '.join(said)}."


PICTURES = (Picture("confusion_matrix", plot_confusion, say_confusion, kinds=("classes",)),)
