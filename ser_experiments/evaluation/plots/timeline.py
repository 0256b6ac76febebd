"""Emotion over time under the waveform and the spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import ACCENT, INK, PALE, colours, new_figure
from ser_experiments.tasks.classes import Classes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Frequencies written at the side.
_TICKS_HZ = (0, 500, 1000, 2000, 4000, 8000)


def plot_timeline(
    table: pd.DataFrame,
    waveform: NDArray[np.float32],
    spectrogram: NDArray[np.float32],
    title: str,
    *,
    top_hz: float = 8000.0,
) -> Figure:
    """Draw a recording and what was heard in it.

    Parameters
    ----------
    table : DataFrame
        ``start_s``, ``end_s``, ``label`` and ``p_<class>``, one row a step, NaN where nobody speaks.
    waveform : ndarray of shape (n_columns, 2)
        Lowest and highest samples of equal parts.
    spectrogram : ndarray of shape (n_columns, n_mels)
        In dB.
    title : str
        Which recording and which model.
    top_hz : float
        Upper edge of the highest band.
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
    _probabilities(bottom, table)
    for axis in (top, middle):
        axis.tick_params(labelbottom=False)
    for axis in (top, middle, bottom):
        axis.set_xlim(0, end)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure


def _probabilities(axis: Axes, table: pd.DataFrame) -> None:
    """Stack the probabilities over time; steps in which nobody speaks stay pale."""
    task = Classes(Classes.named(table.columns))
    names = task.targets
    edges = np.append(table["start_s"].to_numpy(), table["end_s"].iloc[-1])
    probabilities = task.values(table)
    silent = np.isnan(probabilities[:, 0])
    axis.stairs(silent.astype(float), edges, fill=True, color=PALE, label="no speech")
    tops = np.cumsum(np.nan_to_num(probabilities), axis=1)
    colour = colours(names)
    for i, name in enumerate(names):
        low = tops[:, i - 1] if i else np.zeros(len(tops))
        axis.stairs(tops[:, i], edges, baseline=low, fill=True, color=colour[name], label=name)
    axis.set_ylim(0, 1)
    axis.set_xlabel("s")
    axis.set_ylabel("probability")
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
