"""Recordings on both sides of a fold under other names: each leak is planted, and nothing else is accused."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import soxr
from scipy.signal import butter, sosfilt

from ser_experiments.audio import read_audio
from ser_experiments.errors import LeakError
from ser_experiments.evaluation.copies import find_copies
from ser_experiments.evaluation.cutting import make_folds
from ser_experiments.evaluation.equal_rows import equal_rows
from ser_experiments.evaluation.tripwires import check_leaks
from ser_experiments.experiment import run_experiment
from ser_experiments.features.dsp.envelope import envelope
from tests.command import ser

RATE = 16_000
Audio = np.ndarray


def voice(seed: int, seconds: float = 2.4, rate: int = RATE) -> Audio:
    """Return something like speech: syllables of a gliding pitch under moving resonances, with a little noise."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    ends = np.sort(rng.choice(np.arange(1, int(seconds * 20)), int(seconds * 5), replace=False)) / 20
    times, at = np.r_[0, ends, seconds], np.arange(n) / rate
    loud = np.interp(at, times, rng.uniform(0, 1, len(times)) ** 2)
    pitch = np.interp(at, times, rng.uniform(100, 260, len(times)))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    middle = [np.interp(at, times, rng.uniform(low, high, len(times))) for low, high in ((300, 900), (900, 2500))]
    found = np.zeros(n)
    for k in range(1, 30):
        heard = sum(np.exp(-(((k * pitch - centre) / 200) ** 2)) for centre in middle)
        found += (k * pitch < rate / 2.2) * (heard + 0.02) * np.sin(k * phase)
    found = loud * found + 0.003 * rng.standard_normal(n)
    return (0.3 * found / np.abs(found).max()).astype(np.float32)


def coded(audio: Audio, rate: int, kind: str, subtype: str, folder: Path) -> tuple[Audio, int]:
    path = folder / f"coded.{kind.lower()}"
    soundfile.write(path, soxr.resample(audio, RATE, rate), rate, format=kind, subtype=subtype)
    with soundfile.SoundFile(path) as file:
        return file.read(file.frames, dtype="float32"), rate


def noise(n: int) -> Audio:
    return np.random.default_rng(9).standard_normal(n).astype(np.float32)


def smooth(values: Audio, n: int) -> Audio:
    return np.convolve(values, np.ones(n) / n, mode="same")


def filtered(audio: Audio) -> Audio:
    band = butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
    return sosfilt(band, audio).astype(np.float32)


def shifted(audio: Audio, begin: float, end: float) -> Audio:
    return audio[int(begin * RATE) + 77 : len(audio) - int(end * RATE)]


COPIES: dict[str, Callable[[Audio, Path], tuple[Audio, int]]] = {
    "ogg at 48 kHz": lambda a, f: coded(a, 48_000, "OGG", "VORBIS", f),
    "opus": lambda a, f: coded(a, 48_000, "OGG", "OPUS", f),
    "mp3": lambda a, f: coded(a, 44_100, "MP3", "MPEG_LAYER_III", f),
    "gsm": lambda a, f: coded(a, 8_000, "WAV", "GSM610", f),
    "mu-law": lambda a, f: coded(a, 8_000, "WAV", "ULAW", f),
    "8 bits": lambda a, f: coded(a, 16_000, "WAV", "PCM_U8", f),
    "another rate": lambda a, f: (soxr.resample(a, RATE, 22_050).astype(np.float32), 22_050),
    "12 dB softer": lambda a, f: (0.25 * a, RATE),
    "12 dB louder, clipped": lambda a, f: (np.clip(4 * a, -1, 1), RATE),
    "upside down": lambda a, f: (-a, RATE),
    "trimmed in front": lambda a, f: (shifted(a, 0.3, 0), RATE),
    "trimmed behind": lambda a, f: (shifted(a, 0, 0.4), RATE),
    "trimmed on both sides": lambda a, f: (shifted(a, 0.15, 0.2), RATE),
    "in silence": lambda a, f: (np.pad(a, (9_000, 12_345)), RATE),
    "all of it": lambda a, f: coded(0.3 * shifted(a, 0.12, 0.1), 44_100, "MP3", "MPEG_LAYER_III", f),
    "through a telephone": lambda a, f: (filtered(a), RATE),
    "noise 20 dB below": lambda a, f: (a + 0.1 * a.std() * noise(len(a)), RATE),
    "levels made even": lambda a, f: ((a / np.sqrt(np.abs(smooth(np.abs(a), 4000)) + 0.01)).astype(np.float32), RATE),
    "adpcm at 11 kHz": lambda a, f: coded(a, 11_025, "WAV", "IMA_ADPCM", f),
    "a little faster": lambda a, f: (soxr.resample(a, RATE, int(RATE / 1.01)).astype(np.float32), RATE),
}


#: What every change is held against; the others are slow.
FIRST = {"ogg at 48 kHz", "trimmed on both sides"}


@pytest.mark.parametrize(
    "name", [name if name in FIRST else pytest.param(name, marks=pytest.mark.slow) for name in COPIES]
)
def test_a_recording_is_found_whatever_was_done_to_it(name: str, tmp_path: Path) -> None:
    voices = [voice(seed) for seed in range(20)]
    known = [envelope(audio, RATE).tobytes() for audio in voices]
    again = [envelope(*COPIES[name](audio, tmp_path)).tobytes() for audio in voices]
    found = {(first, second) for first, second, _ in find_copies(known + again)}
    assert found <= {(i, 20 + i) for i in range(20)}
    assert len(found) >= 18


@pytest.mark.parametrize("seconds", [0.45, 0.6, 0.8])
@pytest.mark.parametrize("name", ["ogg at 48 kHz", "12 dB softer", "another rate"])
def test_single_words_are_found_too(seconds: float, name: str, tmp_path: Path) -> None:
    voices = [voice(seed, seconds) for seed in range(20)]
    known = [envelope(audio, RATE).tobytes() for audio in voices]
    again = [envelope(*COPIES[name](audio, tmp_path)).tobytes() for audio in voices]
    assert find_copies(known) == []
    found = {(first, second) for first, second, _ in find_copies(known + again)}
    assert found <= {(i, 20 + i) for i in range(20)}
    assert len(found) >= 14


@pytest.mark.slow
def test_recordings_that_only_sound_alike_are_not_accused() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(2 * RATE) / RATE
    fade = np.hanning(len(t))
    others = [
        *(voice(seed) for seed in range(60)),
        # One melody at another speed, or with other syllables.
        *(soxr.resample(voice(3), RATE, int(RATE * speed)).astype(np.float32) for speed in (0.85, 0.93, 1.08)),
        # Tones, hums and noises of one shape.
        *((0.2 * fade * np.sin(2 * np.pi * hz * t)).astype(np.float32) for hz in (300, 305, 310, 440)),
        *((0.2 * fade * rng.standard_normal(len(t))).astype(np.float32) for _ in range(4)),
        *((0.1 * rng.standard_normal(len(t))).astype(np.float32) for _ in range(4)),
        *(voice(100 + seed, seconds=0.6) for seed in range(20)),
        np.zeros(10, np.float32) + 0.1,
    ]
    assert find_copies([*(envelope(audio, RATE).tobytes() for audio in others), None, b""]) == []


@pytest.mark.slow
@pytest.mark.skipif("SER_TEST_CORPORA" not in os.environ, reason="needs real speech: set SER_TEST_CORPORA")
@pytest.mark.parametrize("corpus", ["emodb4", "nemo_subset"])
def test_two_takes_of_a_sentence_are_two_and_copies_are_one(corpus: str, tmp_path: Path) -> None:
    """Ten actors say the same ten sentences: nobody is accused, and every copy among them is found."""
    files = sorted((Path(os.environ["SER_TEST_CORPORA"]) / corpus / "audio").iterdir())
    read = [read_audio(file) for file in files]
    known = [envelope(audio, rate).tobytes() for audio, rate in read]
    assert find_copies(known) == []
    some = range(0, len(files), len(files) // 20)
    for name in ("ogg at 48 kHz", "mp3", "gsm", "12 dB softer", "in silence"):
        at_rate = {i: soxr.resample(read[i][0], read[i][1], RATE).astype(np.float32) for i in some}
        again = [envelope(*COPIES[name](at_rate[i], tmp_path)).tobytes() for i in some]
        found = {(first, second) for first, second, _ in find_copies(known + again)}
        assert found == {(i, len(known) + k) for k, i in enumerate(some)}


@pytest.mark.slow
def test_many_recordings_take_seconds() -> None:
    """Twice the recordings take about twice the time, not four times."""
    rng = np.random.default_rng(0)

    def many(n: int) -> list[bytes]:
        shapes = (np.repeat(rng.normal(160, 50, (30, 32)), 3, axis=0) for _ in range(n))
        return [np.clip(one, 0, 255).astype(np.uint8).tobytes() for one in shapes]

    took = []
    for n in (500, 4000):
        envelopes = many(n)
        began = time.process_time()
        assert [pair[:2] for pair in find_copies([*envelopes, envelopes[7]])] == [(7, n)]
        took.append(time.process_time() - began)
    assert took[1] < 24 * took[0] + 1


def utterances(**columns: list[object]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    usual = {"path": [f"/d/{i}.wav" for i in range(n)], "start_s": np.nan, "end_s": np.nan, "session": None}
    index = pd.Index([f"u{i}" for i in range(n)], name="utterance_id")
    return pd.DataFrame({**usual, **columns}, index=index)


def checked(rows: pd.DataFrame, protocol: str = "leave-one-speaker-out", **known: object) -> list[str]:
    return check_leaks(make_folds(rows, protocol), rows, **known)  # type: ignore[arg-type]


def test_a_copy_across_folds_stops_and_is_named_and_one_beside_it_is_counted() -> None:
    sounds = [voice(0), voice(1), voice(2), 0.2 * voice(0)]
    known = {"envelope": [envelope(audio, RATE).tobytes() for audio in sounds]}
    apart = utterances(speaker=["a", "a", "b", "b"])
    with pytest.raises(
        LeakError, match=r"'a' tests 'u0' \(0.wav, speaker 'a'\) .* on 'u3' \(3.wav, speaker 'b'\): one"
    ):
        checked(apart, envelope=pd.Series(known["envelope"], index=apart.index))
    beside = utterances(speaker=["a", "b", "b", "a"])
    (said,) = checked(beside, envelope=pd.Series(known["envelope"], index=beside.index))
    assert said.startswith("1 pairs of utterances are copies of each other on one side of every fold")
    assert "'u0' and 'u3'" in said


OVERLAPS = [
    ((5.0, 6.0), (5.97, 7.0)),
    ((0.0, 0.5), (np.nan, 0.4)),
    ((0.25, np.nan), (40.0, 41.0)),
    ((0.0, 1.0), (0.05, 1.05)),
    ((0.0, 1.0), (0.9, 2.0)),
    ((0.0, 5.0), (2.0, 3.0)),
    ((np.nan, np.nan), (2.0, 3.0)),
    ((1.0, np.nan), (2.0, 3.0)),
    ((0.0, 1.0), (0.0, 1.0)),
]


@pytest.mark.parametrize(("one", "other"), OVERLAPS)
def test_segments_that_overlap_across_folds_stop(one: tuple[float, float], other: tuple[float, float]) -> None:
    starts, ends = [one[0], 20.0, other[0], 30.0], [one[1], 21.0, other[1], 31.0]
    if np.isnan(one[1]):
        starts[1:2], starts[3:] = [np.nan], [np.nan]
    paths = ["/d/x.wav", "/d/y.wav", "/d/x.wav", "/d/z.wav"]
    rows = utterances(path=paths, start_s=starts, end_s=ends, speaker=["03", "03", "03b", "03b"])
    with pytest.raises(
        LeakError, match=r"tests 'u0' .*speaker '03'\).* on 'u2' .*speaker '03b'\): segments of one file"
    ):
        checked(rows)
    assert checked(rows.assign(speaker=["a", "b", "a", "b"])) == []


def test_a_file_is_known_by_its_content_and_by_where_it_lies(tmp_path: Path) -> None:
    rows = utterances(start_s=[0.0, 5.0, 0.1, 5.0], end_s=[1.0, 6.0, 1.1, 6.0], speaker=["a", "a", "b", "b"])
    content = pd.Series([b"x", b"y", b"x", b"z"], index=rows.index)
    with pytest.raises(LeakError, match=r"overlap by 0.90 s; remove one, or keep files together"):
        checked(rows, content=content)
    (tmp_path / "x.wav").write_bytes(b"x")
    (tmp_path / "link.wav").symlink_to(tmp_path / "x.wav")
    paths = [str(tmp_path / "x.wav"), "/d/1.wav", str(tmp_path / "link.wav"), "/d/3.wav"]
    with pytest.raises(LeakError, match="overlap by 0.90 s"):
        checked(rows.assign(path=paths))


def test_speakers_of_one_file_share_a_room_and_a_protocol_keeps_them_together() -> None:
    rows = utterances(
        path=["/d/x.wav", "/d/x.wav", "/d/y.wav", "/d/y.wav", "/d/z.wav"],
        start_s=[0.0, 1.0, 0.0, 1.0, 0.0], end_s=[1.0, 2.0, 1.01, 2.0, 1.0], speaker=["a", "b", "c", "d", "e"],
    )  # fmt: skip
    (said,) = checked(rows)
    assert said.startswith("2 files hold segments of several speakers on both sides of folds (e.g. 'u0': a, b)")
    assert "--protocol leave-one-recording-out" in said
    assert checked(rows, "leave-one-recording-out") == []
    folds = make_folds(rows, "leave-one-recording-out")
    assert [fold.name for fold in folds.folds] == ["x.wav", "y.wav", "z.wav"]
    assert folds.unit == "recording"
    joined = make_folds(rows.assign(speaker=["a", "b", "c", "a", "e"]), "leave-one-recording-out")
    assert [fold.name for fold in joined.folds] == ["x.wav+1", "z.wav"]


def table_of(n: int = 40, n_columns: int = 30) -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).normal(3, 2, (n, n_columns)).astype(np.float32))


@pytest.mark.parametrize("rounded", [8, 5, 4])
def test_equal_rows_of_a_table_stop(rounded: int) -> None:
    table = table_of()
    table.iloc[30:] = table.iloc[:10].round(rounded).to_numpy()
    assert equal_rows(table) == [(i, 30 + i) for i in range(10)]
    rows = utterances(speaker=["a"] * 20 + ["b"] * 20)
    with pytest.raises(LeakError, match=r"'u0' .* on 'u30' .*: equal rows of the table, and 9 more pairs; remove one"):
        checked(rows, table=table.set_axis(rows.index))


def test_rows_that_are_equal_by_chance_are_not_accused() -> None:
    assert equal_rows(table_of()) == []
    few = pd.DataFrame({"gender": [0.0, 1.0] * 20, "n": np.arange(40) % 7, "x": np.arange(40) // 4})
    assert equal_rows(few) == []
    assert equal_rows(table_of(0)) == equal_rows(table_of(1)) == []


def test_the_command_stops_at_a_corpus_that_was_encoded_again(tmp_path: Path, project_folder: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    lines = ["path,label,speaker"]
    for i in range(12):
        audio, label = voice(i, 1.6), ("anger", "joy")[i % 2]
        soundfile.write(folder / f"{i}.wav", audio, RATE)
        soundfile.write(folder / f"{i}.ogg", 0.5 * soxr.resample(audio, RATE, 48_000), 48_000)
        lines += [f"{i}.wav,{label},p{i % 3}", f"{i}.ogg,{label},q{i % 3}"]
    (folder / "metadata.csv").write_text("\n".join(lines))
    given = ("--corpus", "manifest", "--root", str(folder), "--no-log")
    found = ser("run", "svm_lld", *given)
    assert found.returncode != 0
    assert "one recording, encoded again" in found.stderr
    assert "and 11 more pairs" in found.stderr
    for protocol in ("random", "grouped-k-fold"):
        assert "encoded again" in ser("run", "dummy", *given, "--protocol", protocol).stderr
    (folder / "metadata.csv").write_text("\n".join(line.replace(",q", ",p") for line in lines))
    honest = ser("run", "dummy", *given)
    assert honest.returncode == 0, honest.stderr
    assert "12 pairs of utterances are copies of each other" in honest.stdout


def test_copies_beside_a_ready_made_table_stop_a_run(tmp_path: Path, project_folder: Path) -> None:
    """Numbers of two codecs differ, so that no row is equal to another: what tells is the recordings."""
    lines, rng = ["path,label,speaker"], np.random.default_rng(0)
    for i in range(12):
        audio = voice(i, 1.0)
        soundfile.write(tmp_path / f"{i}.wav", audio, RATE)
        soundfile.write(tmp_path / f"{i}.ogg", 0.5 * soxr.resample(audio, RATE, 48_000), 48_000)
        lines += [f"{i}.wav,{'xy'[i % 2]},p{i % 3}", f"{i}.ogg,{'xy'[i % 2]},q{i % 3}"]
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    ids = [line.partition(",")[0] for line in lines[1:]]
    numbers = pd.DataFrame(rng.normal(size=(24, 8)), columns=list("abcdefgh"), index=pd.Index(ids, name="path"))
    numbers.to_csv(tmp_path / "t.csv")
    where = {"corpus": "manifest", "root": tmp_path, "table": tmp_path / "t.csv", "log_run": False, "jobs": 1}
    with pytest.raises(LeakError, match="one recording, encoded again .*, and 11 more pairs"):
        run_experiment("dummy", **where)
    for i in range(12):
        (tmp_path / f"{i}.ogg").write_bytes(b"")
    honest = run_experiment("dummy", **where)
    assert any("12 of 24 recordings cannot be read (e.g. '0.ogg')" in line for line in honest.warnings)
    assert honest.prepared.facts is None


@pytest.mark.slow
def test_a_perfect_score_has_a_line_of_its_own(tmp_path: Path, project_folder: Path) -> None:
    lines, cells = ["path,label,speaker"], ["utterance_id,x,y,knows"]
    rng = np.random.default_rng(0)
    for speaker in range(4):
        for i in range(8):
            soundfile.write(tmp_path / f"{speaker}-{i}.wav", voice(8 * speaker + i, 0.3), RATE)
            label = ("anger", "joy")[i % 2]
            lines.append(f"{speaker}-{i}.wav,{label},s{speaker}")
            cells.append(f"{speaker}-{i}.wav,{rng.normal()},{rng.normal()},{i % 2}")
    (tmp_path / "metadata.csv").write_text("\n".join(lines))
    (tmp_path / "t.csv").write_text("\n".join(cells))
    given = ("--corpus", "manifest", "--root", str(tmp_path), "--no-log", "--table", str(tmp_path / "t.csv"))
    assert "column 'knows' is no feature: it tells the label" in ser("run", "rf_lld", *given).stderr
    allowed = ser("run", "rf_lld", *given, "--allow-column", "knows")
    assert allowed.returncode == 0, allowed.stderr
    assert "note: UAR 1.000 with an interval of width zero" in allowed.stdout
    assert "column 'knows' of the table was allowed" in allowed.stdout
    assert "width zero" not in ser("run", "dummy", *given[:-2]).stdout
