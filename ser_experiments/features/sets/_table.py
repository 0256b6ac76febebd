"""The descriptors of the main sets: names, units, formulas, and which functionals are taken of them.

This module computes nothing, so that the columns of a set can be listed without loading a numerical library.
"""

from __future__ import annotations

from typing import NamedTuple

FULL = ("mean", "std", "skew", "kurtosis", "slope", "p05", "p20", "p50", "p80", "p95", "range", "iqr")
SHAPE = ("mean", "std", "slope", "p05", "p50", "p95", "range")
BRIEF = ("mean", "std")


class Group(NamedTuple):
    """Descriptors that are measured together and summarised alike."""

    key: str
    names: tuple[str, ...]
    unit: str
    sources: tuple[str, ...]
    active: tuple[str, ...]


def _numbered(stem: str, count: int, start: int = 0) -> tuple[str, ...]:
    return tuple(f"{stem}_{i:02d}" for i in range(start, start + count))


def _same(source: str, count: int) -> tuple[str, ...]:
    return (source,) * count


GROUPS = (
    Group(
        "mfcc",
        _numbered("mfcc", 21),
        "dB",
        _same("librosa.feature.mfcc of 40 mel bands, coefficients 0-20", 21),
        SHAPE,
    ),
    Group(
        "delta",
        _numbered("mfcc_delta", 21),
        "dB/frame",
        _same("librosa.feature.delta of the coefficient, width 9", 21),
        ("std", "p05", "p95"),
    ),
    Group(
        "mel",
        _numbered("mel", 40),
        "dB",
        _same("librosa.power_to_db of librosa.feature.melspectrogram, 40 bands", 40),
        BRIEF,
    ),
    Group(
        "moments",
        ("spectral_centroid", "spectral_bandwidth", "spectral_skewness", "spectral_kurtosis"),
        "Hz, Hz, 1, 1",
        (
            "librosa.feature.spectral_centroid",
            "librosa.feature.spectral_bandwidth",
            "third standardised moment of the magnitude over frequency (Peeters, 2004)",
            "fourth standardised moment of the magnitude over frequency minus 3 (Peeters, 2004)",
        ),
        FULL,
    ),
    Group(
        "rolloff",
        ("rolloff_25", "rolloff_50", "rolloff_85", "rolloff_95"),
        "Hz",
        tuple(f"librosa.feature.spectral_rolloff, roll_percent {p}" for p in (0.25, 0.5, 0.85, 0.95)),
        SHAPE,
    ),
    Group(
        "shape",
        ("spectral_flatness", "spectral_entropy", "spectral_flux", "alpha_ratio", "hammarberg"),
        "1, 1, dB, dB, dB",
        (
            "librosa.feature.spectral_flatness",
            "entropy of the power over frequency, of 1 for a flat spectrum (Misra et al., 2004)",
            "librosa.onset.onset_strength of the mel bands, center=False",
            "10 log10 of the power at 50-1000 Hz over that at 1000-5000 Hz (Eyben et al., 2016)",
            "10 log10 of the highest power at 0-2000 Hz over that at 2000-5000 Hz (Hammarberg et al., 1980)",
        ),
        FULL,
    ),
    Group(
        "slopes",
        ("slope_0_500", "slope_500_1500", "tilt"),
        "dB/kHz",
        (
            "least-squares slope of the level from 0 to 500 Hz (Eyben et al., 2016)",
            "least-squares slope of the level from 500 to 1500 Hz (Eyben et al., 2016)",
            "least-squares slope of the level from 0 to 8000 Hz",
        ),
        FULL,
    ),
    Group(
        "contrast",
        _numbered("contrast", 6),
        "dB",
        _same("librosa.feature.spectral_contrast, n_bands 5", 6),
        SHAPE,
    ),
    Group(
        "level",
        ("rms_db", "loudness", "zcr"),
        "dB, 1, 1",
        (
            "20 log10 of librosa.feature.rms after scaling to a fixed level",
            "sum over mel bands of the power to 0.3 (after Zwicker; Eyben et al., 2016)",
            "librosa.feature.zero_crossing_rate",
        ),
        FULL,
    ),
)
