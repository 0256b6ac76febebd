"""The demo corpus: layout, raters, reproducible bytes, what the cues do to the sound, and building undisturbed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments.corpora import load_corpus
from ser_experiments.corpora._demo import VERSION, build, builder, prosody, raters, session, sound
from ser_experiments.corpora._demo.espeak import Voice
from ser_experiments.corpora._demo.plan import Turn, plan, speaker_styles
from ser_experiments.corpora._demo.speakers import SPEAKERS, Speaker
from ser_experiments.errors import InputError, SerError, StoreError

CODES = {"neu", "hap", "exc", "ang", "sad", "fru", "sur", "fea", "dis", "oth", "xxx"}


@pytest.fixture(scope="module")
def cues(demo_root: Path) -> pd.DataFrame:
    return pd.read_csv(demo_root / "cues.csv", index_col="utterance_id")


@pytest.fixture(scope="module")
def voice() -> Voice:
    pytest.importorskip("espeakng_loader")
    return Voice()


# --- the release ------------------------------------------------------------------------------------------------


def test_release_is_read_by_the_iemocap_loader(demo_root: Path, cues: pd.DataFrame) -> None:
    corpus = load_corpus("demo", demo_root)
    table = corpus.utterances
    assert corpus.notes == ()
    assert corpus.classes == ["angry", "happy", "neutral", "sad"]
    assert 450 <= len(table) <= 600
    assert sorted(table["speaker"].unique()) == [s.name for s in SPEAKERS]
    assert table.groupby(["speaker", "label"]).size().unstack().min().min() >= 5
    assert (table["code"] == cues.loc[table.index, "code"]).all()
    assert table["agreement"].between(0.5, 1.0).all()
    assert table["agreement"].nunique() > 1
    assert {"Ses03M_impro05a", "Ses03M_impro08b", "Ses05M_script01_1b"} <= set(table["dialog"])


def test_every_label_scheme_and_subset_is_usable(demo_root: Path) -> None:
    for labels in ("4class", "4class-happy-only", "5class", "6class", "8class"):
        assert load_corpus("demo", demo_root, labels).utterances["speaker"].nunique() == 10
    for subset in ("improvised", "scripted"):
        assert load_corpus("demo", demo_root, subset=subset).utterances["session"].nunique() == 5


@pytest.mark.slow
def test_all_codes_can_come_out() -> None:
    seen = {turn.verdict.code for seed in range(4) for dialog in plan(seed) for turn in dialog.turns}
    assert seen == CODES


def test_recordings_are_16_khz_mono_16_bit_and_as_long_as_their_times(demo_root: Path) -> None:
    heads = re.compile(r"^\[([\d.]+) - ([\d.]+)\]\t(\S+)\t\S+\t\[", re.MULTILINE)
    n_checked = 0
    for labels in demo_root.glob("Session*/dialog/EmoEvaluation/*.txt"):
        dialog, rate = soundfile.read(demo_root / labels.parts[-4] / "dialog" / "wav" / f"{labels.stem}.wav")
        for start, end, turn in heads.findall(labels.read_text(encoding="utf-8")):
            path = demo_root / labels.parts[-4] / "sentences" / "wav" / labels.stem / f"{turn}.wav"
            info = soundfile.info(path)
            assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
            assert info.frames == pytest.approx((float(end) - float(start)) * rate, abs=2)
            cut, _ = soundfile.read(path)
            near = [round(float(start) * rate) + lag for lag in (-1, 0, 1)]  # times have four decimals
            assert any(np.array_equal(dialog[first : first + len(cut)], cut) for first in near)
            n_checked += 1
    assert n_checked == 720


def test_attributes_are_the_means_of_the_outside_raters(demo_root: Path) -> None:
    n_reports = 0
    for labels in demo_root.glob("Session*/dialog/EmoEvaluation/*.txt"):
        header, *blocks = labels.read_text(encoding="utf-8").strip().split("\n\n")
        assert header == "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]"
        for block in blocks:
            means = [float(x) for x in re.findall(r"\[([\d., ]+)\]$", block.split("\n")[0])[0].split(",")]
            outside = re.findall(r"^A-E\d:\tval (\d); act (\d); dom  (\d);\t\(", block, re.MULTILINE)
            assert len(outside) == 2
            np.testing.assert_allclose(np.mean(np.array(outside, dtype=float), axis=0), means, atol=1e-4)
            assert len(re.findall(r"^C-E\d:\t(?:[A-Z][a-z]+; ?)+\t\(", block, re.MULTILINE)) == 3
            n_reports += len(re.findall(r"^C-[FM]1:", block, re.MULTILINE))
    assert n_reports > 100


def test_scripts_repeat_over_sessions_and_improvised_lines_do_not(demo_root: Path) -> None:
    table = load_corpus("demo", demo_root, "6class").utterances
    texts = table.groupby(["scenario", "text_id"])["session"].nunique()
    assert texts["improvised"].max() == 1  # type: ignore[attr-defined]
    assert not table.loc[table["scenario"] == "improvised", "text_id"].duplicated().any()
    assert texts["scripted"].max() == 5  # type: ignore[attr-defined]


def test_words_of_improvised_lines_do_not_depend_on_the_emotion() -> None:
    """Sentences and emotions are drawn by generators of their own: other raters and moods leave the words alone."""
    texts = [[t.text for d in plan(seed) if "impro" in d.name for t in d.turns] for seed in (0, 0, 1)]
    assert texts[0] == texts[1]
    assert texts[0] != texts[2]
    words = pd.DataFrame(
        [(w, t.emotion) for d in plan(0) if "impro" in d.name for t in d.turns for w in t.text.split()],
        columns=["word", "emotion"],
    )
    seen = pd.crosstab(words["word"], words["emotion"])
    seen = seen.loc[seen.sum(axis=1) >= 30, ["neu", "ang", "sad", "exc"]]
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.to_numpy().sum()
    chi2_per_freedom = ((seen - expected) ** 2 / expected).to_numpy().sum() / ((len(seen) - 1) * 3)
    assert 0.6 < chi2_per_freedom < 1.4


def test_room_and_level_do_not_depend_on_the_emotion(cues: pd.DataFrame) -> None:
    rooms = cues.groupby("session")[["noise_db", "reverberation_s", "microphone_db"]].nunique()
    assert (rooms == 1).all().all()
    assert cues["gain_db"].between(-6, 6).all()
    means = cues.groupby("emotion")["gain_db"].mean()[["neu", "ang", "sad", "hap", "exc", "fru"]]
    assert means.abs().max() < 4 * 3.46 / np.sqrt(70)  # uniform over 12 dB: 3.46 dB


# --- raters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("votes", "code"),
    [
        ([("ang",), ("ang",), ("neu",)], "ang"),
        ([("ang",), ("sad",), ("neu",)], "xxx"),
        ([("ang", "fru"), ("fru",), ("neu",)], "fru"),
        ([("ang", "fru"), ("fru", "ang"), ("neu",)], "xxx"),
        ([("ang", "ang"), ("sad",), ("neu",)], "xxx"),
    ],
)
def test_majority(votes: list[tuple[str, ...]], code: str) -> None:
    assert raters.majority(votes) == code


def test_weaker_emotions_are_disputed_more() -> None:
    def disputed(intensity: float) -> float:
        rng = np.random.default_rng(0)
        leaning = raters.leanings(rng)
        verdicts = [
            raters.judge("ang", intensity, gender="F", reports=False, leaning=leaning, rng=rng) for _ in range(400)
        ]
        return float(np.mean([verdict.code != "ang" for verdict in verdicts]))

    assert disputed(0.3) > disputed(0.7) + 0.1 > disputed(1.2) + 0.2


# --- the sound --------------------------------------------------------------------------------------------------


def _plain_turns(speaker_name: str, n_turns: int) -> list[Turn]:
    speaker = next(s for s in SPEAKERS if s.name == speaker_name)
    turns = [turn for dialog in plan(0) for turn in dialog.turns if turn.speaker == speaker]
    return [replace(turn, cues=np.zeros(len(prosody.CUES)), gain_db=0.0) for turn in turns[:n_turns]]


def _f0(audio: np.ndarray) -> np.ndarray:
    """Return the F0 of the loud frames in semitones above 100 Hz."""
    f0 = librosa.yin(audio, fmin=60, fmax=500, sr=sound.SAMPLE_RATE, frame_length=1600, hop_length=160)
    level = librosa.feature.rms(y=audio, frame_length=1600, hop_length=160)[0]
    return 12 * np.log2(f0[level > 0.3 * level.max()] / 100)


@pytest.mark.slow
@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda s: s.name)
def test_a_voice_speaks_at_the_f0_wanted(voice: Voice, speaker: Speaker) -> None:
    """Each voice, neutral and four semitones up and three down: within a semitone of what cues.csv says."""
    for level_st in (-3.0, 0.0, 4.0):
        errors = []
        for turn in _plain_turns(speaker.name, 4):
            cues = turn.cues.copy()
            cues[prosody.CUES.index("level_st")] = level_st
            audio = session.speak(replace(turn, cues=cues), voice, np.random.default_rng(0))
            wanted = 12 * np.log2(turn.speaker.f0_hz / 100) + level_st
            errors.append(float(np.median(_f0(audio))) - wanted)
        assert abs(float(np.mean(errors))) < 1.0


def _measure(audio: np.ndarray) -> dict[str, float]:
    f0 = _f0(audio)
    power = np.abs(np.fft.rfft(audio)) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / sound.SAMPLE_RATE)
    third = len(f0) // 3
    low = hertz < 4000
    return {
        "level": float(np.median(f0)),
        "range": float(np.percentile(f0, 90) - np.percentile(f0, 10)),
        "slope": float(np.median(f0[-third:]) - np.median(f0[:third])),
        "duration": len(audio) / sound.SAMPLE_RATE,
        "loudness": 20 * np.log10(sound.rms(audio)),
        "high": 10 * np.log10(power[hertz > 2500].sum() / power[hertz < 1000].sum()),
        "centre": float((power * hertz)[low].sum() / power[low].sum()),
        "flatness": float(librosa.feature.spectral_flatness(y=audio).mean()),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cue", "size", "quantity", "least", "most"),
    [
        ("level_st", 4.0, "level", 3.0, 5.0),
        ("range_log2", 1.0, "range", 0.7, 6.0),
        ("slope_st", 6.0, "slope", 2.0, 7.0),
        ("rate_log2", 0.4, "duration", -1.2, -0.2),
        ("final_log2", 0.4, "duration", 0.05, 0.6),
        ("pause_cs", 4.0, "duration", 0.1, 0.8),
        ("loud_db", 5.0, "loudness", 4.9, 5.1),
        ("tilt_db", 8.0, "high", 4.0, 9.0),
        ("breath_db", 16.0, "flatness", 0.0005, 0.1),
        ("tract_log2", 0.1, "centre", 5.0, 150.0),
    ],
)
def test_each_cue_moves_what_it_is_named_after(
    voice: Voice, cue: str, size: float, quantity: str, least: float, most: float
) -> None:
    one_sided = cue in {"pause_cs", "breath_db"}
    moved = []
    for turn in [*_plain_turns("1F", 2), *_plain_turns("2M", 2)]:
        measured = []
        for end in (0.0, 1.0) if one_sided else (-0.5, 0.5):
            cues = turn.cues.copy()
            cues[prosody.CUES.index(cue)] = end * size
            audio = session.speak(replace(turn, cues=cues), voice, np.random.default_rng(0))
            measured.append(_measure(audio)[quantity])
        moved.append(measured[1] - measured[0])
    assert least < float(np.median(moved)) < most


def test_jitter_is_of_the_size_asked_for() -> None:
    """Periods of a pulse train, read out unsteadily, deviate from one to the next as much as asked."""
    rate, period = 22050, 200
    pulses = np.zeros(period * 400, dtype=np.float32)
    pulses[period // 2 :: period] = 1.0
    smooth = np.convolve(pulses, np.hanning(15), mode="same").astype(np.float32)
    rng = np.random.default_rng(0)
    audio = sound.resample_unsteadily(
        smooth, rate, factor=1.0, f0_hz=rate / period, jitter_pct=1.5, shimmer_db=0.0, rng=rng
    )
    peaks = np.flatnonzero((audio[1:-1] > 0.5) & (audio[1:-1] >= audio[:-2]) & (audio[1:-1] > audio[2:])) + 1
    left, here, right = (audio[peaks + offset].astype(float) for offset in (-1, 0, 1))
    exact = peaks + 0.5 * (left - right) / (left - 2 * here + right)
    periods = np.diff(exact)
    assert 100 * periods.std() / periods.mean() == pytest.approx(1.5, rel=0.25)


def test_tilt_is_flat_below_500_hz_and_full_from_4_khz() -> None:
    noise = np.random.default_rng(0).standard_normal(2**16).astype(np.float32)
    change = np.abs(np.fft.rfft(sound.colour(noise, 16000, 6.0))) / np.abs(np.fft.rfft(noise))
    hertz = np.fft.rfftfreq(len(noise), 1 / 16000)
    for at, gain_db in ((300, 0.0), (1000, 2.0), (2000, 4.0), (6000, 6.0)):
        band = (hertz > 0.98 * at) & (hertz < 1.02 * at)
        assert 20 * np.log10(np.median(change[band])) == pytest.approx(gain_db, abs=0.1)


def test_speakers_use_different_cues() -> None:
    styles = speaker_styles(0)
    used = {name: frozenset(np.flatnonzero(style.weights > prosody.FAINT)) for name, style in styles.items()}
    assert all(prosody.N_USED[0] <= len(which) <= prosody.N_USED[1] for which in used.values())
    assert len(set(used.values())) >= 8


# --- building ---------------------------------------------------------------------------------------------------


def _digest(folder: Path) -> str:
    hasher = hashlib.blake2b()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        hasher.update(path.relative_to(folder).as_posix().encode())
        hasher.update(path.read_bytes())
    return hasher.hexdigest()


@pytest.mark.slow
def test_same_seed_same_bytes_whatever_runs_beside(demo_root: Path, tmp_path: Path) -> None:
    """One session alone gives the bytes it has in a corpus built by two processes; another seed gives others.

    Session 2 has a voice with breath, which eSpeak NG seeds with the clock unless it is told otherwise.
    """
    for seed, folder in ((0, tmp_path / "same"), (1, tmp_path / "other")):
        subprocess.run(
            [sys.executable, "-m", "ser_experiments.corpora._demo", str(folder), str(seed), "2"],
            check=True,
            capture_output=True,
        )
    assert _digest(tmp_path / "same" / "Session2") == _digest(demo_root / "Session2")
    assert _digest(tmp_path / "other" / "Session2") != _digest(demo_root / "Session2")


@pytest.mark.slow
def test_same_seed_same_tree(demo_root: Path, tmp_path: Path) -> None:
    assert _digest(build(tmp_path, seed=0, jobs=1)) == _digest(demo_root)


def _fake_speech(root: Path, seed: int, sessions: tuple[int, ...], jobs: int, counter: builder._Counter) -> None:
    """Write empty files where recordings would be."""
    for dialog in plan(seed):
        folder = root / f"Session{dialog.session}" / "sentences" / "wav" / dialog.name
        folder.mkdir(parents=True)
        for turn in dialog.turns:
            (folder / f"{turn.name}.wav").touch()
        counter.add(len(dialog.turns))


@pytest.fixture
def fake_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("espeakng_loader")
    monkeypatch.setattr("ser_experiments.corpora._demo.builder._speak", _fake_speech)


def test_a_finished_corpus_is_found_again_without_the_voice(demo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    before = demo_root.stat().st_mtime_ns
    assert build(demo_root.parent, seed=0) == demo_root
    assert build(demo_root, seed=0) == demo_root
    assert demo_root.stat().st_mtime_ns == before


def test_without_the_voice_the_message_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'ser_experiments\[demo\]'") as caught:
        build(tmp_path / "demo")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("fake_speech")
def test_seeds_lie_side_by_side_and_progress_reaches_the_total(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    roots = [build(tmp_path, seed=seed, progress=lambda *c: calls.append(c)) for seed in (0, 1, 0)]
    assert roots[0] == roots[2] != roots[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == [r.name for r in roots[:2]]
    assert calls.count((720, 720)) == 2
    assert json.loads((roots[1] / "demo.json").read_text())["seed"] == 1


@pytest.mark.usefixtures("fake_speech")
def test_damaged_and_older_corpora_are_built_anew(tmp_path: Path) -> None:
    root = build(tmp_path)
    lost = next(root.glob("Session2/sentences/wav/*/*.wav"))
    lost.unlink()
    older = tmp_path / "demo-v0-seed0"
    older.mkdir()
    (older / "demo.json").write_text(json.dumps({"version": 0, "seed": 0, "n_utterances": 0}))
    strange = tmp_path / "demo-v0-seed0-notes"
    strange.mkdir()
    stale, fresh = tmp_path / ".building-stale", tmp_path / ".building-fresh"
    stale.mkdir()
    fresh.mkdir()
    os.utime(stale, (time.time() - 7200,) * 2)
    assert build(tmp_path) == root
    assert lost.exists()
    assert {p.name for p in tmp_path.iterdir()} == {fresh.name, strange.name, f"demo-v{VERSION}-seed0"}


def test_an_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_speech: None
) -> None:
    def interrupted(*args: object) -> None:
        _fake_speech(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr("ser_experiments.corpora._demo.builder._speak", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_two_builders_at_once_do_not_hurt_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_speech: None
) -> None:
    def slower(*args: object) -> None:
        """While this builder speaks, another one begins and finishes."""
        monkeypatch.setattr("ser_experiments.corpora._demo.builder._speak", _fake_speech)
        build(tmp_path)
        _fake_speech(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("ser_experiments.corpora._demo.builder._speak", slower)
    # One that waits for too long builds beside the other.
    monkeypatch.setattr("ser_experiments.corpora._demo.builder._PATIENCE_S", 0.1)
    root = build(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [root.name]
    assert len(list(root.glob("Session*/sentences/wav/*/*.wav"))) == 720


def test_a_speaking_process_that_dies_is_reported_and_ends_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("espeakng_loader")
    started: list[subprocess.Popen[str]] = []

    def start(root: Path, seed: int, number: int) -> subprocess.Popen[str]:
        code = "import time; print(16, flush=True); time.sleep(60)" if number != 2 else "raise OSError('no sound')"
        started.append(
            subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    monkeypatch.setattr("ser_experiments.corpora._demo.builder._start", start)
    before = time.monotonic()
    with pytest.raises(SerError, match="speaking session 2 ended with code 1: OSError: no sound"):
        build(tmp_path, jobs=2)
    assert time.monotonic() - before < 30
    assert all(process.poll() is not None for process in started)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("espeakng_loader")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be built under .*file"):
        build(tmp_path / "file")
    with pytest.raises(InputError, match="seed is -1; it must be 0 or more"):
        build(tmp_path, seed=-1)
