"""The numbers of each set, recomputed with librosa and numpy on real speech."""

from __future__ import annotations

import librosa
import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from ser_experiments.features.dsp import level, lowlevel
from ser_experiments.features.dsp.pitch import track_f0
from ser_experiments.features.extractor import get_extractor

SR = 16_000


def row(name: str, audio: NDArray[np.float32]) -> dict[str, float]:
    """Return one row by column name."""
    extractor = get_extractor(name)
    return dict(zip(extractor.column_names, extractor(audio, SR).tolist(), strict=True))


def leveled(audio: NDArray[np.float32], window: int = 400, hop: int = 160) -> level.Leveled:
    """Return what the sets measure: the recording at the reference level."""
    return level.to_reference(audio, window=window, hop=hop)


def test_level_is_taken_over_active_frames() -> None:
    rng = np.random.default_rng(0)
    loud = 0.2 * rng.standard_normal(16_000)
    audio = np.concatenate([np.zeros(8_000), loud, np.zeros(8_000)]).astype(np.float32) + np.float32(0.05)
    found = leveled(audio)
    assert found.level_db == pytest.approx(20 * np.log10(0.2), abs=0.2)
    assert 100 <= found.active.sum() <= 103
    assert found.square[found.active].mean() == pytest.approx(level.REFERENCE, rel=1e-3)
    assert abs(found.audio.mean()) < 1e-4


def test_a_soft_hiss_is_no_speech() -> None:
    rng = np.random.default_rng(1)
    audio = np.concatenate([rng.standard_normal(16_000), 10 ** (-45 / 20) * rng.standard_normal(16_000)])
    found = leveled((0.1 * audio).astype(np.float32))
    assert found.active[5:95].all()
    assert not found.active[105:195].any()


@pytest.mark.speech
def test_classic199_equals_the_textbook_recipe_with_its_repairs(speech: list[NDArray[np.float32]]) -> None:
    for audio in speech:
        found = row("classic199", audio)
        assert len(found) == 199
        S = np.abs(librosa.stft(audio))
        centroid = librosa.feature.spectral_centroid(y=audio, sr=SR)
        rms = librosa.feature.rms(y=audio)
        mfcc = librosa.feature.mfcc(y=audio, sr=SR, n_mfcc=13)[1:]
        tuning = librosa.estimate_tuning(y=audio, sr=SR)
        hz, size = librosa.piptrack(y=audio, sr=SR, fmin=70, fmax=400)
        pitch = np.take_along_axis(hz, size.argmax(axis=0)[None], axis=0)[0]
        pitch = pitch[pitch > 0]
        harmonic, percussive = librosa.decompose.hpss(S)
        energies = np.square(harmonic, dtype=float).sum(), np.square(percussive, dtype=float).sum()
        expected = {
            "flatness__mean": librosa.feature.spectral_flatness(y=audio).mean(),
            "zcr__mean": librosa.feature.zero_crossing_rate(audio).mean(),
            "centroid__mean": centroid.mean(),
            "centroid__std": centroid.std(),
            "centroid__max": centroid.max(),
            "pitch__mean": pitch.mean(),
            "pitch__max": pitch.max(),
            "pitch__min": pitch.min(),
            "pitch__std": pitch.std(),
            "tuning__offset": tuning,
            "rms__mean": rms.mean(),
            "rms__max": rms.max(),
            "rms__std": rms.std(),
            "harmonic__fraction": energies[0] / sum(energies),
            "amplitude__mean_abs": np.abs(audio).mean(),
            "amplitude__std": audio.std(),
        }
        for function in ("mean", "std", "max"):
            values = getattr(mfcc, function)(axis=1)
            expected |= {f"mfcc_{i:02d}__{function}": value for i, value in enumerate(values, 1)}
        for stem, values in (
            ("chroma_{:02d}", librosa.feature.chroma_stft(y=audio, sr=SR, tuning=tuning)),
            ("mel_{:03d}", librosa.feature.melspectrogram(y=audio, sr=SR)),
            ("contrast_{}", librosa.feature.spectral_contrast(y=audio, sr=SR)),
        ):
            expected |= {f"{stem.format(i)}__mean": value for i, value in enumerate(values.mean(axis=1))}
        assert {f"classic_{name}" for name in expected} == set(found)
        for name, value in expected.items():
            assert found[f"classic_{name}"] == pytest.approx(value, rel=2e-4, abs=1e-4), name


@pytest.mark.speech
def test_melspec_is_librosas(speech: list[NDArray[np.float32]]) -> None:
    for params, n_fft in (({}, 512), ({"n_mels": 80, "window_ms": 40.0, "hop_ms": 12.5}, 1024)):
        extractor = get_extractor("melspec", **params)
        n_mels, window, hop = (
            len(extractor.columns),
            round(16 * float(extractor.params["window_ms"])),
            round(16 * float(extractor.params["hop_ms"])),
        )
        for audio in speech:
            scaled = leveled(audio, window, hop).audio
            bands = librosa.feature.melspectrogram(
                y=scaled, sr=SR, n_fft=n_fft, win_length=window, hop_length=hop, n_mels=n_mels
            )
            found = extractor(audio, SR)
            assert found.shape == (1 + len(audio) // hop, n_mels)
            assert_allclose(found.T, librosa.power_to_db(bands), rtol=1e-4, atol=1e-3)
            stored = found.astype(extractor.dtype).astype(np.float32)
            assert np.abs(stored - found).max() < 0.04


@pytest.mark.speech
def test_mfcc_set_summarises_librosas_coefficients(speech: list[NDArray[np.float32]]) -> None:
    for audio in speech:
        found = row("mfcc", audio)
        ready = leveled(audio)
        mfcc = librosa.feature.mfcc(
            y=ready.audio, sr=SR, n_mfcc=21, n_fft=512, win_length=400, hop_length=160, n_mels=40
        )
        delta = librosa.feature.delta(mfcc)[1:, ready.active]
        mfcc = mfcc[1:, ready.active]
        for i in range(20):
            assert found[f"dnn_mfcc_{i + 1:02d}__mean"] == pytest.approx(mfcc[i].mean(), rel=1e-3, abs=1e-3)
            assert found[f"dnn_mfcc_{i + 1:02d}__std"] == pytest.approx(mfcc[i].std(), rel=1e-3)
            p95 = np.percentile(mfcc[i], 95)
            assert found[f"dnn_mfcc_{i + 1:02d}__p95"] == pytest.approx(p95, rel=1e-3, abs=1e-3)
            assert found[f"dnn_delta_{i + 1:02d}__std"] == pytest.approx(delta[i].std(), rel=1e-3)


@pytest.mark.speech
def test_lld_summarises_the_right_rows_over_the_right_frames(speech: list[NDArray[np.float32]]) -> None:
    for audio in speech:
        found = row("lld", audio)
        ready = leveled(audio)
        track = track_f0(ready.audio)
        voiced = track.voiced & ready.active
        S = np.abs(librosa.stft(ready.audio, n_fft=512, win_length=400, hop_length=160))
        bands = librosa.power_to_db(librosa.feature.melspectrogram(S=S**2, sr=SR, n_mels=40))
        mfcc = librosa.feature.mfcc(S=bands, n_mfcc=21)
        centroid = librosa.feature.spectral_centroid(S=S, sr=SR)[0]
        zcr = librosa.feature.zero_crossing_rate(ready.audio, frame_length=400, hop_length=160)[0]
        semitones = 12 * np.log2(track.f0[voiced] / 55)
        long = np.abs(librosa.stft(ready.audio, n_fft=1024, hop_length=320))
        harmonic, percussive = (np.square(p).sum(axis=0) for p in librosa.decompose.hpss(long, kernel_size=7))
        ratio = np.repeat(10 * np.log10(harmonic / percussive), 2)[: len(voiced)]
        share = np.repeat(librosa.feature.chroma_stft(S=long**2, sr=SR, tuning=0), 2, axis=1)[:, : len(voiced)]
        expected = {
            "mfcc_00__voiced_mean": mfcc[0, voiced].mean(),
            "mfcc_20__voiced_std": mfcc[20, voiced].std(),
            "mfcc_delta_07__std": librosa.feature.delta(mfcc)[7, ready.active].std(),
            "mel_12__voiced_p95": np.percentile(bands[12, voiced], 95),
            "mel_39__voiced_mean": bands[39, voiced].mean(),
            "chroma_03__mean": share[3, ready.active].mean(),
            "chroma_11__std": share[11, ready.active].std(),
            "spectral_centroid__p50": np.median(centroid[ready.active]),
            "spectral_centroid__voiced_p20": np.percentile(centroid[voiced], 20),
            "zcr__voiced_range": np.percentile(zcr[voiced], 95) - np.percentile(zcr[voiced], 5),
            "harmonic_percussive__mean": ratio[ready.active].mean(),
            "f0_st__voiced_p80": np.percentile(semitones, 80),
            "f0_st__voiced_mean": semitones.mean(),
            "voicing__mean": track.voicing[ready.active].mean(),
            "level_db__active": ready.level_db,
        }
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-3, abs=2e-3), name


@pytest.mark.speech
def test_frames_hold_the_descriptors_of_lld(speech: list[NDArray[np.float32]]) -> None:
    extractor = get_extractor("frames")
    names = extractor.column_names
    for audio in speech:
        found = extractor(audio, SR)
        measured = lowlevel.measure(audio)
        assert found.shape == (1 + len(audio) // 160, len(names))
        assert_allclose(found[:, names.index("frame_mfcc_05")], measured.rows["mfcc"][5])
        assert_allclose(found[:, names.index("frame_zcr")], measured.rows["level"][2])
        np.testing.assert_array_equal(found[:, names.index("frame_voiced")] > 0.5, measured.voiced)
        f0 = found[:, names.index("frame_f0_st")]
        assert_allclose(f0[measured.voiced], measured.rows["voice"][0][measured.voiced])
        # Between voiced frames F0 stays within its range: no jump to zero.
        assert f0.min() == measured.rows["voice"][0][measured.voiced].min()


@pytest.mark.speech
def test_coarser_frames_average_finer_ones(speech: list[NDArray[np.float32]]) -> None:
    audio = speech[0][: 160 * 20 + 5]
    fine, coarse = (get_extractor("frames", hop_ms=ms)(audio, SR) for ms in (10, 40))
    assert len(fine) == 21
    assert len(coarse) == 6
    assert_allclose(coarse[1], fine[4:8].mean(axis=0), rtol=1e-4, atol=1e-4)
    assert_allclose(coarse[5], fine[20], rtol=1e-6)
