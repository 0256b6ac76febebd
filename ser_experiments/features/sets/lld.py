"""The main set: functionals of low-level descriptors over active frames and over voiced frames.

Frames of 25 ms every 10 ms at 16 kHz (F0 and harmonicity from the longer windows that low voices need). Active frames
are those within 35 dB of the loud ones: silence at the edges says nothing about the voice. Gain policy: the recording
is scaled so that its active frames have a fixed level, and ``level_db__active`` alone tells how loud it was.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.columns import Column
from ser_experiments.features.measure import ROW, Measure, Output, per_clip
from ser_experiments.features.sets._table import ALL, FUNCTIONALS, GROUPS, PURE

if TYPE_CHECKING:
    from ser_experiments.features.dsp import lowlevel

_ACTIVE = "over active frames"
_VOICED = "over voiced frames"
_RUNS = (
    ("fraction", "1", "fraction of {} frames between the first and the last"),
    ("runs_per_s", "1/s", "stretches of {} frames per second between the first and the last"),
    ("run_mean", "s", "mean length of the stretches of {} frames"),
    ("run_std", "s", "standard deviation of the length of the stretches of {} frames"),
    ("gap_mean", "s", "mean length of the gaps between {} frames"),
    ("gap_std", "s", "standard deviation of the length of the gaps between {} frames"),
)
_MOVES = (
    ("rising", "1", "fraction of the steps from frame to frame that rise, {}"),
    ("rise_rate", "{unit}/s", "mean rate of the rising steps, {}"),
    ("fall_rate", "{unit}/s", "mean rate of the falling steps, {}"),
)
CLIP = (
    Column("level_db__active", "dB", "level of the active frames, dB of full scale"),
    *(Column(f"active__{name}", unit, text.format("active")) for name, unit, text in _RUNS),
    *(Column(f"voiced__{name}", unit, text.format("voiced")) for name, unit, text in _RUNS),
    *(Column(f"rms_db__{name}", unit.format(unit="dB"), text.format(_ACTIVE)) for name, unit, text in _MOVES),
    *(Column(f"f0_st__{name}", unit.format(unit="semitone"), text.format(_VOICED)) for name, unit, text in _MOVES),
    Column("syllables__per_s", "1/s", "peaks of the level (mean of 50 ms, prominence 3 dB) per active second"),
    Column("jitter__local", "1", "mean difference of neighbouring periods over the mean period"),
    Column("jitter__ddp", "1", "mean difference of neighbouring differences of periods over the mean period"),
    Column("shimmer__local_db", "dB", "mean difference of the levels of neighbouring cycles"),
    Column("shimmer__ddp_db", "dB", "mean difference of neighbouring differences of the levels of cycles"),
)


def extractor() -> Measure:
    """Build the set."""
    return Measure(
        name="lld",
        version="5",
        outputs=(Output("functionals", ROW, _columns()),),
        open=per_clip(compute),
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_columns,) out."""
    from ser_experiments.features.dsp import functionals, lowlevel

    measured = lowlevel.measure(audio)
    matrix = np.concatenate([measured.rows[group.key] for group in GROUPS])
    parts = []
    for mask, (rows, places) in zip((measured.active, measured.voiced), _selection(), strict=True):
        parts.append(functionals.summarise(matrix[rows], mask).ravel()[places])
    parts.append(np.array(_clip(measured), dtype=np.float32))
    return np.concatenate(parts)


@lru_cache(maxsize=1)
def _columns() -> tuple[Column, ...]:
    columns = [
        Column(
            f"{descriptor.name}__{prefix}{functional}",
            "1" if functional in PURE else descriptor.unit,
            f"{FUNCTIONALS[functional]} {where} of {descriptor.source}",
        )
        for prefix, where, kind in (("", _ACTIVE, "active"), ("voiced_", _VOICED, "voiced"))
        for group in GROUPS
        for descriptor in group.descriptors
        for functional in getattr(descriptor, kind)
    ]
    return (*columns, *CLIP)


@lru_cache(maxsize=1)
def _selection() -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], ...]:
    """For active and for voiced frames: which rows to summarise, and where the columns stand in the summary."""
    descriptors = [descriptor for group in GROUPS for descriptor in group.descriptors]
    selected = []
    for wanted in ([d.active for d in descriptors], [d.voiced for d in descriptors]):
        rows = [i for i, functionals in enumerate(wanted) if functionals]
        places = [ALL.index(name) * len(rows) + place for place, i in enumerate(rows) for name in wanted[i]]
        selected.append((np.array(rows), np.array(places)))
    return tuple(selected)


def _clip(measured: lowlevel.LowLevel) -> list[float]:
    from ser_experiments.features.dsp import contour
    from ser_experiments.features.dsp.lowlevel import FRAME_S

    level, f0 = measured.rows["level"][0], measured.rows["voice"][0]
    peaks = contour.peaks(contour.smooth(level, 5), 3.0)
    active_s = max(int(measured.active.sum()), 1) * FRAME_S
    return [
        measured.level_db,
        *contour.run_statistics(measured.active, FRAME_S),
        *contour.run_statistics(measured.voiced, FRAME_S),
        *contour.movement(level, measured.active, FRAME_S),
        *contour.movement(f0, measured.voiced, FRAME_S),
        int(measured.active[peaks].sum()) / active_s,
        *measured.jitter,
        *measured.shimmer,
    ]
