"""One mel-spectrogram a class, as the networks see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ser_experiments.evaluation.plots._style import INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Frequencies written at the side.
_TICKS_HZ = (0, 250, 500, 1000, 2000, 4000, 8000)


def plot_spectrograms(
    examples: Mapping[str, tuple[str, NDArray[np.floating]]], title: str, *, hop_s: float, top_hz: float
) -> Figure:
    """Draw the spectrogram of one utterance of each class, all on one scale of decibels and seconds.

    Parameters
    ----------
    examples : mapping of str to (str, ndarray of shape (n_frames, n_mels))
        Utterance id and log-mel spectrogram in dB, by class.
    title : str
        Which experiment.
    hop_s : float
        Seconds between two frames.
    top_hz : float
        Frequency of the upper edge of the highest band.
    """
    from librosa import hz_to_mel

    figure, axes = new_figure(3.2 * len(examples), 3.2, columns=len(examples))
    arrays = {name: np.asarray(array, dtype=np.float32) for name, (_, array) in examples.items()}
    low, high = min(a.min() for a in arrays.values()), max(a.max() for a in arrays.values())
    longest = max(len(a) for a in arrays.values()) * hop_s
    ticks = [hz for hz in _TICKS_HZ if hz <= top_hz]
    for axis, (name, (utterance, _)) in zip(axes, examples.items(), strict=True):
        array = arrays[name]
        # Bands are equally wide in mel, so the picture's height is mel and its ticks are hertz.
        extent = (0.0, len(array) * hop_s, 0.0, float(hz_to_mel(top_hz)))
        shown = axis.imshow(
            array.T, origin="lower", aspect="auto", extent=extent, vmin=low, vmax=high, cmap="magma",
            interpolation="nearest",
        )  # fmt: skip
        axis.set_xlim(0, longest)
        axis.set_yticks([float(hz_to_mel(hz)) for hz in ticks], [str(hz) for hz in ticks], fontsize=7)
        axis.set_title(f"{name}\n{utterance}", fontsize=8, color=INK)
        axis.set_xlabel("s")
    axes[0].set_ylabel("Hz")
    figure.colorbar(shown, ax=axes, label="dB", shrink=0.9)
    figure.suptitle(title, fontsize=10, color=INK)
    return figure
