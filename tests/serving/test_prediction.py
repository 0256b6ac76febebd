"""What is asked of a model besides one recording: pieces, one speaker's recordings, emotion over time, a web page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner, Result

from ser_experiments import run_experiment, timeline
from ser_experiments.audio import VoiceActivity, read_audio, scan, stream_audio
from ser_experiments.cli import ser
from ser_experiments.errors import AudioError, InputError
from ser_experiments.features.extractor import get_extractor
from ser_experiments.models.pipeline import build_pipeline
from ser_experiments.serving import AudioModel
from tests.iemocap_tree import small_tree


def call(*arguments: str) -> Result:
    return CliRunner().invoke(ser, list(arguments))


@pytest.fixture
def tree(tmp_path: Path, project_folder: Path) -> Path:
    return small_tree(tmp_path / "IEMOCAP_full_release")


@pytest.fixture(scope="module")
def model() -> AudioModel:
    """Return a model that takes audio, without a run behind it."""
    extractor = get_extractor("lld")
    table = pd.DataFrame(
        np.random.default_rng(0).standard_normal((60, len(extractor.columns))), columns=extractor.column_names
    )
    estimator = build_pipeline("logreg", sets=["lld"]).fit(
        table.assign(group="g"), np.array(["angry", "happy", "sad"] * 20)
    )
    return AudioModel(estimator, [("lld", {})], {"experiment": "e", "setting": "s"})


def vowel(seconds: float, sample_rate: int = 16_000, pitch: float = 130.0) -> np.ndarray:
    """Speak a buzz with two formants in syllables of a quarter of a second."""
    time = np.arange(int(seconds * sample_rate)) / sample_rate
    voice = sum(
        np.sin(2 * np.pi * pitch * k * time) * (np.exp(-(((k * pitch - 600) / 200) ** 2)) + 0.3 / k)
        for k in range(1, 30)
    )
    return (0.1 * voice * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * time))).astype(np.float32)


# --- reading without holding -------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_blocks_are_the_recording(tmp_path: Path, rate: int) -> None:
    samples = 0.1 * np.random.default_rng(0).standard_normal((int(2.3 * rate), 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.flac", samples, rate)
    whole, _ = read_audio(tmp_path / "a.flac")
    blocks = [block for block, _ in stream_audio(tmp_path / "a.flac", 1.0)]
    assert [len(block) for block in blocks] == [rate, rate, len(whole) - 2 * rate]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    overall = scan((tmp_path / "a.flac").read_bytes())
    assert overall.duration_s == pytest.approx(2.3, abs=1e-3)
    assert overall.peak == pytest.approx(np.abs(whole).max())


def test_a_bad_end_is_found_before_anything_is_answered(tmp_path: Path) -> None:
    samples = np.tile(vowel(1.0), 30)
    samples[-5] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16_000)
    for name, reason in (("nan", "NaN"), ("silent", "silent"), ("none", "no samples"), ("away", "no such file")):
        with pytest.raises(AudioError, match=rf"{name}\.wav: .*{reason}"):
            scan(tmp_path / f"{name}.wav")


@pytest.mark.parametrize("level", [1.0, 0.003])
def test_speech_is_told_from_pauses_at_any_level(level: float) -> None:
    pause = 1e-4 * np.random.default_rng(0).standard_normal(32_000).astype(np.float32)
    audio = level * np.concatenate([pause, vowel(2.0), pause])
    hears = VoiceActivity(16_000, float(np.abs(audio).max()))
    # Fed in uneven pieces, the frames are those of the whole.
    frames = np.concatenate([hears(part) for part in np.array_split(audio, 7)])
    times = (np.arange(len(frames)) + 0.5) * 0.03
    inside = (times > 2.05) & (times < 3.95)
    assert frames[inside].mean() > 0.9
    assert frames[(times < 1.9) | (times > 4.4)].mean() < 0.1
    again = VoiceActivity(16_000, float(np.abs(audio).max()))(audio)
    np.testing.assert_array_equal(frames, again[: len(frames)])


# --- emotion over time -------------------------------------------------------------------------------------------


def test_a_timeline_is_silent_where_nobody_speaks(model: AudioModel, tmp_path: Path) -> None:
    pause = 1e-4 * np.random.default_rng(0).standard_normal(4 * 22_050).astype(np.float32)
    audio = np.concatenate([vowel(4.0, 22_050), pause, vowel(3.3, 22_050, 220.0)])
    soundfile.write(tmp_path / "long ü.wav", audio, 22_050)
    line = timeline(model, tmp_path / "long ü.wav", window_s=2.0, step_s=1.0)
    table = line.table
    assert line.duration_s == pytest.approx(11.3, abs=1e-3)
    assert list(table["start_s"]) == list(range(12))
    assert table["end_s"].iloc[-1] == pytest.approx(11.3, abs=1e-3)
    assert (table["label"].iloc[:4] != "").all()
    assert (table["label"].iloc[5:8] == "").all()
    assert (table["label"].iloc[8:11] != "").all()
    chances = table[[f"p_{name}" for name in model.classes]]
    assert chances.iloc[5:8].isna().all(axis=None)
    np.testing.assert_allclose(chances.iloc[:4].sum(axis=1), 1.0)
    assert line.spectrogram.shape[1] == 64
    assert line.waveform.max() == pytest.approx(np.abs(audio).max(), rel=0.1)


def test_a_step_is_the_mean_over_the_windows_that_cover_it(model: AudioModel) -> None:
    audio = np.concatenate([vowel(2.0), vowel(2.0, pitch=250.0)])
    data = _wav(audio)
    heard, rate = read_audio(data)
    line = timeline(model, data, window_s=2.0, step_s=1.0).table
    windows = [model.predict_audio(heard[i * rate : (i + 2) * rate], rate)["probabilities"] for i in range(3)]
    name = model.classes[0]
    assert line[f"p_{name}"].iloc[0] == pytest.approx(windows[0][name])
    assert line[f"p_{name}"].iloc[3] == pytest.approx(windows[2][name])
    both = sorted([windows[0][name], windows[1][name]])
    assert both[0] - 1e-9 <= line[f"p_{name}"].iloc[1] <= both[1] + 1e-9


def test_a_clip_shorter_than_a_window_is_one_window(model: AudioModel) -> None:
    data = _wav(vowel(0.8))
    line = timeline(model, data, window_s=3.0)
    assert len(line.table) == 1
    (whole,) = model.predict([data])
    assert line.table["label"].iloc[0] == whole["label"]


@pytest.mark.parametrize(("window", "step"), [(0.0, 1.0), (1.0, 2.0), (2.0, 0.0), (2.0, -1.0), (float("nan"), 1.0)])
def test_windows_that_make_no_sense(model: AudioModel, window: float, step: float) -> None:
    with pytest.raises(InputError):
        timeline(model, _wav(vowel(1.0)), window_s=window, step_s=step)


def test_the_command_draws_and_writes_tables(champion: Path, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "call.wav", np.concatenate([vowel(3.0), np.zeros(32_000)]), 16_000)
    (tmp_path / "b" / "bad.wav").write_text("no audio")
    often = ["--timeline", "--window", "2", "--step", "1"]
    said = call("predict", str(tmp_path / "a"), str(tmp_path / "b"), *often, "--picture", str(tmp_path / "drawn"))
    assert said.exit_code == 1
    assert "bad.wav: unreadable audio" in said.stderr
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "call-2_timeline.png", "call_timeline.png"
    ]  # fmt: skip
    lines = said.stdout.splitlines()
    assert lines[0] == str(tmp_path / "a" / "call.wav")
    assert lines[1].startswith("0:00.0-0:01.0  ")
    assert lines[5].endswith("  -")
    answers = json.loads(call("predict", str(tmp_path / "a"), *often, "--picture", "none", "--json").stdout)
    assert [step["start_s"] for step in answers[0]["timeline"]] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert answers[0]["timeline"][4]["probabilities"] == {}
    as_csv = call("predict", str(tmp_path / "a"), *often, "--picture", "none", "--csv").stdout
    (tmp_path / "out.csv").write_text(as_csv)
    read = pd.read_csv(tmp_path / "out.csv")
    assert list(read["end_s"]) == [1.0, 2.0, 3.0, 4.0, 5.0]


# --- one speaker's recordings ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_model_normalised_by_speaker_asks_for_the_speaker(tree: Path, tmp_path: Path) -> None:
    result = run_experiment("svm_lld", corpus="iemocap", root=tree, normalize="speaker")
    assert call("register", "--setting", result.prepared.setting.name).exit_code == 0
    utterances = result.prepared.utterances
    own = utterances[utterances["speaker"] == utterances["speaker"].iloc[0]]
    listed = tmp_path / "list.csv"
    pd.DataFrame({"path": own["path"], "speaker": own["speaker"]}).to_csv(listed, index=False)
    for refused in (call("predict", str(listed)), call("serve"), call("predict", str(listed), "--timeline")):
        assert isinstance(refused.exception, InputError)
        assert "give recordings of the speaker with --enrol" in str(refused.exception)
    answers = json.loads(call("predict", str(listed), "--by-speaker", "--json").stdout)
    enrolled = json.loads(call("predict", str(listed), "--enrol", str(listed), "--json").stdout)
    assert answers == enrolled
    # The same rows as in the run: the model that was fitted on all of them gives the same answers.
    prepared = result.prepared
    fitted = prepared.estimator.fit(prepared.rows.table, utterances["label"].to_numpy(dtype=str))
    expected = fitted.predict_proba(prepared.table.loc[own.index])
    got = [[answer["probabilities"][name] for name in fitted.classes_] for answer in answers]
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.slow
def test_enrolment_needs_its_clips(tree: Path) -> None:
    result = run_experiment("svm_lld", corpus="iemocap", root=tree, normalize="enrol-2")
    assert call("register", "--setting", result.prepared.setting.name).exit_code == 0
    clips = sorted(str(path) for path in tree.rglob("sentences/wav/*/*.wav"))[:3]
    few = call("predict", clips[0], "--enrol", clips[1])
    assert "it needs 2 clips of the speaker, got 1" in str(few.exception)
    by_speaker = call("predict", *clips, "--by-speaker")
    assert "--by-speaker is for models normalised by `speaker`, this one by `enrol-2`; use --enrol" in str(
        by_speaker.exception
    )
    good = call("predict", clips[0], "--enrol", clips[1], "--enrol", clips[2], "--json")
    assert json.loads(good.stdout)[0]["error"] == ""


def test_a_plain_model_takes_no_speaker(champion: Path) -> None:
    for arguments in (["--enrol", str(champion)], ["--by-speaker"]):
        assert isinstance(call("predict", str(champion), *arguments).exception, InputError)
    both = call("predict", str(champion), "--by-speaker", "--timeline")
    assert "goes with neither" in str(both.exception)


def test_pieces_of_a_recording(champion: Path, tmp_path: Path) -> None:
    audio, rate = soundfile.read(champion, dtype="float32")
    soundfile.write(tmp_path / "both.wav", np.concatenate([audio, audio[::-1]]), rate, subtype="PCM_16")
    seconds = len(audio) / rate
    rows = f"path,start,end\nboth.wav,0,{seconds}\nboth.wav,{seconds},\nboth.wav,99,100\n"
    (tmp_path / "pieces.csv").write_text(rows)
    shutil.copy(champion, tmp_path / "one.wav")
    said = call("predict", "--json", str(tmp_path / "pieces.csv"), str(tmp_path / "one.wav"))
    assert said.exit_code == 1
    first, second, outside, whole = json.loads(said.stdout)
    assert first["probabilities"] == pytest.approx(whole["probabilities"], abs=1e-6)
    assert (first["start_s"], first["end_s"]) == (0.0, pytest.approx(seconds))
    assert second["probabilities"] != pytest.approx(whole["probabilities"], abs=1e-6)
    assert "lies outside the recording" in outside["error"]
    (tmp_path / "pieces.csv").write_text("path,start\nboth.wav,one\n")
    bad = call("predict", str(tmp_path / "pieces.csv"))
    assert str(bad.exception).endswith("pieces.csv, line 2: 'start' is 'one'; expected seconds, e.g. 1.5")


def _wav(audio: np.ndarray, rate: int = 16_000) -> bytes:
    import io

    buffer = io.BytesIO()
    soundfile.write(buffer, audio, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
