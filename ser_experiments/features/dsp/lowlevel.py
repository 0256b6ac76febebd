"""Measure every descriptor of the main set, frame by frame, on one grid.

Frames of 25 ms every 10 ms at 16 kHz, centred like librosa's ``center=True``, all from one spectrum. What needs a finer
frequency resolution (the harmonic and percussive parts, pitch classes) comes from a second spectrum of 64 ms every
20 ms, each frame of which stands for two. The recording is first scaled to a fixed level, so that nothing but
``level_db`` depends on its gain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ser_experiments.features.dsp import chroma, energy, frames, hpss, mel, pitch, spectral, voice
from ser_experiments.features.dsp.contrast import contrast
from ser_experiments.features.dsp.level import to_reference

SAMPLE_RATE = 16_000
HOP = 160
WINDOW = 400
N_FFT = 512
LONG_WINDOW = 1024
N_MELS = 40
N_MFCC = 21
FRAME_S = HOP / SAMPLE_RATE

ROLLOFFS = (0.25, 0.5, 0.85, 0.95)
SLOPE_BANDS_HZ = ((0.0, 500.0), (500.0, 1500.0), (0.0, 8000.0))
#: Length of the medians that part tones from clicks, in frames of 20 ms and bins of 15.6 Hz. librosa's 31 is for
#: music: over 0.6 s no voice holds its pitch. Of 7, 15 and 31 the shortest told emotions apart best.
HPSS_KERNEL = 7
F0_REFERENCE_HZ = 55.0


class LowLevel(NamedTuple):
    """Descriptors of one recording.

    Attributes
    ----------
    rows : dict of str to ndarray of shape (n_rows, n_frames), float32
        Descriptors by group: mfcc, delta, mel, chroma, moments, rolloff, shape, slopes, contrast, level, harmonic,
        voice. F0 and harmonics-to-noise ratio are 0 where the frame is unvoiced.
    active : ndarray of shape (n_frames,), bool
        Frames that hold speech rather than silence.
    voiced : ndarray of shape (n_frames,), bool
        Active frames that are voiced.
    level_db : float
        Level of the active frames before scaling, in dB of full scale.
    jitter, shimmer : tuple of two floats
        Differences from cycle to cycle, see :mod:`ser_experiments.features.dsp.voice`.
    """

    rows: dict[str, NDArray[np.float32]]
    active: NDArray[np.bool_]
    voiced: NDArray[np.bool_]
    level_db: float
    jitter: tuple[float, float]
    shimmer: tuple[float, float]


def measure(audio: NDArray[np.float32]) -> LowLevel:
    """Measure one recording.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
        Mono at 16 kHz.

    Returns
    -------
    LowLevel
    """
    scaled, square, active, level_db = to_reference(audio, window=WINDOW, hop=HOP)
    power = frames.power_spectrum(scaled, window=WINDOW, n_fft=N_FFT, hop=HOP)
    rows = spectrum_rows(power)
    zcr = energy.zero_crossing_rate(scaled, length=WINDOW, hop=HOP)
    rows["level"] = np.stack([mel.power_to_db(square, top_db=None), loudness(rows["mel"]), zcr])
    rows["chroma"], rows["harmonic"] = long_rows(scaled, len(active))
    track = pitch.track_f0(scaled, SAMPLE_RATE, hop=HOP)
    voiced = track.voiced & active
    rows["voice"] = voice_rows(track, voiced)
    cycles = voice.cycles(scaled, track, SAMPLE_RATE, hop=HOP)
    return LowLevel(rows, active, voiced, level_db, voice.jitter(cycles), voice.shimmer(cycles))


def spectrum_rows(power: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Measure everything that follows from the power spectrum, shape (n_frames, 257), alone."""
    magnitude = np.sqrt(power)
    log_power = np.log(np.maximum(power, np.float32(1e-10)))
    log_mel = mel.power_to_db(mel.band_energies(power, mel.mel_bank(SAMPLE_RATE, N_FFT, N_MELS)))
    mfcc = mel.cepstrum(log_mel, N_MFCC)
    low, high = ((50.0, 1000.0), (1000.0, 5000.0))
    alpha = [spectral.band_level(power, SAMPLE_RATE, *band) for band in (low, high)]
    peaks = [spectral.band_peak(power, SAMPLE_RATE, *band) for band in ((0.0, 2000.0), (2000.0, 5000.0))]
    shape = [
        spectral.flatness(power, log_power),
        spectral.entropy(power, log_power),
        spectral.flux(log_mel),
        spectral.ratio_db(*alpha),
        spectral.ratio_db(*peaks),
    ]
    return {
        "mfcc": mfcc,
        "delta": mel.delta(mfcc),
        "mel": log_mel,
        "moments": spectral.moments(magnitude, SAMPLE_RATE),
        "rolloff": spectral.rolloff(magnitude, SAMPLE_RATE, ROLLOFFS),
        "shape": np.stack(shape),
        "slopes": spectral.slopes(log_power, SAMPLE_RATE, SLOPE_BANDS_HZ),
        "contrast": contrast(np.ascontiguousarray(magnitude.T), SAMPLE_RATE, n_bands=5),
    }


def loudness(log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum the band powers to 0.3, near the 0.23 to 0.33 of loudness models: shape (n_frames,)."""
    return np.exp(log_mel * np.float32(0.3 / mel.DB_PER_NEPER)).sum(axis=0)


def long_rows(audio: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure what needs longer windows.

    Parameters
    ----------
    audio : ndarray of shape (n_samples,), float32
    count : int
        Frames of the main grid.

    Returns
    -------
    chroma : ndarray of shape (12, count), float32
    harmonic : ndarray of shape (2, count), float32
        Harmonic over percussive energy in dB, and the entropy of the pitch classes.
    """
    power = frames.power_spectrum(audio, window=LONG_WINDOW, n_fft=LONG_WINDOW, hop=2 * HOP)
    classes = chroma.chroma(power, SAMPLE_RATE)
    ratio = spectral.ratio_db(*hpss.split_energy(np.sqrt(power), HPSS_KERNEL))
    both = np.stack([ratio, chroma.entropy(classes)])
    return np.repeat(classes, 2, axis=1)[:, :count], np.repeat(both, 2, axis=1)[:, :count]


def voice_rows(track: pitch.F0Track, voiced: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return F0 in semitones above 55 Hz, harmonics-to-noise ratio and voicing: shape (3, n_frames)."""
    rows = np.zeros((3, len(voiced)), dtype=np.float32)
    rows[0, voiced] = 12.0 * np.log2(track.f0[voiced] / np.float32(F0_REFERENCE_HZ))
    rows[1, voiced] = voice.hnr_db(track.periodicity[voiced])
    rows[2] = track.voicing
    return rows
