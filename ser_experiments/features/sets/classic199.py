"""The 199 columns of the notebooks that this project grew out of, the ancestor, with its bugs repaired.

Frames of 2048 samples every 512 at 16 kHz, functionals over all frames, no scaling of the level, as in the ancestor.
Four repairs:

- pitch: in each frame the strongest spectral peak of 70-400 Hz is read (the ancestor read one bin of frame 1
  everywhere, so that the minimum was always 0), and frames without a peak are left out;
- spectral centroid: in Hz (the ancestor divided it by its own sum, which made its mean one over the number of frames);
- ``classic_harmonic__fraction``: the fraction of the energy that is harmonic (the ancestor took the mean of the
  harmonic waveform, which is about 0);
- 16 kHz instead of 22.05 kHz: the 128 mel bands end where the recordings end (a third of them were empty).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.columns import Column
from ser_experiments.features.measure import ROW, Measure, Output, per_clip

SAMPLE_RATE = 16_000
N_FFT = 2048
HOP = 512
PITCH_HZ = (70.0, 400.0)

_PITCH = "librosa.piptrack, the strongest peak of 70-400 Hz of each frame that has one"
_NAMED = (
    ("flatness__mean", "1", "mean of librosa.feature.spectral_flatness"),
    ("zcr__mean", "1", "mean of librosa.feature.zero_crossing_rate"),
    *((f"centroid__{f}", "Hz", f"{f} of librosa.feature.spectral_centroid") for f in ("mean", "std", "max")),
    *((f"pitch__{f}", "Hz", f"{f} of {_PITCH}") for f in ("mean", "max", "min", "std")),
    ("tuning__offset", "semitone", "librosa.estimate_tuning"),
    *((f"rms__{f}", "1", f"{f} of librosa.feature.rms") for f in ("mean", "max", "std")),
    ("harmonic__fraction", "1", "energy of the harmonic part over that of both parts of librosa.decompose.hpss"),
    ("amplitude__mean_abs", "1", "mean of the absolute samples"),
    ("amplitude__std", "1", "standard deviation of the samples"),
)
_MFCC = tuple(
    (f"mfcc_{i:02d}__{f}", "dB", f"{f} of librosa.feature.mfcc, coefficient {i}")
    for f in ("mean", "std", "max")
    for i in range(1, 13)
)
_CHROMA = tuple(
    (f"chroma_{i:02d}__mean", "1", f"mean of librosa.feature.chroma_stft at that tuning, class {i}") for i in range(12)
)
_MEL = tuple(
    (f"mel_{i:03d}__mean", "power", f"mean of librosa.feature.melspectrogram, band {i} of 128") for i in range(128)
)
_CONTRAST = tuple(
    (f"contrast_{i}__mean", "dB", f"mean of librosa.feature.spectral_contrast, band {i}") for i in range(7)
)


def extractor() -> Measure:
    """Build the set."""
    described = (*_NAMED, *_MFCC, *_CHROMA, *_MEL, *_CONTRAST)
    columns = tuple(Column(f"classic_{name}", unit, source) for name, unit, source in described)
    return Measure(
        name="classic199",
        version="3",
        outputs=(Output("functionals", ROW, columns),),
        open=per_clip(compute),
        libraries=("librosa", "numba", "numpy", "scipy", "soundfile", "soxr"),
    )


def compute(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure one recording: mono at 16 kHz in, shape (199,) out."""
    from ser_experiments.features.dsp import chroma, contrast, energy, frames, mel, spectral

    # Samples far beyond full scale would overflow when squared.
    audio = np.clip(audio, -1e6, 1e6)
    power = frames.power_spectrum(audio, window=N_FFT, n_fft=N_FFT, hop=HOP)
    magnitude = np.sqrt(power)
    log_power = np.log(np.maximum(power, np.float32(1e-10)))
    tuning = chroma.tuning(chroma.spectral_peaks(magnitude, SAMPLE_RATE))
    bands = mel.band_energies(power, mel.mel_bank(SAMPLE_RATE, N_FFT, 128))
    mfcc = mel.cepstrum(mel.power_to_db(bands), 13)[1:]
    centroid = spectral.moments(magnitude, SAMPLE_RATE)[0]
    rms = np.sqrt(energy.mean_square(audio, length=N_FFT, hop=HOP))
    zcr = energy.zero_crossing_rate(audio, length=N_FFT, hop=HOP)
    named = [
        spectral.flatness(power, log_power).mean(),
        zcr.mean(),
        *(centroid.mean(), centroid.std(), centroid.max()),
        *_pitch(magnitude),
        tuning,
        *(rms.mean(), rms.max(), rms.std()),
        _harmonic_fraction(magnitude),
        np.abs(audio).mean(),
        audio.std(),
    ]
    return np.concatenate(
        [
            np.array(named, dtype=np.float32),
            *(mfcc.mean(axis=1), mfcc.std(axis=1), mfcc.max(axis=1)),
            chroma.chroma(power, SAMPLE_RATE, tuning).mean(axis=1),
            bands.mean(axis=1),
            contrast.contrast(np.ascontiguousarray(magnitude.T), SAMPLE_RATE, n_bands=6).mean(axis=1),
        ]
    )


def _pitch(magnitude: NDArray[np.float32]) -> list[float]:
    from ser_experiments.features.dsp import chroma

    low, high = PITCH_HZ
    peaks = chroma.spectral_peaks(magnitude, SAMPLE_RATE, fmin=low, fmax=high)
    if not peaks.hz.size:
        return [0.0] * 4
    # Sorted by frame and then by magnitude, the last peak of each frame is its strongest.
    order = np.lexsort((peaks.magnitude, peaks.frame))
    last = np.append(np.diff(peaks.frame[order]) != 0, True)
    hz = peaks.hz[order][last].astype(np.float64)
    return [hz.mean(), hz.max(), hz.min(), hz.std()]


def _harmonic_fraction(magnitude: NDArray[np.float32]) -> float:
    from ser_experiments.features.dsp import hpss

    steady, abrupt = hpss.split_energy(magnitude).sum(axis=1, dtype=np.float64)
    return float(steady / (steady + abrupt)) if steady + abrupt > 0 else 0.0
