"""Every descriptor that librosa has equals librosa's, on real speech, to one part in ten thousand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from ser_experiments.features.dsp import chroma, contrast, energy, frames, hpss, mel, spectral

SR = 16_000
RTOL = 1e-4


class Grid(NamedTuple):
    """Frames of one of the sets."""

    window: int
    n_fft: int
    hop: int
    n_mels: int
    n_bands: int


GRIDS = {
    "25 ms": Grid(400, 512, 160, 40, 5),
    "64 ms": Grid(1024, 1024, 320, 64, 5),
    "128 ms": Grid(2048, 2048, 512, 128, 6),
}


class Frames(NamedTuple):
    """One recording, its power spectrum and magnitudes: ours time first, for librosa frequency first."""

    grid: Grid
    audio: NDArray[np.float32]
    power: NDArray[np.float32]
    magnitude: NDArray[np.float32]
    log_power: NDArray[np.float32]
    S: NDArray[np.float32]
    P: NDArray[np.float32]


@pytest.fixture(scope="module", params=list(GRIDS))
def measured(request: pytest.FixtureRequest, speech: list[NDArray[np.float32]]) -> list[Frames]:
    """Return the spectra of all recordings on one grid."""
    grid = GRIDS[request.param]
    found = []
    for audio in speech:
        power = frames.power_spectrum(audio, window=grid.window, n_fft=grid.n_fft, hop=grid.hop)
        magnitude = np.sqrt(power)
        log_power = np.log(np.maximum(power, np.float32(1e-10)))
        transposed = (np.ascontiguousarray(a.T) for a in (magnitude, power))
        found.append(Frames(grid, audio, power, magnitude, log_power, *transposed))
    return found


def log_mel(m: Frames) -> NDArray[np.float32]:
    """Return our mel bands in dB."""
    return mel.power_to_db(mel.band_energies(m.power, mel.mel_bank(SR, m.grid.n_fft, m.grid.n_mels)))


def librosa_log_mel(m: Frames) -> NDArray[np.float32]:
    """Return librosa's."""
    return librosa.power_to_db(librosa.feature.melspectrogram(S=m.P, sr=SR, n_mels=m.grid.n_mels))


def librosa_split(m: Frames) -> NDArray[np.float32]:
    """Return the energies of librosa's harmonic and percussive spectrograms."""
    return np.stack([np.square(part).sum(axis=0) for part in librosa.decompose.hpss(m.S)])


#: Descriptor: ours, librosa's, and the absolute difference allowed beside the relative one (for values near 0).
SAME: dict[str, tuple[Callable[[Frames], object], Callable[[Frames], object], float]] = {
    "stft": (
        lambda m: m.magnitude.T,
        lambda m: abs(librosa.stft(m.audio, n_fft=m.grid.n_fft, win_length=m.grid.window, hop_length=m.grid.hop)),
        1e-12,
    ),
    "mel bands": (
        lambda m: mel.band_energies(m.power, mel.mel_bank(SR, m.grid.n_fft, m.grid.n_mels)),
        lambda m: librosa.feature.melspectrogram(S=m.P, sr=SR, n_mels=m.grid.n_mels),
        0.0,
    ),
    "decibels": (log_mel, librosa_log_mel, 1e-4),
    "mfcc": (
        lambda m: mel.cepstrum(log_mel(m), 21),
        lambda m: librosa.feature.mfcc(S=librosa_log_mel(m), n_mfcc=21),
        2e-4,
    ),
    "delta": (
        lambda m: mel.delta(mel.cepstrum(log_mel(m), 21)),
        lambda m: librosa.feature.delta(librosa.feature.mfcc(S=librosa_log_mel(m), n_mfcc=21)),
        2e-4,
    ),
    "delta of few frames": (
        lambda m: mel.delta(mel.cepstrum(log_mel(m), 21)[:, :5]),
        lambda m: librosa.feature.delta(librosa.feature.mfcc(S=librosa_log_mel(m), n_mfcc=21)[:, :5], mode="nearest"),
        2e-4,
    ),
    "centroid": (
        lambda m: spectral.moments(m.magnitude, SR)[0],
        lambda m: librosa.feature.spectral_centroid(S=m.S, sr=SR)[0],
        0.0,
    ),
    "bandwidth": (
        lambda m: spectral.moments(m.magnitude, SR)[1],
        lambda m: librosa.feature.spectral_bandwidth(S=m.S, sr=SR)[0],
        0.0,
    ),
    "rolloff": (
        lambda m: spectral.rolloff(m.magnitude, SR, (0.25, 0.5, 0.85, 0.95)),
        lambda m: np.concatenate(
            [librosa.feature.spectral_rolloff(S=m.S, sr=SR, roll_percent=p) for p in (0.25, 0.5, 0.85, 0.95)]
        ),
        0.0,
    ),
    "flatness": (
        lambda m: spectral.flatness(m.power, m.log_power),
        lambda m: librosa.feature.spectral_flatness(S=m.S)[0],
        0.0,
    ),
    "contrast": (
        lambda m: contrast.contrast(m.S, SR, m.grid.n_bands),
        lambda m: librosa.feature.spectral_contrast(S=m.S, sr=SR, n_bands=m.grid.n_bands),
        1e-4,
    ),
    "flux": (
        lambda m: spectral.flux(log_mel(m)),
        lambda m: librosa.onset.onset_strength(S=librosa_log_mel(m), center=False),
        1e-4,
    ),
    "rms": (
        lambda m: np.sqrt(energy.mean_square(m.audio, length=m.grid.window, hop=m.grid.hop)),
        lambda m: librosa.feature.rms(y=m.audio, frame_length=m.grid.window, hop_length=m.grid.hop)[0],
        0.0,
    ),
    "zero crossings": (
        lambda m: energy.zero_crossing_rate(m.audio, length=m.grid.window, hop=m.grid.hop),
        lambda m: librosa.feature.zero_crossing_rate(m.audio, frame_length=m.grid.window, hop_length=m.grid.hop)[0],
        0.0,
    ),
    "chroma": (
        lambda m: chroma.chroma(m.power, SR, 0.12),
        lambda m: librosa.feature.chroma_stft(S=m.P, sr=SR, tuning=0.12),
        0.0,
    ),
    "harmonic and percussive energy": (lambda m: hpss.split_energy(m.magnitude), librosa_split, 0.0),
}


@pytest.mark.speech
@pytest.mark.parametrize("name", SAME)
def test_descriptor_equals_librosa(name: str, measured: list[Frames]) -> None:
    ours, theirs, atol = SAME[name]
    for m in measured:
        expected = np.asarray(theirs(m))
        assert np.ptp(expected) > 0
        assert_allclose(ours(m), expected, rtol=RTOL, atol=atol)


@pytest.mark.speech
def test_descriptors_of_scaled_pieces_equal_librosa(speech: list[NDArray[np.float32]]) -> None:
    """Levels far from full scale: decibels are floored at the same places."""
    for audio in (1e-4 * speech[0], 20 * speech[1], speech[2][:1000]):
        ours = frames.power_spectrum(audio, window=400, n_fft=512, hop=160)
        bands = mel.band_energies(ours, mel.mel_bank(SR, 512, 40))
        theirs = librosa.feature.melspectrogram(y=audio, sr=SR, n_fft=512, win_length=400, hop_length=160, n_mels=40)
        assert_allclose(mel.power_to_db(bands), librosa.power_to_db(theirs), rtol=RTOL, atol=1e-3)
        for top_db in (None, 30.0):
            assert_allclose(
                mel.power_to_db(bands, top_db=top_db),
                librosa.power_to_db(theirs, top_db=top_db),
                rtol=RTOL,
                atol=1e-3,
            )


@pytest.mark.speech
def test_peaks_and_tuning_equal_librosa(speech: list[NDArray[np.float32]]) -> None:
    for audio in speech:
        magnitude = np.sqrt(frames.power_spectrum(audio, window=2048, n_fft=2048, hop=512))
        hz, size = librosa.piptrack(S=magnitude.T, sr=SR, fmin=70, fmax=400)
        where = np.nonzero(hz.T)
        peaks = chroma.spectral_peaks(magnitude, SR, fmin=70.0, fmax=400.0)
        assert len(peaks.hz) > 20
        np.testing.assert_array_equal(peaks.frame, where[0])
        assert_allclose(peaks.hz, hz.T[where], rtol=RTOL)
        assert_allclose(peaks.magnitude, size.T[where], rtol=RTOL)
        tuning = chroma.tuning(chroma.spectral_peaks(magnitude, SR))
        assert tuning == pytest.approx(librosa.estimate_tuning(y=audio, sr=SR), abs=1e-9)
