"""Recordings under a condition, measured: what a model would be given of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ser_experiments.audio import read_audio, resample
from ser_experiments.audio.conditions import Condition, changed, conditions
from ser_experiments.errors import AudioError
from ser_experiments.features.dsp.pitch import track_f0
from ser_experiments.features.extractor import get_extractor
from ser_experiments.features.table import table_of, table_row
from ser_experiments.parallel import as_completed, single_threaded

#: Voices that babble is made of, at most so many of one speaker.
_N_VOICES, _OF_ONE = 24, 2
_CHUNK = 24
_F0_RATE, _F0_HOP = 16_000, 160


class Clip(NamedTuple):
    """Where an utterance is, and whose it is."""

    key: str
    path: str
    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True)
class Under:
    """Recordings under a condition.

    Parameters
    ----------
    table : DataFrame
        Their features, in the order of the utterances.
    failed : dict of str to str
        Utterances that nothing is measured of, and why.
    """

    table: pd.DataFrame
    failed: Mapping[str, str]


def clips_of(utterances: pd.DataFrame) -> list[Clip]:
    """Return where utterances are."""
    columns = utterances.reindex(columns=["path", "start_s", "end_s", "speaker"])
    return [Clip(str(key), str(p), float(a), float(b), str(s)) for key, p, a, b, s in columns.itertuples()]


def measured_under(
    condition: Condition, clips: Sequence[Clip], sets: Mapping[str, Mapping[str, object]], jobs: int
) -> Under:
    """Measure recordings under a condition; nothing of it is kept."""
    pool = _voices(clips)
    parts = [clips[start : start + _CHUNK] for start in range(0, len(clips), _CHUNK)]
    tasks = [joblib.delayed(_measured)(condition.name, part, list(sets.items()), pool) for part in parts]
    rows: dict[str, dict[str, Any]] = {}
    failed: dict[str, str] = {}
    for good, bad in as_completed(tasks, jobs):
        rows |= good
        failed |= bad
    order = [clip.key for clip in clips if clip.key in rows]
    index = pd.Index(order, name="utterance_id")
    return Under(table_of([rows[key] for key in order], index), failed)


def pitch_of(clips: Sequence[Clip], jobs: int) -> dict[str, float]:
    """Return the median F0 of each speaker in Hz; a speaker without voice has none."""
    parts = [clips[start : start + _CHUNK] for start in range(0, len(clips), _CHUNK)]
    tracks: dict[str, list[NDArray[np.float32]]] = {}
    for found in as_completed([joblib.delayed(_pitches)(part) for part in parts], jobs):
        for speaker, f0 in found:
            tracks.setdefault(speaker, []).append(f0)
    voiced = {speaker: np.concatenate(found) for speaker, found in sorted(tracks.items())}
    return {speaker: float(np.median(f0)) for speaker, f0 in voiced.items() if len(f0)}


def _voices(clips: Sequence[Clip]) -> list[Clip]:
    """Return recordings for babble: some of every speaker, the same on every machine."""
    taken: dict[str, int] = {}
    found = []
    for clip in sorted(clips, key=lambda one: zlib.crc32(one.key.encode())):
        if taken.setdefault(clip.speaker, 0) < _OF_ONE:
            taken[clip.speaker] += 1
            found.append(clip)
    return found[:_N_VOICES]


def _measured(
    name: str, clips: Sequence[Clip], sets: Sequence[tuple[str, Mapping[str, object]]], pool: Sequence[Clip]
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    (condition,) = conditions([name])
    extractors = [get_extractor(one, **params) for one, params in sets]
    rows, failed = {}, {}
    with single_threaded():
        for clip in clips:
            try:
                audio, rate = read_audio(clip.path, start_s=clip.start_s, end_s=clip.end_s)
                others = [_voice(one, rate) for one in pool if one.speaker != clip.speaker]
                rows[clip.key] = table_row(extractors, *changed(condition, audio, rate, clip.key, others))
            except AudioError as error:
                failed[clip.key] = str(error)
    return rows, failed


@lru_cache(maxsize=4 * _N_VOICES)
def _voice(clip: Clip, rate: int) -> NDArray[np.float32]:
    audio, own = read_audio(clip.path, start_s=clip.start_s, end_s=clip.end_s)
    return resample(audio, own, rate)


def _pitches(clips: Sequence[Clip]) -> list[tuple[str, NDArray[np.float32]]]:
    found = []
    with single_threaded():
        for clip in clips:
            audio, rate = read_audio(clip.path, start_s=clip.start_s, end_s=clip.end_s)
            track = track_f0(resample(audio, rate, _F0_RATE), _F0_RATE, hop=_F0_HOP)
            found.append((clip.speaker, track.f0[track.voiced]))
    return found
