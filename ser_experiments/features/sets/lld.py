"""The main set: functionals of low-level descriptors over active frames.

Gain policy: the recording is scaled so that its active frames have a fixed level; ``level_db__active`` alone tells
how loud it was.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.extractor import Column, Extractor
from ser_experiments.features.sets._table import FULL, GROUPS

_RHYTHM = "between the first and last active frame (within 35 dB of the loud frames)"
CLIP = (
    Column("level_db__active", "dB", "level of the active frames, dB of full scale, before scaling"),
    Column("active__fraction", "1", f"fraction of active frames {_RHYTHM}"),
    Column("active__rate", "1/s", f"stretches of active frames per second {_RHYTHM}"),
    Column("active__length_mean", "s", "mean length of the active stretches"),
    Column("active__length_std", "s", "standard deviation of the length of the active stretches"),
    Column("pause__length_mean", "s", "mean length of the pauses between them"),
    Column("pause__length_std", "s", "standard deviation of the length of the pauses between them"),
    Column("rms_db__rising", "1", "fraction of the steps between active frames at which the level rises"),
    Column("rms_db__rise_rate", "dB/s", "mean rate of the rising steps"),
    Column("rms_db__fall_rate", "dB/s", "mean rate of the falling steps"),
    Column("syllable__rate", "1/s", "peaks of the level (50 ms mean, prominence 3 dB) per active second"),
)


def extractor() -> Extractor:
    """Build the set."""
    columns = [
        Column(f"{name}__{functional}", unit, source)
        for group in GROUPS
        for name, unit, source in _described(group.names, group.unit, group.sources)
        for functional in group.active
    ]
    return Extractor(
        name="lld",
        version="1",
        layout="row",
        columns=(*columns, *CLIP),
        compute=compute,
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_columns,) out."""
    from ser_experiments.features.dsp import lowlevel
    from ser_experiments.features.dsp.functionals import summarise

    measured = lowlevel.measure(audio)
    parts = []
    for group in GROUPS:
        table = summarise(measured.rows[group.key], measured.active)
        parts.append(table[[FULL.index(name) for name in group.active]].T.ravel())
    parts.append(np.array(_clip(measured), dtype=np.float32))
    return np.concatenate(parts)


def _clip(measured: object) -> list[float]:
    from ser_experiments.features.dsp import contour, lowlevel

    assert isinstance(measured, lowlevel.LowLevel)
    level = measured.rows["level"][0]
    peaks = contour.peaks(contour.smooth(level, 5), 3.0)
    active_s = max(float(measured.active.sum()), 1.0) * lowlevel.FRAME_S
    return [
        measured.level_db,
        *contour.run_statistics(measured.active, lowlevel.FRAME_S),
        *contour.movement(level, measured.active, lowlevel.FRAME_S),
        float(measured.active[peaks].sum()) / active_s,
    ]


def _described(names: tuple[str, ...], unit: str, sources: tuple[str, ...]) -> list[tuple[str, str, str]]:
    units = unit.split(", ") if ", " in unit else [unit] * len(names)
    return list(zip(names, units, sources, strict=True))
