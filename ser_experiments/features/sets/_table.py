"""The descriptors of the main sets: names, units, formulas, and which functionals are taken of them.

This module computes nothing, so that the columns of a set can be listed without loading a numerical library.
"""

from __future__ import annotations

from typing import NamedTuple

#: Functionals and what they are; the order is that of :data:`ser_experiments.features.dsp.functionals.NAMES`.
FUNCTIONALS = {
    "mean": "mean",
    "std": "standard deviation",
    "skew": "standardised third moment (0 for a constant)",
    "kurtosis": "standardised fourth moment minus 3 (0 for a constant)",
    "slope": "least-squares slope over relative time, from the first chosen frame to the last",
    "p05": "5th percentile",
    "p20": "20th percentile",
    "p50": "median",
    "p80": "80th percentile",
    "p95": "95th percentile",
    "range": "95th minus 5th percentile",
    "iqr": "75th minus 25th percentile",
}
ALL = tuple(FUNCTIONALS)
NONE: tuple[str, ...] = ()
#: Units of the functionals that have none of the descriptor's.
PURE = ("skew", "kurtosis")


class Descriptor(NamedTuple):
    """What is measured in each frame, and which functionals are taken over active and over voiced frames."""

    name: str
    unit: str
    source: str
    active: tuple[str, ...]
    voiced: tuple[str, ...]


class Group(NamedTuple):
    """Descriptors that are measured together; `key` names their rows in the low-level measurement."""

    key: str
    descriptors: tuple[Descriptor, ...]


def _series(
    key: str, stem: str, count: int, unit: str, source: str, active: tuple[str, ...], voiced: tuple[str, ...]
) -> Group:
    return Group(key, tuple(Descriptor(f"{stem}_{i:02d}", unit, source, active, voiced) for i in range(count)))


def _full(key: str, *described: tuple[str, str, str]) -> Group:
    return Group(key, tuple(Descriptor(*each, ALL, ALL) for each in described))


MFCC = _series("mfcc", "mfcc", 21, "dB", "librosa.feature.mfcc of the 40 mel bands", NONE, ("mean", "std"))
DELTA = _series("delta", "mfcc_delta", 21, "dB/frame", "librosa.feature.delta of mfcc, width 9", ("std",), NONE)
MEL = _series(
    "mel",
    "mel",
    40,
    "dB",
    "librosa.power_to_db of librosa.feature.melspectrogram, 40 bands to 8 kHz",
    NONE,
    ("mean", "std", "slope", "p05", "p95"),
)
CHROMA = _series(
    "chroma",
    "chroma",
    12,
    "1",
    "librosa.feature.chroma_stft, tuning 0, frames of 64 ms every 20 ms",
    ("mean", "std"),
    NONE,
)
SHAPE = (
    _full(
        "moments",
        ("spectral_centroid", "Hz", "librosa.feature.spectral_centroid"),
        ("spectral_bandwidth", "Hz", "librosa.feature.spectral_bandwidth"),
        ("spectral_skewness", "1", "3rd standardised moment of the magnitude over frequency (Peeters, 2004)"),
        ("spectral_kurtosis", "1", "4th standardised moment of the magnitude over frequency - 3 (Peeters, 2004)"),
    ),
    _full(
        "rolloff",
        *(
            (f"rolloff_{round(100 * p)}", "Hz", f"librosa.feature.spectral_rolloff, roll_percent={p}")
            for p in (0.25, 0.5, 0.85, 0.95)
        ),
    ),
    _full(
        "shape",
        ("spectral_flatness", "1", "librosa.feature.spectral_flatness"),
        ("spectral_entropy", "1", "entropy of the power over frequency / log(bins) (Misra et al., 2004)"),
        ("spectral_flux", "dB", "librosa.onset.onset_strength of the mel bands, center=False"),
        ("alpha_ratio", "dB", "10 log10 of the power of 50-1000 Hz over 1000-5000 Hz (Eyben et al., 2016)"),
        ("hammarberg", "dB", "10 log10 of the peak power of 0-2 kHz over 2-5 kHz (Hammarberg et al., 1980)"),
    ),
    _full(
        "slopes",
        ("slope_0_500", "dB/kHz", "least-squares slope of the level over 0-500 Hz (Eyben et al., 2016)"),
        ("slope_500_1500", "dB/kHz", "least-squares slope of the level over 500-1500 Hz (Eyben et al., 2016)"),
        ("tilt", "dB/kHz", "least-squares slope of the level over 0-8000 Hz"),
    ),
    _full(
        "contrast",
        *((f"contrast_{i}", "dB", f"librosa.feature.spectral_contrast, n_bands=5, band {i}") for i in range(6)),
    ),
    _full(
        "level",
        ("rms_db", "dB", "20 log10 of librosa.feature.rms, the active frames scaled to -20 dB"),
        ("loudness", "1", "sum over mel bands of the power to 0.3 (after Eyben et al., 2016)"),
        ("zcr", "1", "librosa.feature.zero_crossing_rate"),
    ),
    _full(
        "harmonic",
        (
            "harmonic_percussive",
            "dB",
            "10 log10 of the energies of librosa.decompose.hpss, kernel_size=7, frames of 64 ms every 20 ms",
        ),
        ("chroma_entropy", "1", "entropy of chroma over the 12 classes / log(12)"),
    ),
)
VOICE = Group(
    "voice",
    (
        Descriptor("f0_st", "semitone", "12 log2(F0 / 55 Hz), F0 of dsp.pitch.track_f0", NONE, ALL),
        Descriptor("hnr", "dB", "10 log10(r / (1 - r)), r the periodicity (Boersma, 1993)", NONE, ALL),
        Descriptor("voicing", "1", "normalised correlation one period later, dsp.pitch.track_f0", ALL, NONE),
    ),
)
GROUPS = (MFCC, DELTA, MEL, CHROMA, *SHAPE, VOICE)
