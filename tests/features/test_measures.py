"""Measures of several outputs: one pass fills them, batches change no number, and assets count by their content."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import threading
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from numpy.typing import NDArray

from ser_experiments import identity
from ser_experiments.errors import InputError
from ser_experiments.features import BadRecordings
from ser_experiments.features import extractor as extractor_module
from ser_experiments.features.assets import Asset
from ser_experiments.features.columns import Column, ColumnRule, names_of, suffixed
from ser_experiments.features.extraction import reading, schedule
from ser_experiments.features.extraction.worker import _batches
from ser_experiments.features.extractor import Extractor, get_extractor, set_names
from ser_experiments.features.measure import LAYERS, OVER_TIME, ROW, Measure, Needs, Opened, Output
from ser_experiments.features.single import extract
from ser_experiments.features.store.maintenance import prune, status
from ser_experiments.features.table import build, feature_table, table_row
from ser_experiments.features.views import perturb, viewed
from tests.tiny_set import DIM, N_LAYERS, RATE, encoder, measured, outputs_of, utterances_of, write_recordings


@pytest.fixture
def utterances(tmp_path: Path) -> pd.DataFrame:
    """Return recordings of different lengths."""
    (tmp_path / "audio").mkdir()
    rng = np.random.default_rng(0)
    paths = [tmp_path / "audio" / f"u{i:02d}.wav" for i in range(12)]
    for path in paths:
        audio = rng.uniform(-0.5, 0.5, rng.integers(800, 8000)).astype(np.float32)
        soundfile.write(path, audio, RATE, subtype="FLOAT")
    return utterances_of([str(path) for path in paths])


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def lines(log: Path, word: str) -> list[str]:
    """Return what the measure noted: its openings, or the lengths of the clips of each pass."""
    noted = log.read_text().splitlines() if log.exists() else []
    return [line.removeprefix(word).strip() for line in noted if line.startswith(word)]


def read(path: str) -> np.ndarray:
    return soundfile.read(path, dtype="float32")[0]


def by_hand(utterances: pd.DataFrame) -> list[tuple[np.ndarray, ...]]:
    """Return what the measure gives of each recording by itself, without any store."""
    return [encoder()(read(path), RATE) for path in utterances["path"]]


def assert_equal_by_hand(table: pd.DataFrame, utterances: pd.DataFrame) -> None:
    mean, layers, _ = outputs_of(encoder())
    expected = by_hand(utterances)
    np.testing.assert_array_equal(table[mean.column_names], np.stack([one for one, _, _ in expected]))
    np.testing.assert_array_equal(table[layers.column_names], np.stack([one.ravel() for _, one, _ in expected]))
    for cell, (_, _, frames) in zip(table["encoder/frames"], expected, strict=True):
        np.testing.assert_array_equal(cell, frames.astype(np.float16))


def test_one_pass_fills_every_output(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    mean, layers, frames = outputs_of(encoder(log=log))
    table = build([mean, layers, frames], utterances, cache=cache)
    names = [*mean.column_names, *layers.column_names, "encoder/frames"]
    assert list(table.columns) == names
    assert layers.column_names[:5] == [f"tiny_0_{i}__mean" for i in range(4)] + ["tiny_1_0__mean"]
    assert len(layers.column_names) == N_LAYERS * DIM
    assert_equal_by_hand(table, utterances)
    assert sum(len(one.split()) for one in lines(log, "pass")) == len(utterances)
    done = len(measured(log))
    pd.testing.assert_frame_equal(build([mean, layers], utterances, cache=cache), table[names[:-1]])
    assert len(measured(log)) == done


def test_rows_are_kept_beside_what_was_asked_and_arrays_are_not(
    utterances: pd.DataFrame, cache: Path, log: Path
) -> None:
    mean, layers, frames = outputs_of(encoder(log=log))
    build([mean], utterances, cache=cache)
    done = len(lines(log, "pass"))
    build([layers], utterances, cache=cache)
    assert len(lines(log, "pass")) == done
    assert set(status(cache)["set"]) == {"encoder", "encoder/layers", "_survey"}
    build([frames, layers], utterances, cache=cache)
    assert len(lines(log, "pass")) > done
    assert status(cache).set_index("set")["rows"].drop("_survey").eq(len(utterances)).all()


def test_what_is_missing_of_one_output_alone_is_measured(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    mean, layers, frames = outputs_of(encoder(log=log))
    build([frames], utterances.iloc[:4], cache=cache)
    build([mean], utterances.iloc[4:9], cache=cache)
    table = build([mean, layers, frames], utterances, cache=cache)
    assert_equal_by_hand(table, utterances)
    counted = [len(one.split()) for one in lines(log, "pass")]
    assert sum(counted) == 4 + 5 + (5 + 3)
    assert status(cache).set_index("set")["rows"].drop("_survey").eq(len(utterances)).all()


@pytest.mark.parametrize("batch_s", [None, 0.3, 1.0, 100.0])
@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_numbers_do_not_depend_on_the_batch(
    utterances: pd.DataFrame, cache: Path, log: Path, batch_s: float | None, device: str
) -> None:
    needs = Needs(batch_s=batch_s, device=device)  # type: ignore[arg-type]
    table = build(outputs_of(encoder(needs=needs, log=log)), utterances, cache=cache, jobs=1)
    assert_equal_by_hand(table, utterances)
    batches = [[int(n) for n in one.split()] for one in lines(log, "pass")]
    assert all(max(one) * len(one) <= (batch_s or 0.0) * RATE for one in batches if len(one) > 1)
    assert all(len(one) == 1 for one in batches) is (batch_s is None)


def test_clips_of_like_length_stand_together() -> None:
    rng = np.random.default_rng(0)
    clips = [np.zeros(n, np.float32) for n in rng.integers(1000, 20_000, 100)]
    ready = [(reading.Clip(reading.Recording(b"", "", 0, 0, (), False), 1.0, None, None, {}), one) for one in clips]
    batches = [[len(audio) for _, audio in batch] for batch in _batches(ready, 4 * RATE)]
    assert sorted(n for batch in batches for n in batch) == sorted(map(len, clips))
    padded = sum(max(batch) * len(batch) for batch in batches)
    assert padded < 1.1 * sum(map(len, clips))
    assert all(max(batch) * len(batch) <= 4 * RATE for batch in batches)


@pytest.mark.slow
def test_a_measure_that_wants_one_process_is_opened_once_and_here(
    tmp_path: Path, cache: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances = write_recordings(tmp_path / "many", 60)
    monkeypatch.setattr(schedule, "ALONE_S", 0.0)
    monkeypatch.setattr(schedule, "WORTH_S", -1.0)
    alone = encoder(needs=Needs(batch_s=0.5, one_process=True), log=log)
    shared = get_extractor("mfcc")
    table = build([shared, *outputs_of(alone)], utterances, cache=cache, jobs=2)
    assert lines(log, "open") == [str(os.getpid())]
    assert_equal_by_hand(table, utterances)
    pd.testing.assert_frame_equal(
        table[shared.column_names], build([shared], utterances, cache=tmp_path / "other", jobs=1)[shared.column_names]
    )
    assert status(cache).set_index("set").loc["_survey", "rows"] == len(utterances)


@pytest.mark.slow
def test_workers_open_a_measure_once_each(
    tmp_path: Path, cache: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances = write_recordings(tmp_path / "many", 60)
    monkeypatch.setattr(schedule, "ALONE_S", 0.0)
    monkeypatch.setattr(schedule, "WORTH_S", -1.0)
    monkeypatch.setattr(schedule, "UNIT_MOST", 4)
    table = build(outputs_of(encoder(log=log)), utterances, cache=cache, jobs=2)
    assert_equal_by_hand(table, utterances)
    assert len(lines(log, "open")) == len(set(lines(log, "open"))) >= 2


def test_reading_ahead_keeps_the_order_and_tells_what_is_bad(utterances: pd.DataFrame) -> None:
    paths = [*utterances["path"], "nowhere.wav"]
    recordings = [
        reading.Recording(bytes([i]), path, float("nan"), float("nan"), (0,), False) for i, path in enumerate(paths)
    ]
    for ahead_s in (0.0, 1e-3, 1.0, 50.0):
        clips = list(reading.read_clips(recordings, [RATE], ahead_s))
        assert [clip.recording for clip in clips] == recordings
        assert clips[-1].problem == "no such file"
        for clip, path in zip(clips, utterances["path"], strict=False):
            np.testing.assert_array_equal(clip.heard[RATE], read(path))
            assert clip.duration_s == pytest.approx(len(read(path)) / RATE)
    # Whoever stops early leaves no thread behind that reads on.
    before = threading.active_count()
    some = reading.read_clips(recordings, [RATE], 1e-3)
    next(some)
    some.close()
    assert threading.active_count() == before


def test_no_more_is_read_ahead_than_there_is_room_for(
    utterances: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[float] = []

    def slowly(path: str, **segment: float) -> tuple[NDArray[np.float32], int]:
        read.append(1.0)
        return np.zeros(RATE, np.float32), RATE

    monkeypatch.setattr(reading, "read_audio", slowly)
    recordings = [reading.Recording(bytes([i]), "", float("nan"), float("nan"), (0,), False) for i in range(100)]
    clips = reading.read_clips(recordings, [RATE], 10.0)
    for taken in range(1, 101):
        next(clips)
        time.sleep(0.002)
        # Threads that looked at the same time may each read one more.
        assert len(read) <= taken + 10 + reading.THREADS
    assert len(read) == 100


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_a_clip_that_spoils_its_batch_is_told_and_the_others_are_kept(
    utterances: pd.DataFrame, cache: Path, log: Path, device: str
) -> None:
    soundfile.write(utterances["path"].iloc[3], _loud(), RATE)
    needs = Needs(batch_s=2.0, device=device)  # type: ignore[arg-type]
    asked = outputs_of(encoder(needs=needs, spoilt_by=0.8, log=log))
    with pytest.raises(BadRecordings, match="1 of 12") as caught:
        build(asked, utterances, cache=cache)
    assert "u03" in str(caught.value)
    assert "failed: RuntimeError: out of memory" in str(caught.value)
    done = len(measured(log))
    table = build(asked, utterances, cache=cache, skip_bad=True)
    good = utterances.drop(index="u03")
    assert_equal_by_hand(table, good)
    # Only the spoilt one was tried again.
    assert [len(one.split()) for one in measured_passes(log)[-1:]] == [1]
    assert len(measured(log)) > done


def _loud() -> np.ndarray:
    return np.tile([0.9, -0.9], 2000)


def measured_passes(log: Path) -> list[str]:
    return lines(log, "pass")


class Breaks:
    """Open a measure whose outputs of long clips break the contract."""

    def __init__(self, change: str) -> None:
        self.change = change

    def __call__(self) -> Opened:
        plain = encoder().open()

        def encode(clips: list[np.ndarray]) -> list[tuple[np.ndarray, ...]]:
            return [
                self.broken(*each) if len(clip) > 6000 else each for clip, each in zip(clips, plain(clips), strict=True)
            ]

        return encode

    def broken(self, mean: np.ndarray, layers: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, ...]:
        return {
            "nan": (mean * np.nan, layers, frames),
            "shape": (mean[:2], layers, frames),
            "two": (mean, layers),
            "layers": (mean, layers.ravel(), frames),
            "frames": (mean, layers, frames[:0]),
        }[self.change]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("nan", "feature set 'encoder' failed: ValueError: gave numbers that are not finite"),
        ("shape", r"gave shape \(2,\), expected \(4,\)"),
        ("two", "gave 2 outputs, expected 3"),
        ("layers", r"feature set 'encoder/layers' failed: ValueError: gave shape \(12,\), expected \(3, 4\)"),
        ("frames", r"gave shape \(0, 4\), expected \(n_frames, 4\)"),
    ],
)
def test_what_breaks_the_contract_is_refused_clip_by_clip(
    utterances: pd.DataFrame, cache: Path, change: str, message: str
) -> None:
    broken = outputs_of(replace(encoder(), open=Breaks(change)))
    long = [name for name, path in utterances["path"].items() if len(read(path)) > 6000]
    assert 0 < len(long) < len(utterances)
    with pytest.raises(BadRecordings, match=message) as caught:
        build(broken, utterances, cache=cache)
    assert {source.split(" ")[0] for source in caught.value.reasons} == set(long)
    table = build(broken, utterances, cache=cache, skip_bad=True)
    assert_equal_by_hand(table, utterances.drop(index=long))


def test_an_output_that_nobody_asked_for_spoils_nothing(utterances: pd.DataFrame, cache: Path) -> None:
    _, layers, _ = outputs_of(replace(encoder(), open=Breaks("nan")))
    assert len(build([layers], utterances, cache=cache)) == len(utterances)
    assert status(cache).set_index("set").loc["encoder", "rows"] < len(utterances)


def test_a_wrong_number_of_results_is_told(utterances: pd.DataFrame, cache: Path) -> None:
    lost = replace(encoder(), open=lambda: lambda clips: [])
    with pytest.raises(BadRecordings, match="gave 0 results for 1 clips"):
        build(outputs_of(lost), utterances, cache=cache)


def test_a_view_of_every_output_is_opened_with_the_plain_one(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    plain = encoder(log=log)
    asked = [*outputs_of(plain), *outputs_of(viewed(plain, "noise"))]
    names = [extractor.name for extractor in asked]
    assert names == ["encoder", "encoder/layers", "encoder/frames"] + [
        f"encoder{output}@noise" for output in ("", "/layers", "/frames")
    ]
    table = build(asked, utterances, cache=cache)
    assert len(lines(log, "open")) == 1
    assert {"tiny_0__mean@noise", "tiny_2_3__mean@noise", "encoder/frames@noise"} <= set(table.columns)
    heard = perturb("noise", read(utterances["path"].iloc[0]), RATE)
    np.testing.assert_array_equal(table["encoder/frames@noise"].iloc[0], encoder()(heard, RATE)[2].astype(np.float16))
    assert len({extractor.digest for extractor in asked}) == 6


def test_a_recording_alone_gives_the_row_of_a_table(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    asked = outputs_of(encoder(log=log))
    row = table_row(asked, read(utterances["path"].iloc[0]), RATE)
    assert len(lines(log, "pass")) == 1
    table = build(asked, utterances.iloc[:1], cache=cache)
    assert list(row) == list(table.columns)
    for name, value in row.items():
        np.testing.assert_allclose(np.asarray(table[name].iloc[0], np.float32), value, rtol=1e-3)


@pytest.fixture
def found_by_name(monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
    """Let the measure be found as a set is found by its file."""
    original = extractor_module.plugins.load

    class Module:
        @staticmethod
        def extractor(*, dtype: str = "float16") -> Measure:
            return replace(encoder(log=log, dtype=dtype), params={"dtype": dtype})

    monkeypatch.setattr(
        extractor_module.plugins,
        "load",
        lambda package, name, kind, **more: Module if name == "encoder" else original(package, name, kind, **more),
    )


@pytest.mark.usefixtures("found_by_name")
def test_a_table_asks_for_outputs_by_name(utterances: pd.DataFrame, cache: Path, log: Path) -> None:
    names = ["encoder/layers", "encoder", "encoder/frames", "encoder/frames@noise"]
    table = feature_table(names, utterances, cache=cache, params={"encoder": {"dtype": "float32"}})
    assert list(table.columns)[-2:] == ["encoder/frames", "encoder/frames@noise"]
    assert table["encoder/frames"].iloc[0].dtype == table["encoder/frames@noise"].iloc[0].dtype == np.float32
    assert sum(len(one.split()) for one in lines(log, "pass")) == 2 * len(utterances)
    audio = read(utterances["path"].iloc[0])
    row = extract("encoder/layers", audio, RATE)
    assert isinstance(row, pd.Series)
    assert list(row.index) == get_extractor("encoder/layers").column_names
    assert extract("encoder/frames", audio, RATE).shape == (len(audio) // 160, DIM)
    extractors = [get_extractor(name, dtype="float32") for name in names[:3]]
    kept = {(one.name, one.digest) for one in extractors}
    removed = prune(cache, keep=kept)
    assert all("@noise" in path for path in removed["path"])
    assert len(removed) == 3
    assert {name for name, _ in kept} <= set(status(cache)["set"])


@pytest.mark.usefixtures("found_by_name")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("encoder/frame", "feature set 'encoder': unknown output 'frame'; did you mean 'frames'"),
        ("encoder/mean", "output 'mean' is its first; write 'encoder'"),
        ("encoder/", "unknown output ''"),
        ("mfcc/frames", "feature set 'mfcc': unknown output 'frames'"),
        ("encoder/frames@nois", "unknown view 'nois'"),
        ("encodr/frames", "unknown feature set 'encodr'"),
    ],
)
def test_an_unknown_output_is_one_line(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        get_extractor(name)
    assert "\n" not in str(caught.value)


def test_a_rule_names_columns_as_a_list_does() -> None:
    rule = ColumnRule(
        "ssl_{layer:02d}_{dim:03d}__mean", (("layer", (2, 5)), ("dim", range(3))), "1", "layer {layer}, unit {dim}"
    )
    listed = tuple(
        Column(f"ssl_{layer:02d}_{dim:03d}__mean", "1", f"layer {layer}, unit {dim}")
        for layer in (2, 5)
        for dim in range(3)
    )
    assert tuple(rule) == listed == rule[:] == tuple(rule[i] for i in range(6))
    assert rule[-1] == listed[-1]
    assert rule[1:4] == listed[1:4]
    assert names_of(rule) == rule.names == names_of(listed)
    assert names_of(suffixed(rule, "@noise")) == names_of(suffixed(listed, "@noise"))
    with pytest.raises(IndexError):
        rule[6]
    many = ColumnRule("s_{layer}_{dim}__mean", (("layer", range(13)), ("dim", range(768))), "1", "of a network")
    assert len(many) == 9984
    assert len(pickle.dumps(many)) < 500


def test_an_output_that_does_not_fit_is_refused() -> None:
    columns = tuple(Column(f"c{i}__mean", "1", "something") for i in range(6))
    assert Output("rows", LAYERS, columns, n_layers=3).shape == (3, 2)
    assert Output("rows", OVER_TIME, columns).shape == (None, 6)
    for options, message in (
        ({"axes": ("column", "frame")}, "axes must be"),
        ({"axes": LAYERS}, "n_layers belongs to"),
        ({"axes": ROW, "n_layers": 2}, "n_layers belongs to"),
        ({"axes": LAYERS, "n_layers": 4}, "6 columns are not 4 equal layers"),
        ({"axes": ROW, "dtype": "float16"}, "only arrays over time are kept as float16"),
        ({"axes": ROW, "name": "a/b"}, "letters, digits and underscores"),
        ({"axes": ROW, "columns": ()}, "no columns"),
    ):
        with pytest.raises(ValueError, match=message):
            Output(**{"name": "rows", "columns": columns, **options})  # type: ignore[arg-type]
    one = Output("rows", ROW, columns)
    with pytest.raises(ValueError, match="needs outputs of different names"):
        Measure("x", "1", (one, one), lambda: lambda clips: [])
    with pytest.raises(ValueError, match="device must be 'cpu' or 'gpu', got 'cuda'"):
        Needs(device="cuda")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="batch_s must be a number of seconds above 0"):
        Needs(batch_s=0.0)


def test_weights_count_by_their_content_and_not_by_their_path(tmp_path: Path) -> None:
    def digest(path: Path) -> str:
        return Extractor(encoder(needs=Needs(assets={"weights": Asset(path)}))).digest

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text("{}")
        (tmp_path / folder / "weights.bin").write_bytes(b"1234")
    first = digest(tmp_path / "a")
    assert first == digest(tmp_path / "b")
    assert digest(tmp_path / "a" / "weights.bin") == digest((tmp_path / "b" / "weights.bin").rename(tmp_path / "w"))
    # Under one path, of one length: only the content tells.
    (tmp_path / "a" / "weights.bin").write_bytes(b"1235")
    assert digest(tmp_path / "a") != first
    assert len({digest(tmp_path / "a"), first, Extractor(encoder()).digest}) == 3
    given = Needs(assets={"weights": Asset(tmp_path / "a").digest})
    assert Extractor(encoder(needs=given)).digest == digest(tmp_path / "a")
    with pytest.raises(ValueError, match="is no hexadecimal digest; give Asset"):
        Extractor(encoder(needs=Needs(assets={"weights": str(tmp_path / "a")}))).digest  # noqa: B018
    with pytest.raises(InputError, match="no such file or folder"):
        digest(tmp_path / "nowhere")


def test_replaced_weights_are_measured_and_opened_anew(
    utterances: pd.DataFrame, cache: Path, log: Path, tmp_path: Path
) -> None:
    weights = tmp_path / "weights.bin"
    for content in (b"1234", b"1234", b"1235"):
        weights.write_bytes(content)
        build(outputs_of(encoder(needs=Needs(assets={"weights": Asset(weights)}), log=log)), utterances, cache=cache)
    assert len(lines(log, "open")) == 2
    assert len(lines(log, "pass")) == 2 * len(utterances)


def old_digest(extractor: Extractor) -> str:
    """Return the digest as it was first taken, by which tables were stored ever since."""
    described = {
        "set": extractor.name,
        "version": extractor.version,
        "sample_rate": extractor.sample_rate,
        "params": dict(sorted(extractor.params.items())),
        "dtype": extractor.dtype,
        "libraries": {name: version(name) for name in sorted(extractor.libraries)},
    }
    return hashlib.blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=8).hexdigest()


@pytest.mark.parametrize("view", ["", "@noise"])
@pytest.mark.parametrize("name", sorted({*set_names()} - {"encoder"}))
def test_tables_that_were_stored_before_stay_valid(name: str, view: str) -> None:
    extractor = get_extractor(name + view)
    assert extractor.digest == old_digest(extractor)
    assert identity.of(extractor.identity, size=8) == extractor.digest
    assert extractor.number == 0


def test_the_survey_that_is_stored_stays_valid(cache: Path) -> None:
    from ser_experiments.features.store import survey

    libraries = {"soundfile": version("soundfile"), "libsndfile": soundfile.__libsndfile_version__}
    described = {"set": "_survey", "version": "2", "libraries": libraries}
    digest = hashlib.blake2b(repr(sorted(described.items())).encode(), digest_size=8).hexdigest()
    assert survey.table(cache).folder == cache / "tables" / "_survey" / digest
    audio = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    assert survey.of_audio(audio, RATE)[0] == hashlib.blake2b(audio.data, digest_size=16).hexdigest()


def test_what_the_folder_of_a_table_says(utterances: pd.DataFrame, cache: Path) -> None:
    build(outputs_of(encoder()), utterances.iloc[:1], cache=cache)
    (path,) = (cache / "tables" / "encoder.layers").glob("*/identity.json")
    told = json.loads(path.read_text())
    assert told["axes"] == ["layer", "column"]
    assert told["identity"]["set"] == "encoder/layers"
    assert told["columns"]["numbers"] == {"layer": [0, 1, 2], "dim": [0, 1, 2, 3]}
