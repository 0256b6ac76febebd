"""The pitch tracker: exact on synthetic voices, in agreement with another tracker on real speech."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ser_experiments.audio import read_audio
from ser_experiments.features.dsp import _pitch_kernels as kernels
from ser_experiments.features.dsp import pitch
from ser_experiments.features.dsp.pitch import F0Track, track_f0

RATE = 16_000


def voice(f0: NDArray[np.float64], harmonics: range = range(1, 20), snr_db: float = 60.0) -> NDArray[np.float32]:
    """Return harmonics that fall by 6 dB an octave, with white noise over the whole band."""
    phase = 2.0 * np.pi * np.cumsum(f0) / RATE
    wave = np.sum([np.where(h * f0 < 0.45 * RATE, np.cos(h * phase) / h, 0.0) for h in harmonics], axis=0)
    noise = np.random.default_rng(0).standard_normal(len(wave))
    return (wave + wave.std() * 10.0 ** (-snr_db / 20.0) * noise).astype(np.float32)


def glide(low: float, high: float, seconds: float = 3.0) -> NDArray[np.float64]:
    """Return a frequency that moves from one value to the other at an even rate in octaves."""
    return low * (high / low) ** np.linspace(0.0, 1.0, int(seconds * RATE))


def errors(track: F0Track, f0: NDArray[np.float64], hop: int = 160) -> NDArray[np.float64]:
    """Return the relative error of each voiced frame."""
    truth = f0[np.minimum(np.arange(len(track.f0)) * hop, len(f0) - 1)]
    return np.abs(track.f0[track.voiced] / truth[track.voiced] - 1.0)


GLIDES = {
    "low male": (60.0, 120.0, range(1, 20), 60.0, 0.001),
    "rising": (100.0, 400.0, range(1, 20), 60.0, 0.001),
    "falling over three octaves": (590.0, 62.0, range(1, 20), 60.0, 0.001),
    "without the fundamental": (80.0, 300.0, range(2, 10), 60.0, 0.001),
    "harmonics 3 to 6": (80.0, 300.0, range(3, 7), 60.0, 0.001),
    "a sine": (150.0, 500.0, range(1, 2), 60.0, 0.001),
    "noise at 10 dB": (80.0, 300.0, range(1, 20), 10.0, 0.002),
    "noise at 0 dB": (80.0, 300.0, range(1, 20), 0.0, 0.01),
}


@pytest.mark.parametrize("name", GLIDES)
def test_a_glide_is_followed(name: str) -> None:
    low, high, harmonics, snr_db, bound = GLIDES[name]
    f0 = glide(low, high)
    track = track_f0(voice(f0, harmonics, snr_db))
    found = errors(track, f0)
    assert track.voiced.mean() > 0.97
    assert np.median(found) < bound
    assert np.mean(found > 0.2) == 0.0


def test_frames_lie_on_the_centred_grid() -> None:
    f0 = np.where(np.arange(2 * RATE) < RATE, 150.0, 300.0)
    audio = voice(f0)
    track = track_f0(audio)
    assert len(track.f0) == 1 + len(audio) // 160
    switch = np.flatnonzero(np.diff((track.f0 > 212.0).astype(int)))
    assert len(switch) == 1
    assert abs(int(switch[0]) + 0.5 - 100) <= 2


def test_onset_and_end_of_voicing_are_found() -> None:
    audio = np.concatenate([np.zeros(RATE), voice(np.full(RATE, 120.0)), np.zeros(RATE)]).astype(np.float32)
    where = np.flatnonzero(track_f0(audio).voiced)
    assert abs(int(where[0]) - 100) <= 3
    assert abs(int(where[-1]) - 200) <= 3


@pytest.mark.parametrize(("rate", "hop"), [(8000, 80), (22_050, 220), (44_100, 440), (48_000, 480), (16_000, 512)])
def test_other_rates_and_steps(rate: int, hop: int) -> None:
    time = np.arange(2 * rate) / rate
    audio = np.sum([np.cos(2 * np.pi * 110.0 * h * time) / h for h in range(1, 12)], axis=0).astype(np.float32)
    track = track_f0(audio, rate, hop=hop)
    assert len(track.f0) == 1 + len(audio) // hop
    assert track.voiced.mean() > 0.95
    assert np.nanmedian(np.abs(track.f0 / 110.0 - 1.0)) < 0.001


def test_the_correlation_equals_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    low = rng.standard_normal(1600).astype(np.float32)
    hop, n_lags, count = 80, 40, 21
    found, level = pitch._correlate(low, count, hop, 8000.0, n_lags)
    half_hop = hop // 2
    n_blocks = 2 * round(pitch.WINDOW_S * 8000 / hop)
    window = np.repeat(np.sin(np.pi * (np.arange(n_blocks) + 0.5) / n_blocks) ** 2, half_hop)
    padded = np.pad(low.astype(np.float64), 1000)
    for t, lag in itertools.product((0, 5, 11, 20), (0, 1, 7, 20, 39)):
        begin = 1000 + t * hop - len(window) // 2
        first = padded[begin - lag // 2 :][: len(window)]
        second = padded[begin + lag - lag // 2 :][: len(window)]
        power = (window @ first**2) * (window @ second**2)
        assert found[t, lag] == pytest.approx(window @ (first * second) / np.sqrt(power), abs=1e-5)
    assert level[10] == pytest.approx(
        np.sqrt(window @ padded[1800 - len(window) // 2 :][: len(window)] ** 2 / window.sum())
    )


def test_the_path_is_the_best_of_all() -> None:
    rng = np.random.default_rng(2)
    local = rng.random((6, 4)).astype(np.float32)
    octaves = rng.standard_normal((6, 4)).astype(np.float32)
    jump, change = 0.3, 0.15

    def score(path: tuple[int, ...]) -> float:
        total = float(local[0, path[0]])
        for t in range(1, 6):
            i, j = path[t - 1], path[t]
            both = i > 0 and j > 0
            cost = jump * abs(octaves[t - 1, i] - octaves[t, j]) if both else change * ((i == 0) != (j == 0))
            total += float(local[t, j]) - cost
        return total

    best = max(itertools.product(range(4), repeat=6), key=score)
    place = np.empty(6, dtype=np.int64)
    kernels.viterbi(local, octaves, jump, change, place)
    assert tuple(place.tolist()) == best


def test_a_voice_in_the_reach_of_its_octave_is_not_halved() -> None:
    """The correlation at two periods is as high as at one: the cost of an octave decides."""
    for f0 in (100.0, 180.0, 250.0):
        track = track_f0(voice(np.full(RATE, f0)))
        # At both ends the window holds half a voice.
        assert np.nanmax(np.abs(track.f0 / f0 - 1.0)) < 0.03


@pytest.mark.parametrize("gain", [1e-4, 30.0])
def test_neither_gain_nor_offset_matter(gain: float) -> None:
    audio = voice(glide(100.0, 200.0, 1.0), snr_db=30.0)
    plain = track_f0(audio)
    changed = track_f0(np.float32(gain) * (audio + np.float32(0.5)))
    np.testing.assert_array_equal(changed.voiced, plain.voiced)
    np.testing.assert_allclose(changed.f0[plain.voiced], plain.f0[plain.voiced], rtol=1e-4)


def test_what_is_no_voice_is_unvoiced() -> None:
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(3 * RATE).astype(np.float32)
    hum = np.sin(2 * np.pi * 50.0 * np.arange(RATE) / RATE).astype(np.float32)
    for audio in (noise, np.zeros(RATE, np.float32), np.full(RATE, 0.3, np.float32), hum):
        track = track_f0(audio)
        assert not track.voiced.any()
        assert np.isnan(track.f0).all()
        assert (track.periodicity == 0.0).all()


@pytest.mark.parametrize("n", [1, 2, 159, 160, 161, 800])
def test_short_audio(n: int) -> None:
    track = track_f0(np.random.default_rng(n).standard_normal(n).astype(np.float32))
    assert len(track.f0) == len(track.voicing) == len(track.voiced) == len(track.periodicity) == 1 + n // 160
    assert np.isfinite(track.voicing).all()
    assert ((track.voicing >= 0.0) & (track.voicing <= 1.0)).all()
    np.testing.assert_array_equal(np.isfinite(track.f0), track.voiced)


def test_the_audio_stays_as_it_is() -> None:
    audio = voice(glide(100.0, 200.0, 0.5))
    copy = audio.copy()
    audio.flags.writeable = False
    first, second = track_f0(audio), track_f0(audio)
    np.testing.assert_array_equal(audio, copy)
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)
    assert [part.dtype for part in first] == [np.float32, np.float32, np.bool_, np.float32]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hop": 161}, "hop must be even and positive, got 161"),
        ({"fmin": 0.0}, "need 0 < fmin < fmax"),
        ({"fmin": 300.0, "fmax": 200.0}, "need 0 < fmin < fmax"),
        ({"fmax": 3000.0}, "need 0 < fmin < fmax"),
    ],
)
def test_impossible_parameters_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        track_f0(np.zeros(1600, np.float32), **options)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.speech
@pytest.mark.parametrize(
    ("corpus", "gross", "agreement"),
    # Measured on 186 clips of all speakers: gross errors 0.7 % and 1.5 %, voicing agreement 0.86 and 0.82. Two
    # established trackers (pYIN, Praat) differ by more: 1.3 % and 2.4 %, 0.84 and 0.79.
    [("emodb4", 0.02, 0.80), ("nemo_subset", 0.03, 0.76)],
)
def test_real_speech_agrees_with_pyin(speech_corpora: Path, corpus: str, gross: float, agreement: float) -> None:
    import librosa

    files = sorted((speech_corpora / corpus / "audio").glob("*"))
    ours, theirs = [], []
    for file in files[3 :: len(files) // 6]:
        audio = read_audio(file, sample_rate=RATE)[0]
        ours.append(track_f0(audio).f0)
        theirs.append(librosa.pyin(audio, fmin=60, fmax=600, sr=RATE, frame_length=1024, hop_length=160)[0])
    found, other = np.concatenate(ours), np.concatenate(theirs)
    both = np.isfinite(found) & np.isfinite(other)
    assert both.sum() > 500
    ratio = found[both] / other[both]
    assert np.mean(np.abs(ratio - 1.0) > 0.2) < gross
    # pYIN's states lie 10 cents apart and its own smoothing adds to that.
    assert np.median(np.abs(ratio - 1.0)) < 0.02
    assert np.mean(np.isfinite(found) == np.isfinite(other)) > agreement
