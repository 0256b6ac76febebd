"""How a recording is unlike those that a model learned from, and unlike speech: an answer says it.

A model knows nothing but its classes: of a click, of noise or of a hum it is as sure as of a voice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ser_experiments.audio import resample

if TYPE_CHECKING:
    from ser_experiments.features.dsp.pitch import F0Track

#: Below this rate in Hz, or this length, there is nothing to hear a voice in.
_LOWEST_RATE, _SHORTEST_S = 4000, 0.1
#: Voice that is found in whatever somebody says, in seconds and as a share of the recording. Of 1,187 clips of two
#: corpora the least was 0.11 s and 0.08, of coloured noise the most 0.01 s.
_LEAST_VOICE_S, _LEAST_VOICE = 0.05, 0.02
#: Pitch of speech moves: by so many semitones and so many dB a sound that goes on for so long is one sound.
_STEADY_SEMITONES, _STEADY_DB, _STEADY_S = 0.3, 1.0, 0.5
#: Seconds that are searched for a voice at a time.
_PIECE_S = 20.0
_RATE, _HOP, _PERIODS = 16_000, 160, 8


def unlike_training(learned: Mapping[str, Any], audio: NDArray[np.float32], sample_rate: int) -> list[str]:
    """Say how a recording is unlike those that a model learned from; nothing where that was not kept.

    Parameters
    ----------
    learned : mapping
        The lowest ``sample_rate``, and the ranges of ``duration_s`` and ``rms_db``.
    audio : ndarray of shape (n_samples,), float32
        Full scale is 1.
    sample_rate : int
        In Hz.
    """
    said = []
    if learned and sample_rate < learned["sample_rate"]:
        said.append(f"sampled at {sample_rate} Hz, training at {learned['sample_rate']} Hz or more")
    for key, value, unit in (
        ("duration_s", len(audio) / sample_rate, "s"),
        ("rms_db", 20 * float(np.log10(np.sqrt(np.mean(np.square(audio, dtype=np.float64))) + 1e-12)), "dB"),
    ):
        low, high = learned.get(key, (-np.inf, np.inf))
        if not low <= value <= high:
            name = {"duration_s": "length", "rms_db": "level"}[key]
            said.append(f"{name} {value:.1f} {unit}, training {low:.1f} to {high:.1f} {unit}")
    return said


def unlike_speech(audio: NDArray[np.float32], sample_rate: int) -> list[str]:
    """Say where a recording holds no speech: too little of anything, no voice, or one sound that goes on.

    Whispering has no voice either. Parameters are those of :func:`unlike_training`.
    """
    # Its kernels are compiled when it is imported, which a run that hears nothing need not wait for.
    from ser_experiments.features.dsp.pitch import track_f0

    duration_s = len(audio) / sample_rate
    if sample_rate < _LOWEST_RATE:
        return [f"sampled at {sample_rate} Hz, too low for speech"]
    if duration_s < _SHORTEST_S:
        return [f"{1000 * duration_s:.1f} ms long, too short for speech"]
    voice_s = 0.0
    for piece in np.array_split(audio, int(np.ceil(duration_s / _PIECE_S))):
        heard = resample(piece, sample_rate, _RATE)
        # Of noise that is strongest where it is lowest, neighbouring samples are alike, which is taken for a voice.
        track = track_f0(np.diff(heard, prepend=heard[:1]), _RATE, hop=_HOP)
        voice_s += float(track.voiced.sum()) * _HOP / _RATE
        if voice_s >= max(_LEAST_VOICE_S, _LEAST_VOICE * duration_s):
            return ["one steady sound, no speech"] if _is_steady(track, heard) else []
    return [f"hardly any voice in it ({voice_s:.2f} of {duration_s:.1f} s)"]


def _is_steady(track: F0Track, audio: NDArray[np.float32]) -> bool:
    """Whether what is voiced neither moves in pitch nor in level."""
    if track.voiced.sum() * _HOP / _RATE < _STEADY_S:
        return False
    semitones = 12 * np.log2(track.f0[track.voiced])
    # Over several periods: within one, the level of a buzz moves.
    n_parts = len(audio) // (_PERIODS * _HOP)
    powers = np.square(audio[: n_parts * _PERIODS * _HOP].reshape(n_parts, -1), dtype=np.float64).mean(axis=1)
    levels = 10 * np.log10(powers[track.voiced[_PERIODS // 2 :: _PERIODS][:n_parts]] + 1e-12)
    return _spread(semitones) < _STEADY_SEMITONES and _spread(levels) < _STEADY_DB


def _spread(values: NDArray[np.floating]) -> float:
    """Return half of the range in which the middle two thirds lie."""
    low, high = np.quantile(values, [1 / 6, 5 / 6])
    return float(high - low) / 2
