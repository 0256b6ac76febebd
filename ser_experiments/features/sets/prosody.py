"""Prosody and voice quality: how something is said, in some hundred numbers.

Pitch, level and their movement, rhythm, and the quality of the voice, over voiced and active frames only. No number
depends on the gain of the recording, on silence at its edges, or on its length as such: slopes run over relative
time. Where nothing is voiced, the numbers of the voice are 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.columns import Column
from ser_experiments.features.measure import ROW, Measure, Output, per_clip
from ser_experiments.features.sets._prosody import SPREAD, VOICE, columns

if TYPE_CHECKING:
    from ser_experiments.features.dsp.pitch import F0Track

SAMPLE_RATE = 16_000
HOP = 160
FRAME_S = HOP / SAMPLE_RATE
#: Window of the level, 25 ms.
WINDOW = 400
COLUMNS: tuple[Column, ...] = columns()


def extractor() -> Measure:
    """Build the set."""
    return Measure(
        name="prosody",
        version="1",
        outputs=(Output("functionals", ROW, COLUMNS),),
        open=per_clip(compute),
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (n_columns,) out."""
    numbers = measure(audio)
    return np.array([numbers[column.name] for column in COLUMNS], dtype=np.float32)


def measure(audio: NDArray[np.float32]) -> dict[str, float]:
    """Measure one recording.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        Mono at 16 kHz.

    Returns
    -------
    dict of str to float
        Every column by name.
    """
    from ser_experiments.features.dsp import intonation
    from ser_experiments.features.dsp.contour import run_statistics
    from ser_experiments.features.dsp.level import REFERENCE, to_reference
    from ser_experiments.features.dsp.pitch import track_f0

    leveled = to_reference(audio, window=WINDOW, hop=HOP)
    track = track_f0(leveled.audio, SAMPLE_RATE, hop=HOP)
    voiced = intonation.without_short_runs(track.voiced & leveled.active, intonation.SHORTEST_VOICED)
    pitch = intonation.semitones(np.where(voiced, track.f0, np.float32(intonation.REFERENCE_HZ)))
    level = np.float32(10.0) * np.log10(leveled.square / np.float32(REFERENCE) + np.float32(1e-9))
    numbers = _named("p_f0", intonation.pitch_numbers(pitch, voiced, FRAME_S))
    numbers |= _named("p_level", intonation.level_numbers(level, leveled.active, voiced, FRAME_S))
    numbers |= _named("p_syllable", intonation.syllable_numbers(level, leveled.active, FRAME_S))
    names = ("fraction", "rate", "length_mean", "length_std")
    on_and_off = run_statistics(voiced, FRAME_S)
    numbers |= _named("p_voiced", dict(zip(names, on_and_off[:4], strict=True)))
    numbers |= _named("p_unvoiced", dict(zip(names[2:], on_and_off[4:], strict=True)))
    pauses = intonation.pause_numbers(leveled.active, FRAME_S)
    numbers |= _named("p_pause", dict(zip(names[:2], pauses, strict=True)))
    return numbers | _voice(leveled.audio, track, np.flatnonzero(voiced), pitch, level)


def _named(descriptor: str, numbers: dict[str, float]) -> dict[str, float]:
    return {f"{descriptor}__{name}": value for name, value in numbers.items()}


def _voice(
    audio: NDArray[np.float32],
    track: F0Track,
    where: NDArray[np.intp],
    pitch: NDArray[np.float32],
    level: NDArray[np.float32],
) -> dict[str, float]:
    """Describe the quality of the voice over the voiced frames `where`."""
    from ser_experiments.features.dsp import voice
    from ser_experiments.features.dsp.functionals import NAMES, summarise

    rows, formants = voice.quality_rows(audio, where, track.f0[where], SAMPLE_RATE, hop=HOP)
    rows = np.concatenate([rows, voice.hnr_db(track.periodicity[where])[None, :]])
    table = summarise(rows, np.ones(len(where), dtype=np.bool_))
    names = [name for name, _ in VOICE]
    numbers = {
        f"{name}__{functional}": float(table[NAMES.index(functional), i])
        for i, name in enumerate(names)
        for functional in SPREAD
    }
    numbers |= _couplings(dict(zip(names, rows, strict=True)), pitch[where], level[where])
    numbers |= _formants(formants)
    cycles = voice.cycles(audio, track, SAMPLE_RATE, hop=HOP)
    for descriptor, pair in (("vq_jitter", voice.jitter(cycles)), ("vq_shimmer", voice.shimmer(cycles))):
        numbers |= _named(descriptor, dict(zip(("local", "ddp"), pair, strict=True)))
    numbers["vq_cycle_match__mean"] = float(cycles.match.mean()) if cycles.match.size else 0.0
    return numbers


def _couplings(
    rows: dict[str, NDArray[np.float32]], pitch: NDArray[np.float32], level: NDArray[np.float32]
) -> dict[str, float]:
    """Tell how voice and pitch follow the level: what a louder voice changes is free of the microphone's colour."""
    from ser_experiments.features.dsp.intonation import slope_and_correlation

    numbers = {}
    numbers["p_f0__slope_on_level"], numbers["p_f0__correlation_level"] = slope_and_correlation(pitch, level)
    on_level = {name: slope_and_correlation(rows[name], level) for name in ("vq_alpha", "vq_hammarberg", "vq_hnr")}
    numbers |= {f"{name}__slope_on_level": slope for name, (slope, _) in on_level.items()}
    numbers["vq_alpha__correlation_level"] = on_level["vq_alpha"][1]
    on_pitch = {name: slope_and_correlation(rows[name], pitch) for name in ("vq_h1_h2", "vq_h1_a3")}
    numbers |= {f"{name}__slope_on_f0": slope for name, (slope, _) in on_pitch.items()}
    numbers["vq_h1_a3__correlation_f0"] = on_pitch["vq_h1_a3"][1]
    return numbers


def _formants(formants: NDArray[np.float32]) -> dict[str, float]:
    """Describe where the first two formants (Hz, NaN for none) lie and how far they move."""
    parts = []
    for row, reference in ((formants[0], 500.0), (formants[1], 1500.0)):
        found = row[np.isfinite(row)]
        parts.append(12.0 * np.log2(found / reference) if found.size else np.zeros(1))
    first, second = parts
    low, high = np.percentile(second, (20.0, 80.0))
    return {
        "vq_f1__p50": float(np.median(first)),
        "vq_f1__std": float(first.std()),
        "vq_f2__std": float(second.std()),
        "vq_f2__range_80_20": float(high - low),
    }
