"""One score a fold or a speaker."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ser_experiments.evaluation.plots._picture import Picture
from ser_experiments.evaluation.plots._style import ACCENT, ALARM, INK, new_figure
from ser_experiments.evaluation.scoring import by, chosen_score
from ser_experiments.frames import FOLD, Predictions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Bars that are all said in words.
MOST_SAID = 12


#: Names of so many stand aslant; of more, upright.
_SLANTED = 30


def plot_groups(predictions: Predictions, title: str, *, column: str) -> Figure:
    """Draw the primary score of each fold or speaker as bars, with the pooled score and chance as lines.

    Parameters
    ----------
    predictions : Predictions
        Out of fold.
    title : str
        What was scored, and how.
    column : str
        What a bar is: ``"fold"`` or ``"speaker"``.
    """
    score, chance = chosen_score(predictions), predictions.task.chance
    pooled = score.on(predictions).whole()
    values = by(predictions, column)[score.name]
    figure, (axis,) = new_figure(min(max(5.0, 1.6 + 0.55 * len(values)), 16), 3.6)
    places = np.arange(len(values))
    axis.bar(places, values.to_numpy(), color=ACCENT, width=0.7)
    # Beyond this, numbers run into one another.
    for place, value in zip(places, values, strict=True) if len(values) <= 30 else ():
        if np.isfinite(value):
            at, side = (value + 0.01, "bottom") if value >= 0 else (value - 0.01, "top")
            # On a ground of its own, so that no line strikes it out.
            ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
            axis.text(float(place), at, f"{value:.2f}", ha="center", va=side, fontsize=8, color=INK, bbox=ground)
    axis.axhline(pooled, color=INK, linewidth=1.2, label=f"pooled {pooled:.3f}")
    axis.axhline(chance, color=ALARM, linewidth=1, linestyle="--", label=f"chance {chance:.2f}")
    few = len(values) <= _SLANTED
    turned, side, size = (30, "right", 8) if few else (90, "center", 7)
    axis.set_xticks(places, values.index.astype(str), rotation=turned, ha=side, fontsize=size)
    axis.set_xlim(-0.6, len(values) - 0.4)
    lowest = float(np.nanmin([0.0, *values]))
    # Room for the number below a negative bar, or for the line of chance at zero.
    # A score that ends at 1 is shown whole; one without an end, as far as it goes.
    highest = max(1.05, 1.12 * float(np.nanmax([pooled, chance, *values])))
    axis.set_ylim(lowest - (0.1 if lowest < 0 else 0.03 if chance <= 0 else 0), highest)
    axis.set_ylabel(score.title)
    axis.set_xlabel(column)
    axis.set_title(title, fontsize=10, color=INK)
    # Beside the bars, of which it would hide some.
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure


def say_groups(predictions: Predictions, *, column: str) -> str:
    """Say the score of each fold or speaker, of many the lowest and the highest ones, the pooled score and chance."""
    score, chance = chosen_score(predictions), predictions.task.chance
    values = by(predictions, column)[score.name].dropna().sort_values(kind="stable")
    told = [f"{name} {value:.2f}" for name, value in values.items()]
    few = len(told) <= MOST_SAID
    shown = ", ".join(told) if few else f"{', '.join(told[:3])} (lowest) to {', '.join(told[-3:])} (highest)"
    pooled = score.on(predictions).whole()
    return (
        f"Bars of the {score.title} of each {column}, {len(told)} in all, from low to high: {shown}; pooled "
        f"{pooled:.3f}, chance {chance:.2f}."
    )


def _differ(predictions: Predictions) -> bool:
    """Tell whether folds are anything but the speakers, one each: of these one picture is enough."""
    pairs = predictions.frame[[FOLD, "speaker"]].drop_duplicates()
    return bool(pairs[FOLD].duplicated().any() or pairs["speaker"].duplicated().any())


PICTURES = (
    Picture(f"{FOLD}_{{primary}}", partial(plot_groups, column=FOLD), partial(say_groups, column=FOLD), only=_differ),
    Picture("speaker_{primary}", partial(plot_groups, column="speaker"), partial(say_groups, column="speaker")),
)
