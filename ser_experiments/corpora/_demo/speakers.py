"""The ten voices, and the sliders that give a voice the F0 wanted.

The speakers' neutral levels differ by more than an emotion moves them, as people's do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Speaker:
    """One of the ten speakers, in its neutral state.

    Parameters
    ----------
    name : str
        Session and gender, e.g. ``"1F"``.
    voice : str
        Language and variant of eSpeak NG.
    low, high : int
        The line ``pitch low high`` of the variant's file, in Hz.
    f0_hz : float
        Median F0 wanted.
    f0_sd_st : float
        Standard deviation of F0 wanted, in semitones.
    words_per_minute : float
        Speed.
    tract : float
        Factor on all formants; above 1 is a shorter vocal tract.
    tilt_db : float
        Level at 4 kHz and above relative to the voice as synthesized.
    loud_db : float
        Level relative to the other speakers.
    jitter_pct, shimmer_db, breath_db : float
        Cycle-to-cycle perturbation of period and amplitude; aspiration noise relative to the voice.
    """

    name: str
    voice: str
    low: int
    high: int
    f0_hz: float
    f0_sd_st: float
    words_per_minute: float
    tract: float
    tilt_db: float
    loud_db: float
    jitter_pct: float
    shimmer_db: float
    breath_db: float

    @property
    def session(self) -> int:
        """The session that the speaker takes part in."""
        return int(self.name[0])

    @property
    def gender(self) -> str:
        """``"F"`` or ``"M"``."""
        return self.name[1]


# name, voice, low, high, F0, its sd, words/min, tract, tilt, loudness, jitter, shimmer, breath
SPEAKERS: tuple[Speaker, ...] = (
    Speaker("1F", "en-us+f1", 140, 200, 196.0, 1.6, 172, 1.01, 0.0, 0.0, 0.28, 0.25, -30),
    Speaker("1M", "en-us+m3", 80, 122, 110.0, 1.5, 180, 1.00, -0.8, -0.7, 0.35, 0.25, -32),
    Speaker("2F", "en+f2", 142, 220, 212.0, 1.6, 186, 1.03, 1.2, 0.7, 0.21, 0.20, -34),
    Speaker("2M", "en+m7", 75, 125, 123.0, 1.7, 168, 0.98, 1.0, 1.0, 0.42, 0.30, -33),
    Speaker("3F", "en-us+Annie", 120, 280, 205.0, 2.0, 166, 0.99, -1.2, -1.0, 0.35, 0.30, -29),
    Speaker("3M", "en-us+rob", 50, 130, 105.0, 1.7, 190, 1.02, -1.0, 0.4, 0.42, 0.30, -30),
    Speaker("4F", "en-gb-scotland+f4", 142, 200, 186.0, 1.4, 190, 0.98, 0.8, -0.7, 0.42, 0.30, -32),
    Speaker("4M", "en-029+m4", 70, 110, 116.0, 1.5, 176, 1.03, 0.5, 0.0, 0.28, 0.20, -30),
    Speaker("5F", "en-us+f3", 140, 240, 221.0, 1.7, 178, 1.03, -0.6, 0.4, 0.28, 0.25, -30),
    Speaker("5M", "en+Michael", 75, 125, 129.0, 1.5, 166, 0.98, -1.2, 0.7, 0.21, 0.20, -31),
)

# How eSpeak NG 1.52 makes F0: its base is (low - 9) Hz times 2 to the power of (slider - 50) / 50; an excursion of
# (high - low) Hz times range / 50 is added and pivots so that a range of 0 speaks at 0.475 of (high - low). The
# median and the deviation of the excursion over plain statements were measured on all ten voices.
_PIVOT = 0.4746
_MEDIAN_EXCURSION = 0.365
_SD_EXCURSION = 0.215


def sliders(speaker: Speaker, f0_hz: float, sd_st: float) -> tuple[int, int]:
    """Return the pitch and range sliders that make a voice speak at an F0.

    Parameters
    ----------
    speaker : Speaker
        Who speaks.
    f0_hz : float
        Median F0 wanted, before formants are scaled.
    sd_st : float
        Standard deviation wanted, in semitones.

    Returns
    -------
    pitch, range : int
        0-99 each; the nearest possible where the voice does not reach.
    """
    width = speaker.high - speaker.low
    sd_hz = f0_hz * (2 ** (sd_st / 12) - 1)
    range_ = round(min(99.0, max(0.0, 50 * sd_hz / (_SD_EXCURSION * width))))
    return pitch_slider(speaker, f0_hz, range_), range_


def pitch_slider(speaker: Speaker, f0_hz: float, range_: int) -> int:
    """Return the pitch slider for a median F0 at a given range slider."""
    width = speaker.high - speaker.low
    base = f0_hz - width * (_PIVOT + _MEDIAN_EXCURSION * range_ / 50)
    ratio = max(base, 1.0) / (speaker.low - 9)
    return round(min(99.0, max(0.0, 50 + 50 * math.log2(ratio))))
