"""Emotion over time under the waveform and the spectrogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, colours, limits, new_figure
from ser_experiments.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Frequencies written at the side.
_TICKS_HZ = (0, 500, 1000, 2000, 4000, 8000)
_SILENT = "no speech"


def plot_timeline(
    task: Task,
    table: pd.DataFrame,
    waveform: NDArray[np.float32],
    spectrogram: NDArray[np.float32],
    title: str,
    *,
    top_hz: float = 8000.0,
    scale: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Draw a recording and what was heard in it.

    Parameters
    ----------
    task : Task
        What was predicted: shares are stacked, numbers on scales are curves.
    table : DataFrame
        ``start_s``, ``end_s`` and the task's columns, one row a step, NaN where nobody speaks.
    waveform : ndarray of shape (n_columns, 2)
        Lowest and highest samples of equal parts.
    spectrogram : ndarray of shape (n_columns, n_mels)
        In dB.
    title : str
        Which recording and which model.
    top_hz : float
        Upper edge of the highest band.
    scale : mapping of str to (float, float), optional
        By target the lowest and the highest number that curves have room for; by default those of the table.
    """
    from librosa import hz_to_mel

    figure, (top, middle, bottom) = new_figure(11, 6.2, rows=3, heights=(1, 2, 2))
    end = float(table["end_s"].iloc[-1])
    times = np.linspace(0, end, len(waveform))
    top.fill_between(times, waveform[:, 0], waveform[:, 1], color=ACCENT, linewidth=0.3)
    top.set_ylabel("sample")
    middle.imshow(
        spectrogram.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest",
        extent=(0.0, end, 0.0, float(hz_to_mel(top_hz))),
    )  # fmt: skip
    middle.set_yticks([float(hz_to_mel(hz)) for hz in _TICKS_HZ], [str(hz) for hz in _TICKS_HZ], fontsize=7)
    middle.set_ylabel("Hz")
    edges, values = np.append(table["start_s"].to_numpy(), end), task.values(table)
    if task.are_shares:
        _stack(bottom, task, edges, values)
    else:
        _curves(bottom, task, edges, values, limits(values, *((scale or {}).get(name, ()) for name in task.targets)))
    bottom.set_xlabel("s")
    bottom.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    for axis in (top, middle):
        axis.tick_params(labelbottom=False)
    for axis in (top, middle, bottom):
        axis.set_xlim(0, end)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure


def _stack(axis: Axes, task: Task, edges: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    """Stack shares over time; steps in which nobody speaks stay pale."""
    silent = np.isnan(shares[:, 0])
    axis.stairs(silent.astype(float), edges, fill=True, color=PALE, label=_SILENT)
    tops = np.cumsum(np.nan_to_num(shares), axis=1)
    colour = colours(task.targets)
    for i, name in enumerate(task.targets):
        low = tops[:, i - 1] if i else np.zeros(len(tops))
        axis.stairs(tops[:, i], edges, baseline=low, fill=True, color=colour[name], label=name)
    axis.set_ylim(0, 1)
    axis.set_ylabel("probability")


def _curves(
    axis: Axes, task: Task, edges: NDArray[np.float64], values: NDArray[np.float64], within: tuple[float, float]
) -> None:
    """Draw a line for each target, which has gaps where nobody speaks; these are pale."""
    low, high = within
    silent = np.isnan(values).any(axis=1)
    axis.stairs(np.where(silent, high, low), edges, baseline=low, fill=True, color=PALE, label=_SILENT)
    colour = colours(task.targets)
    for name, one in zip(task.targets, values.T, strict=True):
        axis.stairs(one, edges, baseline=None, color=colour[name], linewidth=1.8, label=name)
    axis.set_ylim(low, high)
    axis.set_ylabel("value")
