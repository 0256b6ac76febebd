"""Feature tables: what is measured, what is served from the store, and what is said of bad recordings."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from ser_experiments import identity
from ser_experiments.errors import AudioError, InputError, StoreError
from ser_experiments.features import BadRecordings, Progress, extract, feature_table, survey
from ser_experiments.features.extraction import plan, reading, schedule
from ser_experiments.features.extractor import Extractor
from ser_experiments.features.measure import per_clip
from ser_experiments.features.store import keys
from ser_experiments.features.table import build
from tests import tiny_set
from tests.tiny_set import extractor, measured, write_recordings


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def utterances(tmp_path: Path) -> pd.DataFrame:
    return write_recordings(tmp_path / "audio", 12)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def expected(utterances: pd.DataFrame, **options: object) -> np.ndarray:
    """Return what the set gives on every recording, without any store."""
    measure = extractor(**options)
    return np.stack([measure(*soundfile.read(path, dtype="float32")) for path in utterances["path"]])


def test_table_equals_the_set_on_each_recording(utterances: pd.DataFrame, cache: Path) -> None:
    table = build([extractor()], utterances, cache=cache)
    assert list(table.index) == list(utterances.index)
    assert table.index.name == "utterance_id"
    assert list(table.columns) == extractor().column_names
    assert (table.dtypes.iloc[:-1] == np.float32).all()
    np.testing.assert_array_equal(table.to_numpy(), expected(utterances))
    assert table.attrs["skipped"] == {}


def test_order_is_that_of_the_utterances(utterances: pd.DataFrame, cache: Path) -> None:
    first = build([extractor()], utterances, cache=cache)
    shuffled = utterances.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(build([extractor()], shuffled, cache=cache), first.loc[shuffled.index])
    pd.testing.assert_frame_equal(build([extractor()], utterances.iloc[[5]], cache=cache), first.iloc[[5]])


def test_nothing_is_measured_twice(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    first = build([extractor(log=log)], utterances, cache=cache)
    again = build([extractor(log=log)], utterances, cache=cache)
    assert len(measured(log)) == len(utterances)
    pd.testing.assert_frame_equal(first, again)


def test_rows_of_several_sets_stand_side_by_side(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    one, two = extractor(log=log), extractor(name="other", scale=2.0, n_columns=3, log=log)
    build([two], utterances.iloc[:5], cache=cache)
    table = build([one, two], utterances, cache=cache)
    assert list(table.columns) == [*one.column_names, *two.column_names]
    np.testing.assert_array_equal(table[one.column_names], expected(utterances))
    np.testing.assert_array_equal(table[two.column_names], expected(utterances, scale=2.0, n_columns=3))
    assert len(measured(log)) == 2 * len(utterances)


def test_each_recording_is_decoded_once_for_all_sets(
    utterances: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = reading.read_audio
    monkeypatch.setattr(
        reading, "read_audio", lambda path, **options: (read.append(path), original(path, **options))[1]
    )
    build([extractor(), extractor(name="other"), extractor(name="third", layout="array")], utterances, cache=cache)
    survey(utterances, cache=cache)
    assert sorted(read) == sorted(utterances["path"])


def test_the_block_of_numbers_is_not_copied(utterances: pd.DataFrame, cache: Path) -> None:
    table = build([extractor(), extractor(name="other")], utterances, cache=cache)
    numbers = table
    assert numbers.to_numpy().flags["C_CONTIGUOUS"]
    assert np.shares_memory(numbers.to_numpy(), table.to_numpy())


def test_a_changed_recording_alone_is_measured_again(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    before = build([extractor(log=log)], utterances, cache=cache)
    audio, rate = soundfile.read(utterances["path"].iloc[3])
    soundfile.write(utterances["path"].iloc[3], audio[::-1] * 0.5, rate, subtype="PCM_16")
    after = build([extractor(log=log)], utterances, cache=cache)
    assert len(measured(log)) == len(utterances) + 1
    changed = (before.to_numpy() != after.to_numpy()).any(axis=1)
    assert changed.nonzero()[0].tolist() == [3]
    np.testing.assert_array_equal(after, expected(utterances))


def test_a_change_that_leaves_size_and_time_as_they_were_is_seen(
    utterances: pd.DataFrame, cache: Path, log: Path
) -> None:
    import os

    build([extractor(log=log)], utterances, cache=cache)
    path = Path(utterances["path"].iloc[0])
    facts, content = path.stat(), bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (facts.st_size, facts.st_mtime_ns)
    build([extractor(log=log)], utterances, cache=cache)
    assert len(measured(log)) == len(utterances) + 1


def test_a_renamed_folder_costs_nothing(utterances: pd.DataFrame, cache: Path, log: Path, tmp_path: Path) -> None:
    before = build([extractor(log=log)], utterances, cache=cache)
    (tmp_path / "audio").rename(tmp_path / "elsewhere")
    moved = utterances.assign(path=[path.replace("/audio/", "/elsewhere/") for path in utterances["path"]])
    pd.testing.assert_frame_equal(build([extractor(log=log)], moved, cache=cache), before)
    assert len(measured(log)) == len(utterances)


def test_unchanged_files_are_not_read_again(
    utterances: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = keys._fingerprint
    monkeypatch.setattr(keys, "_fingerprint", lambda file: (read.append(file.path), original(file))[1])
    # Files that have just been written are not trusted to stay.
    build([extractor()], utterances, cache=cache)
    build([extractor()], utterances, cache=cache)
    assert len(read) == 2 * len(utterances)
    monkeypatch.setattr(keys, "_SETTLED_S", 0.0)
    build([extractor()], utterances, cache=cache)
    read.clear()
    build([extractor()], utterances, cache=cache)
    assert read == []
    Path(utterances["path"].iloc[2]).touch()
    build([extractor()], utterances, cache=cache)
    assert read == [utterances["path"].iloc[2]]


@pytest.mark.parametrize("change", [{"scale": 2.0}, {"version": "2"}])
def test_other_parameters_or_version_are_measured_anew(
    utterances: pd.DataFrame, cache: Path, log: Path, change: dict[str, object]
) -> None:
    build([extractor(log=log)], utterances, cache=cache)
    table = build([extractor(log=log, **change)], utterances, cache=cache)
    assert len(measured(log)) == 2 * len(utterances)
    np.testing.assert_array_equal(table, expected(utterances, **change))
    build([extractor(log=log)], utterances, cache=cache)
    assert len(measured(log)) == 2 * len(utterances)


def test_another_library_version_is_measured_anew(
    utterances: pd.DataFrame, cache: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build([extractor(log=log)], utterances, cache=cache)
    monkeypatch.setattr(identity, "_version", lambda name: "99")
    build([extractor(log=log)], utterances, cache=cache)
    assert len(measured(log)) == 2 * len(utterances)


def test_segments_of_one_file(tmp_path: Path, cache: Path, log: Path) -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * tiny_set.RATE).astype(np.float32)
    path = tmp_path / "dialog.wav"
    soundfile.write(path, audio, tiny_set.RATE, subtype="FLOAT")
    segments = [(np.nan, np.nan), (0.0, np.nan), (0.0, 1.0), (1.0, 2.5), (1.0, np.nan)]
    utterances = pd.DataFrame(
        {"path": str(path), "start_s": [a for a, _ in segments], "end_s": [b for _, b in segments], "speaker": "a"},
        index=pd.Index([f"s{i}" for i in range(len(segments))], name="utterance_id"),
    )
    table = build([extractor(log=log)], utterances, cache=cache)
    pieces = [audio, audio, audio[:16000], audio[16000:40000], audio[16000:]]
    np.testing.assert_array_equal(table, np.stack([extractor()(piece, tiny_set.RATE) for piece in pieces]))
    # The first two are the same audio under two names.
    assert len(measured(log)) == len(segments) - 1
    facts = survey(utterances, cache=cache)
    assert facts["duration_s"].tolist() == [4.0, 4.0, 1.0, 1.5, 3.0]
    assert facts["samples_digest"].nunique() == len(segments) - 1


def test_copies_are_measured_once_and_known_by_their_samples(
    utterances: pd.DataFrame, cache: Path, log: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "audio" / "copy.wav"
    shutil.copy(utterances["path"].iloc[0], copy)
    audio, rate = soundfile.read(copy, dtype="int16")
    soundfile.write(tmp_path / "audio" / "other.flac", audio, rate)
    both = [str(copy), str(tmp_path / "audio" / "other.flac")]
    more = pd.concat([utterances, tiny_set.utterances_of(both)])
    table = build([extractor(log=log)], more, cache=cache)
    # The FLAC has other bytes, so it is measured, and the same samples, so the tripwire for copies sees it.
    assert len(measured(log)) == len(utterances) + 1
    np.testing.assert_array_equal(table.loc["copy"].iloc[:-1], table.loc["u0000"].iloc[:-1])
    digests = survey(more, cache=cache)["samples_digest"]
    assert digests["copy"] == digests["other"] == digests["u0000"]
    assert digests.nunique() == len(utterances)


def bad_files(folder: Path) -> list[str]:
    """Write recordings that cannot be used, and name one that is not there."""
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 8000).astype(np.float32)
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("not audio")
    soundfile.write(folder / "silent.wav", np.zeros(8000), tiny_set.RATE)
    soundfile.write(folder / "nan.wav", np.where(np.arange(8000) == 7, np.nan, noise), tiny_set.RATE, subtype="FLOAT")
    (folder / "folder.wav").mkdir()
    names = ["empty", "text", "silent", "nan", "folder", "missing"]
    return [str(folder / f"{name}.wav") for name in names]


REASONS = {
    "empty": "empty file",
    "text": "unreadable audio",
    "silent": "silent recording",
    "nan": "NaN or infinite",
    "folder": "is a folder",
    "missing": "no such file",
}


def test_bad_recordings_are_named_together(utterances: pd.DataFrame, cache: Path, log: Path, tmp_path: Path) -> None:
    mixed = pd.concat([utterances, tiny_set.utterances_of(bad_files(tmp_path / "audio"))]).sample(
        frac=1, random_state=0
    )
    with pytest.raises(BadRecordings, match="^6 of 18 recordings cannot be used; .*--skip-bad") as caught:
        build([extractor(log=log)], mixed, cache=cache)
    lines = str(caught.value).splitlines()
    assert len(lines) == 7
    for name, reason in REASONS.items():
        (line,) = [line for line in lines if f"{name}.wav" in line]
        assert reason in line
        assert line.startswith(f"  {name} (")
    # What could be measured is kept.
    assert len(measured(log)) == len(utterances)
    table = build([extractor(log=log)], mixed, cache=cache, skip_bad=True)
    assert len(measured(log)) == len(utterances)
    assert list(table.index) == [name for name in mixed.index if name not in REASONS]
    assert set(table.attrs["skipped"]) == set(REASONS)
    assert REASONS["silent"] in table.attrs["skipped"]["silent"]
    np.testing.assert_array_equal(table.loc[utterances.index], expected(utterances))


def test_bad_recordings_do_not_enter_arrays(utterances: pd.DataFrame, cache: Path, tmp_path: Path) -> None:
    mixed = pd.concat([tiny_set.utterances_of(bad_files(tmp_path / "audio")), utterances])
    table = build([extractor(), extractor(name="over", layout="array")], mixed, cache=cache, skip_bad=True)
    assert list(table.index) == list(utterances.index)
    for name, cell in table["over"].items():
        audio, rate = soundfile.read(utterances.loc[name, "path"], dtype="float32")
        np.testing.assert_array_equal(cell, extractor(layout="array")(audio, rate))


def test_a_set_that_fails_stops_nothing_else(utterances: pd.DataFrame, cache: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "audio" / "u0004.wav", np.array([0.9, -0.9] * 800), tiny_set.RATE)
    with pytest.raises(BadRecordings, match="1 of 12") as caught:
        build([extractor(fails_above=0.8), extractor(name="other")], utterances, cache=cache)
    assert "feature set 'tiny' failed: RuntimeError: too loud for me" in str(caught.value)
    # A mended set finds the others' rows, and what failed is tried again.
    table = build([extractor(), extractor(name="other")], utterances, cache=cache)
    assert len(table) == len(utterances)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([1.0, np.nan, 0, 0], np.float32), "not finite"),
        (np.zeros(3, np.float32), r"gave shape \(3,\), expected \(4,\)"),
    ],
)
def test_numbers_that_break_the_contract_are_not_kept(
    utterances: pd.DataFrame, cache: Path, values: np.ndarray, message: str
) -> None:
    broken = Extractor(replace(extractor().measure, open=per_clip(lambda audio: values)))
    with pytest.raises(BadRecordings, match=message):
        build([broken], utterances.iloc[:1], cache=cache)


def test_survey(utterances: pd.DataFrame, cache: Path, tmp_path: Path) -> None:
    mixed = pd.concat([utterances.iloc[:3], tiny_set.utterances_of(bad_files(tmp_path / "audio"))])
    facts = survey(mixed, cache=cache)
    assert list(facts.index) == list(mixed.index)
    assert list(facts.columns) == ["samples_digest", "duration_s", "sample_rate", "peak", "rms_db", "problem"]
    for name in utterances.index[:3]:
        audio, rate = soundfile.read(utterances.loc[name, "path"], dtype="float32")
        row = facts.loc[name]
        assert row["problem"] is None
        assert row["sample_rate"] == rate == 16_000
        assert row["duration_s"] == pytest.approx(len(audio) / rate)
        assert row["peak"] == pytest.approx(np.abs(audio).max())
        assert row["rms_db"] == pytest.approx(20 * np.log10(np.sqrt(np.mean(audio.astype(float) ** 2))), abs=1e-4)
    for name, reason in REASONS.items():
        assert reason in facts.loc[name, "problem"]
        assert facts.loc[name, ["samples_digest", "duration_s", "sample_rate", "peak", "rms_db"]].isna().all()
    pd.testing.assert_frame_equal(survey(mixed, cache=cache), facts)


def test_survey_after_a_table_reads_no_audio(
    utterances: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = build([extractor()], utterances, cache=cache)
    monkeypatch.setattr(reading, "read_audio", None)
    assert survey(utterances.loc[table.index], cache=cache)["problem"].isna().all()


def test_ids_must_be_unique(utterances: pd.DataFrame, cache: Path) -> None:
    twice = pd.concat([utterances, utterances.iloc[[2]]])
    for call in (lambda: build([extractor()], twice, cache=cache), lambda: survey(twice, cache=cache)):
        with pytest.raises(InputError, match="utterance id 'u0002' occurs twice"):
            call()


def test_workers_give_the_same_table(tmp_path: Path, cache: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    utterances = write_recordings(tmp_path / "many", 80)
    alone = build([extractor()], utterances, cache=tmp_path / "other", jobs=1)
    monkeypatch.setattr(schedule, "ALONE_S", 0.0)
    monkeypatch.setattr(schedule, "WORTH_S", -1.0)
    told: list[Progress] = []
    together = build([extractor(log=log)], utterances, cache=cache, jobs=2, progress=told.append)
    pd.testing.assert_frame_equal(together, alone)
    assert len(measured(log)) == len(set(measured(log))) == len(utterances)
    last = told[-1]
    assert (last.stage, last.done, last.total) == ("measuring", 80, 80)
    assert last.audio_s == pytest.approx(survey(utterances, cache=cache)["duration_s"].sum())
    assert all(a.done <= b.done for a, b in itertools.pairwise(told) if a.stage == b.stage)


def test_a_backend_that_the_caller_chose_is_used(
    utterances: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    import joblib

    threads = set()
    original = schedule.measure
    monkeypatch.setattr(
        schedule, "measure", lambda *args: (threads.add(threading.current_thread().name), original(*args))[1]
    )
    monkeypatch.setattr(schedule, "ALONE_S", 0.0)
    monkeypatch.setattr(schedule, "WORTH_S", -1.0)
    with joblib.parallel_config("threading", n_jobs=2):
        table = build([extractor()], utterances, cache=cache)
    assert any("worker" in name for name in threads), threads
    np.testing.assert_array_equal(table, expected(utterances))


def test_small_jobs_start_no_processes(utterances: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_in_workers", None)
    assert len(build([extractor()], utterances, cache=cache, jobs=8)) == len(utterances)


def test_extract() -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(np.float32)
    row = extract("mfcc", audio, 16_000, n_mfcc=5)
    assert isinstance(row, pd.Series)
    assert row.index[0] == "dnn_mfcc_01__mean"
    assert len(row) == 20
    over_time = extract("melspec", audio, 16_000, n_mels=32)
    assert over_time.shape == (101, 32)
    with pytest.raises(InputError, match="did you mean 'n_mfcc'"):
        extract("mfcc", audio, 16_000, n_mfc=5)
    with pytest.raises(AudioError, match="no samples"):
        extract("mfcc", audio[:0], 16_000)


def test_feature_table_by_name(utterances: pd.DataFrame, cache: Path) -> None:
    table = feature_table(["mfcc", "melspec", "mfcc"], utterances, params={"mfcc": {"n_mfcc": 3}}, cache=cache)
    audio, rate = soundfile.read(utterances["path"].iloc[0], dtype="float32")
    row = extract("mfcc", audio, rate, n_mfcc=3)
    np.testing.assert_array_equal(table.iloc[0][list(row.index)].to_numpy(np.float32), row.to_numpy())
    assert list(table.columns) == [*row.index, "melspec"]
    with pytest.raises(InputError, match="unknown feature set 'mfc'; did you mean 'mfcc'"):
        feature_table(["mfc"], utterances, cache=cache)
    with pytest.raises(InputError, match="parameters for feature set 'lld', which is not asked for"):
        feature_table(["mfcc"], utterances, params={"lld": {}}, cache=cache)


def test_the_project_cache_is_the_default(
    utterances: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SER_CACHE", str(tmp_path / "mine"))
    feature_table(["mfcc"], utterances.iloc[:2])
    survey(utterances.iloc[:2])
    assert {"mfcc", "_survey"} <= {path.name for path in (tmp_path / "mine" / "tables").iterdir()}


def test_no_utterances_give_an_empty_table(utterances: pd.DataFrame, cache: Path) -> None:
    table = build([extractor()], utterances.iloc[:0], cache=cache)
    assert table.shape == (0, 4)
    assert survey(utterances.iloc[:0], cache=cache).empty


def test_rows_that_vanish_are_said(utterances: pd.DataFrame, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan.schedule, "run", lambda *args, **options: {})
    with pytest.raises(StoreError, match="rows vanished while they were read"):
        build([extractor()], utterances, cache=cache)


def test_real_speech(speech_corpora: Path, tmp_path: Path) -> None:
    from ser_experiments import load_corpus
    from ser_experiments.audio import read_audio

    utterances = load_corpus("manifest", speech_corpora / "emodb4").utterances.iloc[::40]
    table = feature_table(["mfcc", "melspec"], utterances, cache=tmp_path)
    for name, path in utterances["path"].items():
        audio, rate = read_audio(path)
        np.testing.assert_array_equal(table.loc[name].iloc[:-1].to_numpy(np.float32), extract("mfcc", audio, rate))
        np.testing.assert_array_equal(table.loc[name, "melspec"], extract("melspec", audio, rate).astype(np.float16))


def test_a_reason_that_hundreds_share_is_said_once() -> None:
    reasons = {f"u{n} (u{n}.wav)": "silent" for n in range(300)} | {"odd (odd.wav)": "holds NaN"}
    said = str(BadRecordings(reasons, 400)).splitlines()
    assert said[0].startswith("301 of 400 recordings cannot be used")
    assert said[1:] == [
        "  300 recordings, u0 (u0.wav), u1 (u1.wav), u2 (u2.wav) and so on: silent",
        "  odd (odd.wav): holds NaN",
    ]
