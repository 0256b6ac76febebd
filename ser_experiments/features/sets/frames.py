"""The frame-level descriptors themselves, for recurrent networks: shape (n_frames, n_columns), 10 ms a frame.

The recording is scaled to a fixed level first. F0 is drawn through unvoiced frames as a straight line, so that it has
no jumps to zero; the columns `voiced` and `voicing` tell where it means something.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ser_experiments.errors import InputError
from ser_experiments.features.columns import Column
from ser_experiments.features.measure import OVER_TIME, Measure, Output, per_clip
from ser_experiments.features.sets._table import DELTA, MFCC, SHAPE, VOICE

_GROUPS = (MFCC, DELTA, *SHAPE, VOICE)


def extractor(*, hop_ms: int = 10) -> Measure:
    """Build the set.

    Parameters
    ----------
    hop_ms : int
        Step between frames, a multiple of 10. The descriptors are averaged over the steps of 10 ms within it.

    Raises
    ------
    InputError
        `hop_ms` is no multiple of 10 from 10 to 200.
    """
    if hop_ms not in range(10, 201, 10):
        raise InputError(f"feature set 'frames': hop_ms must be a multiple of 10 from 10 to 200, got {hop_ms}")
    columns = [
        *(Column(f"frame_{d.name}", d.unit, d.source) for group in _GROUPS for d in group.descriptors),
        Column("frame_voiced", "1", "whether the frame is active and voiced (dsp.pitch.track_f0)"),
        Column("frame_active", "1", "whether the frame is within 35 dB of the 95th percentile of the level"),
    ]
    return Measure(
        name="frames",
        version="4",
        outputs=(Output("frames", OVER_TIME, tuple(columns)),),
        open=per_clip(partial(compute, step=hop_ms // 10)),
        params={"hop_ms": hop_ms},
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32], *, step: int) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_frames, n_columns) out."""
    from ser_experiments.features.dsp import lowlevel

    measured = lowlevel.measure(audio)
    f0, hnr, voicing = measured.rows["voice"]
    voice = [_bridged(f0, measured.voiced), _bridged(hnr, measured.voiced), voicing]
    others = [measured.rows[group.key] for group in _GROUPS if group is not VOICE]
    matrix = np.concatenate([*others, np.stack([*voice, measured.voiced, measured.active])], dtype=np.float32)
    return np.ascontiguousarray(_averaged(matrix, step).T)


def _bridged(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Join the known values by straight lines; constant outside them, 0 where there are none."""
    where = np.flatnonzero(known)
    if where.size == 0:
        return np.zeros_like(values)
    return np.interp(np.arange(len(values)), where, values[where]).astype(np.float32)


def _averaged(matrix: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Average each `step` neighbouring frames; the last average may be over fewer."""
    if step == 1:
        return matrix
    starts = np.arange(0, matrix.shape[1], step)
    counts = np.diff(np.append(starts, matrix.shape[1])).astype(np.float32)
    return (np.add.reduceat(matrix, starts, axis=1) / counts).astype(np.float32)
