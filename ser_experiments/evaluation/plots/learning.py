"""How a network learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ser_experiments.evaluation.plots._style import INK, colours, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Known beforehand, so there is nothing to see.
_NOT_DRAWN = {"epoch", "lr", "refit_lr"}


def plot_learning(history: Sequence[Mapping[str, float]], title: str, best_epoch: int | None = None) -> Figure:
    """Draw losses and scores by epoch: losses on the left, everything else on the right.

    Parameters
    ----------
    history : sequence of mapping
        One mapping an epoch, of numbers by name; ``epoch`` counts from 1, names that contain ``loss`` are losses.
    title : str
        Which network.
    best_epoch : int, optional
        The epoch whose weights were kept, counted from 1.
    """
    names = list(dict.fromkeys(key for epoch in history for key in epoch if key not in _NOT_DRAWN))
    losses = [name for name in names if "loss" in name]
    panels = [part for part in (losses, [name for name in names if name not in losses]) if part]
    figure, axes = new_figure(4.8 * len(panels), 3.6, columns=len(panels))
    for axis, part in zip(axes, panels, strict=True):
        for name, colour in colours(part).items():
            values = [(epoch["epoch"], epoch[name]) for epoch in history if name in epoch]
            axis.plot(*zip(*values, strict=True), color=colour, label=name.replace("_", " "))
        if best_epoch:
            axis.axvline(best_epoch, color=INK, linewidth=0.8, linestyle="--", label=f"kept: epoch {best_epoch}")
        axis.set_xlabel("epoch")
        axis.legend(frameon=False, fontsize=8)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure
