"""Scale recordings to one level and tell speech from silence.

The gain policy of the sets: whatever is measured after :func:`to_reference` does not depend on how loud the
recording was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp.energy import mean_square
from ser_experiments.features.dsp.functionals import sorted_percentiles

#: Frames this far below the 95th percentile of the level are pauses and edge silence.
ACTIVE_DB = 35.0
#: Mean square to which the active frames are scaled: -20 dB of full scale.
REFERENCE = 0.01
#: Below this mean square there is nothing to scale; half a step of 24 bits is 9e-16, a faint hiss 1e-10.
NOTHING = 1e-12
_LOUD = np.array([95.0])


class Leveled(NamedTuple):
    """A recording at the reference level.

    Attributes
    ----------
    audio : ndarray of shape (n_samples,), float32
        Without its mean, scaled so that the mean square over the active frames is :data:`REFERENCE`.
    square : ndarray of shape (n_frames,), float32
        Mean square of each frame of the scaled audio.
    active : ndarray of shape (n_frames,), bool
        Frames within :data:`ACTIVE_DB` of the 95th percentile of the level.
    level_db : float
        Level of the active frames before scaling, in dB of full scale.
    """

    audio: NDArray[np.float32]
    square: NDArray[np.float32]
    active: NDArray[np.bool_]
    level_db: float


def to_reference(audio: NDArray[np.float32], *, window: int, hop: int) -> Leveled:
    """Remove the offset of a recording and scale it so that its active frames have the reference level.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    window, hop : int
        Of the frames, in samples.

    Returns
    -------
    Leveled
    """
    # Samples far beyond full scale would overflow when squared.
    peak = max(float(audio.max()), -float(audio.min()))
    unit = peak if peak > 1e6 else 1.0
    if unit != 1.0:
        audio = audio / np.float32(unit)
    # An offset, common in recordings of sound cards, would count as level and hide zero crossings.
    audio = audio - audio.mean(dtype=np.float64).astype(np.float32)
    square = mean_square(audio, length=window, hop=hop)
    active = active_frames(square)
    level = float(square[active].mean(dtype=np.float64))
    gain = REFERENCE / level if level > NOTHING else 1.0
    level_db = 10.0 * np.log10(max(level, NOTHING)) + 20.0 * np.log10(unit)
    return Leveled(audio * np.float32(np.sqrt(gain)), square * np.float32(gain), active, float(level_db))


def active_frames(square: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the frames within :data:`ACTIVE_DB` of the 95th percentile of the level, all of them in silence."""
    ordered = np.sort(square)[None]
    loud = float(sorted_percentiles(ordered, _LOUD)[0, 0]) or float(ordered[0, -1])
    return np.asarray(square >= np.float32(loud * 10.0 ** (-ACTIVE_DB / 10.0)))
