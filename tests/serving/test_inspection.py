"""Recordings beside those that a model learned from: what is kept, what differs, what is said and advised."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

from ser_experiments import build_estimator, load_experiment, plugins
from ser_experiments.audio import resample
from ser_experiments.audio.quality import quality
from ser_experiments.cli import ser
from ser_experiments.errors import InputError
from ser_experiments.evaluation.plots import plot_recordings
from ser_experiments.frames import GROUP, Predictions
from ser_experiments.serving import AudioModel, load_folder, save_model
from ser_experiments.serving.about import check_about
from ser_experiments.serving.inspection.findings import far_voices, rows_of, shares_of, voices_in
from ser_experiments.serving.inspection.looking import Inspection, Piece, inspection
from ser_experiments.serving.inspection.measures import MEASURES
from ser_experiments.serving.inspection.recorded import HOW, PERCENTS, Recorded, recorded
from ser_experiments.serving.inspection.voices import Voices, voices_of
from tests.served import KNOWN, model_of_dimensions, voice

RATE = 16_000
CLASSES = ["angry", "sad"]


def sound(pitch: float, seed: int, rate: int = RATE, seconds: float = 1.5) -> np.ndarray:
    """Speak with a little noise, which reaches to the end of the spectrum."""
    heard = voice(seconds, RATE, pitch) + 0.003 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return resample(heard.astype(np.float32), RATE, rate)


SOUNDS = [
    (sound(pitch + 4 * seed + 9 * speaker, 50 * speaker + seed), label, f"Ann {speaker}")
    for speaker in range(5)
    for seed in range(4)
    for pitch, label in ((280, "angry"), (120, "sad"))
]


def kept(table: pd.DataFrame, **more: Any) -> dict[str, Any]:
    """Return what a run of the sounds leaves."""
    labels, speakers = [label for _, label, _ in SOUNDS], [speaker for *_, speaker in SOUNDS]
    index = pd.Index([f"u{place}" for place in range(len(SOUNDS))], name="utterance_id")
    p_angry = np.where(np.array(labels) == "angry", 0.9, 0.2)
    frame = pd.DataFrame(
        {
            "fold": speakers, "speaker": speakers, "session": "", "group": speakers, "label": labels,
            "predicted": np.where(p_angry > 0.5, "angry", "sad"), "p_angry": p_angry, "p_sad": 1 - p_angry,
        },
        index=index,
    )  # fmt: skip
    predictions = Predictions.of_classes(frame, CLASSES)
    learned = predictions.task.learned(frame)
    qualities = pd.DataFrame([quality(audio, RATE) for audio, *_ in SOUNDS], index=index)
    told = recorded(qualities, ["Polish"], predictions, learned, table.set_axis(index))
    return {**learned, "recordings": {**told, **more}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a model that tells high voices from low ones, and knows its recordings."""
    meta = {"task": {"kind": "classes", "targets": CLASSES}, "experiment": "svm_lld", "setting": "tones"}
    measuring = AudioModel(LogisticRegression(), [("mfcc", {})], meta)
    table = pd.concat([measuring.features(audio, RATE) for audio, *_ in SOUNDS], ignore_index=True)
    plain = {"features.sets": ["mfcc"], "model.C": 0.001, "pipeline.calibrate": "none"}
    estimator = build_estimator(load_experiment("logreg_lld", overrides=plain))
    fitted = estimator.fit(table.assign(**{GROUP: "g"}), np.array([label for _, label, _ in SOUNDS]))
    place = tmp_path_factory.mktemp("model") / "high"
    save_model(AudioModel(fitted, [("mfcc", {})], {**meta, **kept(table)}), place)
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> AudioModel:
    return load_folder(folder)


def pieces(rate: int = RATE, change: Callable[[np.ndarray], np.ndarray] = np.asarray, n: int = 6) -> list[Piece]:
    """Return new voices of the same recordings, at another rate or changed."""
    sounds = [change(sound(130 + 20 * seed, 900 + seed, rate)).astype(np.float32) for seed in range(n)]
    return [Piece(f"r{seed}", (one, rate), speaker=f"s{seed % 2}") for seed, one in enumerate(sounds)]


def verdicts(found: Inspection) -> dict[str, str]:
    return {row.measure.field: row.verdict for row in rows_of(found)}


def test_what_is_kept_is_small_and_names_nobody(folder: Path, model: AudioModel) -> None:
    told = model.meta["recordings"]
    assert len(json.dumps(told)) < 5000
    assert "Ann" not in (folder / "model.json").read_text()
    assert told["n"] == len(SOUNDS)
    assert all(len(one) == len(PERCENTS) and one == sorted(one) for one in told["measures"].values())
    assert told["answers"] == {"angry": 0.5, "sad": 0.5}
    assert [one["n"] for one in told["voices"]["speakers"]] == [8] * 5
    known = Recorded.of(model.meta)
    assert known is not None
    assert known.languages == ["Polish"]


def test_like_recordings_are_inside(model: AudioModel) -> None:
    found = inspection(pieces(), model)
    assert set(verdicts(found).values()) == {"inside"}
    assert "Nothing that is measured here sets many of these recordings apart" in found.words
    assert "augment" not in found.words
    assert repr(found) == "Inspection of 6 recordings beside the training of svm_lld"
    assert found.qualities.index.tolist() == [f"r{place}" for place in range(6)]
    assert "bandwidth, kHz" in found._repr_html_()


def test_a_telephone_is_told(model: AudioModel) -> None:
    found = inspection(pieces(8000), model)
    told = verdicts(found)
    assert told["bandwidth_hz"] == told["sample_rate"] == "outside"
    assert "What differs most: these recordings end at" in found.words
    assert "those of the training at 8.0 kHz" in found.words
    # What follows from the bandwidth is not said again.
    assert "sampled at" not in found.words.partition("The model")[0]
    assert "ser audit svm_lld --condition telephone" in found.words
    # The same at a higher rate.
    above = inspection([Piece("x", (resample(one.source[0], 8000, RATE), RATE)) for one in pieces(8000)], model)
    assert verdicts(above)["bandwidth_hz"] == "outside"
    assert verdicts(above)["sample_rate"] == "inside"


def test_noise_and_level_are_told(model: AudioModel) -> None:
    noisy = inspection(
        pieces(change=lambda one: one + 0.05 * np.random.default_rng(0).standard_normal(len(one))), model
    )
    assert verdicts(noisy)["snr_db"] == "outside"
    assert 'augment = ["noise"] in the definition' in noisy.words
    soft = inspection(pieces(change=lambda one: one * 0.01), model)
    assert verdicts(soft)["level_db"] == "outside"
    assert "speech is softer (-" in soft.words
    cut = inspection(pieces(change=lambda one: np.clip(one, -0.05, 0.05)), model)
    assert verdicts(cut)["clipped"] == "outside"


def test_what_no_model_hears_is_not_outside(model: AudioModel) -> None:
    """What is stored at 48 kHz is heard at the rate of the training: its octaves above are no difference."""
    higher = [Piece(one.name, (resample(one.source[0], RATE, 48_000), 48_000)) for one in pieces()]
    hiss = 0.003 * np.random.default_rng(0).standard_normal(len(higher[0].source[0])).astype(np.float32)
    found = inspection([one._replace(source=(one.source[0] + hiss, 48_000)) for one in higher], model)
    assert found.qualities["bandwidth_hz"].min() > 20_000
    assert verdicts(found)["bandwidth_hz"] == "inside"


def test_answers_and_voices(model: AudioModel) -> None:
    low = [Piece(f"r{seed}", (sound(110 + seed, 900 + seed), RATE), speaker="s") for seed in range(4)]
    found = inspection(low, model)
    shares = shares_of(found)
    assert shares is not None
    assert shares.yours == {"angry": 0.0, "sad": 1.0}
    assert shares.training == {"angry": 0.5, "sad": 0.5}
    assert shares.unsure is not None
    assert "The model answers sad to 100 % of them, to 50 % of its training out of fold." in found.words
    assert re.search(r"At --abstain 0.1 it leaves \d+ % unsure \(\d+ % in the training\)", found.words)
    (one,) = voices_in(found)
    assert (one.name, one.n, one.near.n, one.near.score) == ("s", 4, 8, 1.0)
    noise = [Piece("n", (0.3 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32), RATE), speaker="s")]
    assert far_voices(inspection(noise, model)) == (1, 1)
    assert "lies further from every speaker of the training" in inspection(noise, model).words
    assert shares_of(inspection(noise, model)).unlike == 1.0


def test_languages(model: AudioModel) -> None:
    other = [one._replace(language="German") for one in pieces(n=2)]
    assert "They are in German, the training in Polish." in inspection(other, model).words
    assert "They are in" not in inspection([one._replace(language="Polish") for one in other], model).words


def test_a_model_that_does_not_know_its_recordings_says_what_to_do(model: AudioModel) -> None:
    meta = {key: value for key, value in model.meta.items() if key != "recordings"}
    for known in ({}, {"recordings": {}}, {"recordings": {"version": 99, "what": "another"}}):
        found = inspection(pieces(n=2), replace(model, meta=check_about({**meta, **known}, "here")))
        assert found.known is None
        assert set(verdicts(found).values()) == {""}
        assert HOW[1:] in found.words
        assert "run and register it again" in found.words
        assert voices_in(found) == []
    assert "name one with --model" in inspection(pieces(n=1)).words


@pytest.mark.parametrize(
    "broken",
    [
        {"n": "x"},
        {"measures": {"snr_db": [1.0]}},
        {"answers": {"sad": "x"}},
        {"voices": {"columns": ["a"], "spread": [0.0], "speakers": []}},
        {"version": "1"},
        {"languages": "Polish"},
        {"unsure": None},
    ],
)
def test_a_file_that_was_changed_is_refused(model: AudioModel, broken: dict[str, object]) -> None:
    known = model.meta["recordings"]
    without = {key: value for key, value in known.items() if key != "voices"}
    assert Recorded.of(check_about({"recordings": without}, "here")).voices.apart is None
    assert check_about({"recordings": known}, "here")["recordings"] == known
    with pytest.raises(InputError, match="here: 'recordings' must be what the recordings of the training were like"):
        check_about({"recordings": {**known, **broken}}, "here")


def test_a_model_of_dimensions() -> None:
    model = model_of_dimensions()
    known = {"version": 1, "n": 9, "measures": {}, "languages": [], "voices": {}}
    answers = {name: [1.0, 1.2, 3.0, 4.8, 5.0] for name in KNOWN["residuals"]}
    model = replace(model, meta={**model.meta, "recordings": {**known, "answers": answers}})
    found = model.inspect([sound(130, seed) for seed in range(3)], sample_rate=RATE)
    assert "It says nearly the same of all of them: valence" in found.words
    assert "(1.20 to 4.80)" in found.words
    assert shares_of(found).yours == {}


def test_voices_are_told_apart_by_what_tells_speakers() -> None:
    rng = np.random.default_rng(0)
    speakers = pd.Series(np.repeat([f"s{one}" for one in range(8)], 12))
    table = pd.DataFrame(rng.normal(size=(96, 40)), columns=[f"c{one}" for one in range(40)])
    own = rng.normal(0, 4, 8)
    table["c7"] += own.repeat(12)
    table["c8"] = 2 * table["c7"] + 0.01
    told = voices_of(table.assign(names="x", same=1.0), speakers, pd.Series({f"s{one}": one / 8 for one in range(8)}))
    # One of two that say the same is enough.
    assert len({"c7", "c8"} & set(told["columns"])) == 1
    voices = Voices.of(told)
    for one in range(8):
        near = voices.nearest(table[speakers == f"s{one}"])
        assert near is not None
        assert (near.score, near.away) == (pytest.approx(one / 8), pytest.approx(0, abs=1e-3))
    assert voices.apart[0] <= voices.apart[1]
    assert voices.nearest(table[[]]) is None
    assert voices.nearest(table[speakers == "s3"].drop(columns=told["columns"][-1])).score == pytest.approx(3 / 8)
    # Arrays, too few speakers, too few recordings of each: nobody is known.
    assert voices_of(table[[]], speakers, pd.Series()) == {}
    assert voices_of(table[:24], speakers[:24], pd.Series()) == {}
    assert voices_of(table[::12], speakers[::12], pd.Series()) == {}
    assert Voices.of({}).nearest(table) is None


def test_what_is_advised_is_there() -> None:
    views = plugins.names("ser_experiments.features.views")
    conditions = plugins.names("ser_experiments.audio.conditions")
    assert {one.condition for one in MEASURES} - {""} <= set(conditions)
    assert any(set(one.views) & set(views) for one in MEASURES)


def test_what_cannot_be_used(model: AudioModel, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    bad = Piece(str(tmp_path / "bad.wav"), tmp_path / "bad.wav")
    found = inspection([*pieces(n=2), bad], model)
    assert list(found.problems) == [bad.name]
    with pytest.raises(InputError, match="bad.wav: unreadable audio"):
        inspection([bad], model)
    with pytest.raises(InputError, match="none of 2 recordings can be used"):
        inspection([bad, bad], model)
    with pytest.raises(InputError, match="no recordings"):
        inspection([], model)


def test_a_model_that_was_normalised_by_speaker(model: AudioModel) -> None:
    apart = replace(model, meta={**model.meta, "normalize": "speaker"})
    found = inspection(pieces(n=4), apart)
    assert len(found.answers) == 4
    assert found.notes == []
    alone = inspection(pieces(n=1), apart)
    assert (alone.answers, len(alone.notes)) == ([], 1)
    asks = inspection(pieces(n=4), replace(model, meta={**model.meta, "normalize": "enrol-3"}))
    assert asks.answers == []
    assert "asks for recordings of the speaker (enrol-3)" in asks.notes[0]
    assert verdicts(asks)["bandwidth_hz"] == "inside"


def test_workers_find_the_same(model: AudioModel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ser_experiments.serving.inspection import looking as module

    alone = inspection(pieces(n=4), model)
    monkeypatch.setattr(module, "_ALONE_S", 0.0)
    monkeypatch.setattr(module, "_WORTH_S", 0.0)
    monkeypatch.setattr(module, "as_completed", lambda tasks, jobs: [call(*given) for call, given, _ in tasks])
    monkeypatch.setattr(module, "_CHUNK", 2)
    shared = inspection(pieces(n=4), model, folder=folder, jobs=2)
    pd.testing.assert_frame_equal(shared.qualities, alone.qualities)
    assert shared.answers == alone.answers


def test_the_command(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "calls").mkdir()
    for one in pieces(8000, n=3):
        soundfile.write(tmp_path / "calls" / f"{one.name}.wav", *one.source)
    (tmp_path / "list.csv").write_text("path,language,speaker\ncalls/r0.wav,German,x\ncalls/r1.wav,German,y\n")
    run = CliRunner()
    done = run.invoke(ser, ["inspect", "calls", "--model", str(folder), "--picture", "p.png"])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(re.match(r"bandwidth, kHz +[34]\.\d.* +8\.0.* +outside", line) for line in lines)
    assert any(line.startswith("unsure at --abstain 0.1") for line in lines)
    assert (tmp_path / "p.png").stat().st_size > 10_000
    (tmp_path / "calls" / "bad.wav").write_bytes(b"no audio")
    done = run.invoke(ser, ["inspect", "calls", "list.csv", "--model", str(folder), "--json"])
    assert done.exit_code == 1
    told = json.loads(done.stdout)
    assert told["measures"]["bandwidth_hz"]["verdict"] == "outside"
    assert told["n_recordings"] == 5
    assert list(told["unusable"]) == ["calls/bad.wav"]
    assert (told["languages"], told["languages_training"]) == (["German"], ["Polish"])
    assert set(told["voices"]["speakers"]) == {"calls", "x", "y"}
    done = run.invoke(ser, ["inspect", "calls/r0.wav"])
    assert done.exit_code == 0
    assert "described without a model: no runs in" in done.stderr
    assert "training" not in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calls", "list.csv", "p.png"]


def test_a_picture_of_what_is_known_and_of_what_is_not() -> None:
    numbers = np.linspace(0, 1, 20)
    for training in (None, [0.0, 0.1, 0.5, 0.9, 1.0], [0.5] * 5):
        figure = plot_recordings([("level, dB", numbers, training)] * 4, {"sad": (1.0, None)}, "t")
        assert len([one for one in figure.axes if one.get_visible()]) == 5
    plot_recordings([("level, dB", numbers * 0, [0.0] * 5)], {}, "t")
