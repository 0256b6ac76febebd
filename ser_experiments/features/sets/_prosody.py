"""The columns of the prosody set: names, units and formulas.

This module computes nothing, so that the columns can be listed without loading a numerical library.
"""

from __future__ import annotations

from ser_experiments.features.columns import Column

#: Functionals of a voice measure over the voiced frames.
SPREAD = ("mean", "std", "p20", "p50", "p80")
#: Measures of voiced frames in dB: those of ``dsp.voice.QUALITY`` in order, then the harmonics-to-noise ratio.
VOICE = (
    ("vq_h1_h2", "first harmonic over the second (Hanson, 1997)"),
    ("vq_h1_h3", "first harmonic over the third (Hanson, 1997)"),
    ("vq_h1_a1", "first harmonic over the highest one around the first formant, 200-1100 Hz (Hanson, 1997)"),
    ("vq_h1_a3", "first harmonic over the highest one around the third formant, 2300-3500 Hz (Hanson, 1997)"),
    ("vq_alpha", "power at 50-1000 Hz over that at 1000-5000 Hz (Eyben et al., 2016)"),
    ("vq_hammarberg", "highest peak at 0-2000 Hz over that at 2000-5000 Hz (Hammarberg et al., 1980)"),
    ("vq_band_0_500", "power at 50-500 Hz over that at 50-8000 Hz"),
    ("vq_band_500_1000", "power at 500-1000 Hz over that at 50-8000 Hz"),
    ("vq_hnr", "harmonics-to-noise ratio, 10 log10(r / (1 - r)), r the correlation one period later (Boersma, 1993)"),
)
_ACTIVE = "active frames (within 35 dB of the loud ones)"
_COURSE = (
    ("legendre_1", "{u}", "first Legendre coefficient (rise) over relative time (Grabe et al., 2007)"),
    ("legendre_2", "{u}", "second Legendre coefficient (bend)"),
    ("legendre_3", "{u}", "third Legendre coefficient (wave)"),
    ("end", "{u}", "mean of the last fifth of the frames minus the mean"),
    ("peak_place", "1", "relative time of the highest twentieth of the frames"),
)
_PITCH = (
    ("mean", "semitone", "mean"),
    ("std", "semitone", "standard deviation"),
    ("skew", "1", "standardised third moment"),
    ("p05", "semitone", "5th percentile"),
    ("p20", "semitone", "20th percentile"),
    ("p50", "semitone", "median"),
    ("p80", "semitone", "80th percentile"),
    ("p95", "semitone", "95th percentile"),
    ("range", "semitone", "95th minus 5th percentile"),
    ("range_80_20", "semitone", "80th minus 20th percentile"),
    ("rising", "1", "share of the steps between voiced frames that rise"),
    ("rise_rate", "semitone/s", "mean rate of the rising steps"),
    ("fall_rate", "semitone/s", "mean rate of the falling steps"),
    ("start", "semitone", "mean of the first fifth of the voiced frames minus the mean"),
    *((name, unit.format(u="semitone"), text) for name, unit, text in _COURSE),
    ("run_range", "semitone", "mean range of the voiced stretches of 50 ms and more"),
    ("run_slope", "semitone/s", "mean of their least-squares slopes"),
    ("run_slope_std", "semitone/s", "standard deviation of their slopes"),
    ("roughness", "semitone", "mean absolute second difference between frames"),
)
_LEVEL = (
    ("std", "dB", "standard deviation"),
    ("p05", "dB", "5th percentile, relative to the mean power"),
    ("p50", "dB", "median, relative to the mean power"),
    ("p95", "dB", "95th percentile, relative to the mean power"),
    ("iqr", "dB", "75th minus 25th percentile"),
    ("rise_rate", "dB/s", "mean rate of the rising steps"),
    ("fall_rate", "dB/s", "mean rate of the falling steps"),
    *((name, unit.format(u="dB"), text) for name, unit, text in _COURSE),
)
_REST = (
    ("p_level__voiced_std", "dB", "standard deviation of the level of voiced frames"),
    ("p_level__voiced_excess", "dB", "mean level of voiced minus that of unvoiced active frames"),
    ("p_voiced__fraction", "1", "share of voiced frames between the first and the last voiced one"),
    ("p_voiced__rate", "1/s", "voiced stretches per second of that time"),
    ("p_voiced__length_mean", "s", "mean length of the voiced stretches"),
    ("p_voiced__length_std", "s", "standard deviation of their length"),
    ("p_unvoiced__length_mean", "s", "mean length of the gaps between them"),
    ("p_unvoiced__length_std", "s", "standard deviation of the length of the gaps"),
    ("p_pause__fraction", "1", "share of pauses of 80 ms and more in the time from the first to the last active frame"),
    ("p_pause__rate", "1/s", "such pauses per second of that time"),
    ("p_syllable__rate", "1/s", "peaks of the level (50 ms mean, prominence 3 dB) per second of that time"),
    ("p_syllable__articulation_rate", "1/s", "the same per second of active frames"),
    ("p_syllable__interval_variation", "1", "coefficient of variation of the intervals between the peaks"),
    ("p_syllable__level_std", "dB", "standard deviation of the levels of the peaks"),
    ("p_f0__slope_on_level", "semitone/dB", "least-squares slope of F0 over level, voiced frames"),
    ("p_f0__correlation_level", "1", "correlation of F0 and level, voiced frames"),
    ("vq_alpha__slope_on_level", "1", "least-squares slope of vq_alpha over level"),
    ("vq_alpha__correlation_level", "1", "correlation of vq_alpha and level"),
    ("vq_hammarberg__slope_on_level", "1", "least-squares slope of vq_hammarberg over level"),
    ("vq_hnr__slope_on_level", "1", "least-squares slope of vq_hnr over level"),
    ("vq_h1_h2__slope_on_f0", "dB/semitone", "least-squares slope of vq_h1_h2 over F0"),
    ("vq_h1_a3__slope_on_f0", "dB/semitone", "least-squares slope of vq_h1_a3 over F0"),
    ("vq_h1_a3__correlation_f0", "1", "correlation of vq_h1_a3 and F0"),
    ("vq_f1__p50", "semitone", "median of the first formant, 12 log2(F / 500 Hz) (linear prediction: Makhoul, 1975)"),
    ("vq_f1__std", "semitone", "standard deviation of the first formant"),
    ("vq_f2__std", "semitone", "standard deviation of the second formant"),
    ("vq_f2__range_80_20", "semitone", "80th minus 20th percentile of the second formant"),
    ("vq_jitter__local", "1", "mean absolute difference of neighbouring periods over the mean period"),
    ("vq_jitter__ddp", "1", "the same of the differences of the differences"),
    ("vq_shimmer__local", "dB", "mean absolute difference of the levels of neighbouring cycles"),
    ("vq_shimmer__ddp", "dB", "the same of the differences of the differences"),
    ("vq_cycle_match__mean", "1", "mean correlation of a cycle with the next"),
)


def columns() -> tuple[Column, ...]:
    """List the columns in order."""
    voice = [
        Column(f"{name}__{functional}", "dB", f"{text}; {functional} over voiced frames")
        for name, text in VOICE
        for functional in SPREAD
    ]
    pitch = [Column(f"p_f0__{name}", unit, f"F0, 12 log2(F0 / 150 Hz): {text}") for name, unit, text in _PITCH]
    level = [Column(f"p_level__{name}", unit, f"level over {_ACTIVE}: {text}") for name, unit, text in _LEVEL]
    return (*voice, *pitch, *level, *(Column(*row) for row in _REST))
