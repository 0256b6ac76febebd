"""Tables of other programs: what is taken, and above all what is refused, each in one line that says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ser_experiments.errors import InputError
from ser_experiments.features import read_table
from ser_experiments.features.external import GIVE_AWAY


@pytest.fixture
def utterances() -> pd.DataFrame:
    index = pd.Index(["a1", "b1", "b2"], name="utterance_id")
    paths = ["/data/a/one.wav", "/data/b/one.wav", "/data/b/two.wav"]
    return pd.DataFrame({"path": paths, "start_s": np.nan, "end_s": np.nan, "speaker": ["a", "b", "b"]}, index=index)


@pytest.fixture
def segments() -> pd.DataFrame:
    """Return three pieces of one file."""
    index = pd.Index(["s0", "s1", "s2"], name="utterance_id")
    times = {"start_s": [0.0, 1.0, 2.3], "end_s": [1.0, 2.3, np.nan]}
    return pd.DataFrame({"path": "/data/dialog.wav", **times, "speaker": "a"}, index=index)


def table(**changes: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"utterance_id": ["a1", "b1", "b2"], "x": [1.0, 2.0, 3.0], "y": [4.0, 5.0, 6.0]} | changes)


@pytest.fixture(params=["csv", "parquet"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[pd.DataFrame], Path]:
    """Return what writes a table in either form."""

    def writing(frame: pd.DataFrame) -> Path:
        path = tmp_path / f"t.{request.param}"
        frame.to_csv(path, index=False) if request.param == "csv" else frame.to_parquet(path, index=False)
        return path

    return writing


Write = Callable[[pd.DataFrame], Path]


def refused(path: Path, utterances: pd.DataFrame) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path, utterances)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"table {path}: ")
    return str(caught.value).removeprefix(f"table {path}: ")


def test_rows_come_in_the_order_of_the_utterances(write: Write, utterances: pd.DataFrame) -> None:
    frame = table(utterance_id=["b2", "other", "a1"], x=[3.0, 9.0, 1.0])
    frame = pd.concat([frame, pd.DataFrame({"utterance_id": ["b1"], "x": [2.0], "y": [np.nan]})])
    found = read_table(write(frame), utterances)
    assert list(found.index) == ["a1", "b1", "b2"]
    assert list(found.columns) == ["x", "y"]
    assert found["x"].tolist() == [1.0, 2.0, 3.0]
    assert found["x"].dtype == np.float32
    assert found["y"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize("name", [*GIVE_AWAY, "Emotion", " label ", "VALENCE"])
def test_a_column_that_gives_the_answer_away_is_refused(name: str, write: Write, utterances: pd.DataFrame) -> None:
    frame = table().assign(**{name: [0.0, 1.0, 0.0]})
    said = refused(write(frame), utterances)
    assert said == f"column {name!r} is no feature but what the corpus says; remove it"


def test_what_gives_the_answer_away_covers_what_a_corpus_says() -> None:
    """Numbers under these names would be learned from as features: the guard is only as good as its list."""
    assert {"label", "emotion", "speaker", "session", "gender", "group", "fold", "valence", "arousal"} <= set(GIVE_AWAY)


def test_a_feature_that_only_sounds_like_it_is_taken(write: Write, utterances: pd.DataFrame) -> None:
    found = read_table(write(table().assign(label_entropy=[1.0, 2.0, 3.0], speaker_rate=[1, 2, 3])), utterances)
    assert list(found.columns) == ["x", "y", "label_entropy", "speaker_rate"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": [1.0, np.inf, 2.0]}, "column 'x' of 'b1' is infinite as a 32-bit number"),
        ({"y": [1.0, 2.0, -1e300]}, "column 'y' of 'b2' is infinite as a 32-bit number"),
        ({"y": [np.nan] * 3}, "column 'y' holds no number at all; remove it"),
        ({"x": ["low", "high", "low"]}, "column 'x' is not numeric; remove it"),
        (
            {"utterance_id": ["a1", "b1", "b1"]},
            "no row for 1 of 3 utterances: 'b2'; its column 'utterance_id' holds 'a1', 'b1' and 1 more",
        ),
    ],
)
def test_numbers_that_are_none_are_refused(
    changes: dict[str, list[object]], message: str, write: Write, utterances: pd.DataFrame
) -> None:
    with np.errstate(over="ignore"):
        assert refused(write(table(**changes)), utterances) == message


def test_an_utterance_with_two_rows_is_refused(write: Write, utterances: pd.DataFrame) -> None:
    frames = pd.concat([table(), table().iloc[[1]]])
    said = refused(write(frames), utterances)
    assert said == "2 rows for utterance 'b1'; need one row an utterance (functionals, not frames)"


def test_a_file_name_that_two_utterances_share_tells_neither(write: Write, utterances: pd.DataFrame) -> None:
    """`one.wav` is of two speakers: the folder before it decides, and without one nothing is guessed."""
    frame = table().drop(columns="utterance_id")
    known = read_table(write(frame.assign(file=["x/b/one.wav", "x/a/one.wav", "x/b/two.wav"])), utterances)
    assert known["x"].tolist() == [2.0, 1.0, 3.0]
    said = refused(write(frame.assign(file=["one.wav", "one.wav", "two.wav"])), utterances)
    assert said.startswith("no row for 3 of 3 utterances: 'a1', 'b1', 'b2'; its column 'file' names none of them")


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("file", ["/data/a/one.wav", "/data/b/one.wav", "/data/b/two.wav"]),
        ("path", ["./a/one.wav", "./b/one.wav", "./b/two.wav"]),
        ("filename", ["C:\\mine\\a\\one.wav", "C:\\mine\\b\\one.wav", "C:\\mine\\b\\two.wav"]),
        ("name", ["a1", "b1", "b2"]),
    ],
)
def test_how_an_utterance_may_be_named(column: str, names: list[str], write: Write, utterances: pd.DataFrame) -> None:
    frame = table().drop(columns="utterance_id")
    frame.insert(1, column, names)
    assert read_table(write(frame), utterances)["x"].tolist() == [1.0, 2.0, 3.0]


def test_file_names_that_differ_need_no_folder_and_no_ending(write: Write, utterances: pd.DataFrame) -> None:
    apart = utterances.assign(path=["/data/one.wav", "/data/two.wav", "/data/three.wav"])
    frame = table().drop(columns="utterance_id")
    for names in (["one.wav", "two.wav", "three.wav"], ["one", "two", "three.flac"]):
        assert read_table(write(frame.assign(file=names)), apart)["x"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("as_text", [False, True])
def test_segments_of_opensmile(as_text: bool, write: Write, segments: pd.DataFrame) -> None:
    """openSMILE's `file, start, end`, in seconds or as pandas writes durations, in another order."""
    start, end = [2.3, 0.0, 1.0], [3.1, 1.0, 2.3]
    whole = segments.assign(end_s=segments["end_s"].fillna(3.1))
    frame = pd.DataFrame({"file": "/data/dialog.wav", "start": start, "end": end, "x": [2.0, 0.0, 1.0]})
    if as_text:
        for name in ("start", "end"):
            frame[name] = pd.to_timedelta(frame[name], unit="s").astype(str)
    found = read_table(write(frame), whole)
    assert list(found.columns) == ["x"]
    assert found["x"].tolist() == [0.0, 1.0, 2.0]


def test_the_end_of_the_file_may_be_left_open(write: Write, segments: pd.DataFrame) -> None:
    frame = pd.DataFrame({"file": "dialog.wav", "start": [0.0, 1.0, 2.3], "end": [1.0, 2.3, np.nan], "x": [0, 1, 2]})
    assert read_table(write(frame), segments)["x"].tolist() == [0.0, 1.0, 2.0]


def test_the_index_of_opensmile_is_read_from_parquet(tmp_path: Path, segments: pd.DataFrame) -> None:
    whole = segments.assign(end_s=segments["end_s"].fillna(3.1))
    index = pd.MultiIndex.from_arrays(
        [
            ["/data/dialog.wav"] * 3,
            pd.to_timedelta(whole["start_s"].to_numpy(), unit="s"),
            pd.to_timedelta(whole["end_s"].to_numpy(), unit="s"),
        ],
        names=["file", "start", "end"],
    )
    pd.DataFrame({"x": [0.0, 1.0, 2.0]}, index=index).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", whole)["x"].tolist() == [0.0, 1.0, 2.0]


def test_segments_that_are_missing_or_unreadable_are_told(write: Write, segments: pd.DataFrame) -> None:
    frame = pd.DataFrame({"file": "dialog.wav", "start": [0.0, 1.0], "end": [1.0, 2.3], "x": [0, 1]})
    assert refused(write(frame), segments).startswith("no row for 1 of 3 utterances: 's2'; its column 'file' holds")
    shifted = frame.assign(start=[0.0, 1.1])
    assert "no row for 2 of 3 utterances: 's1', 's2'" in refused(write(shifted), segments)
    wrong = frame.assign(start=["soon", "later"])
    assert refused(write(wrong), segments) == "column 'start' holds neither seconds nor durations"


def test_pieces_of_one_file_without_their_times_tell_nothing(write: Write, segments: pd.DataFrame) -> None:
    frame = pd.DataFrame({"file": "dialog.wav", "x": [0.0, 1.0, 2.0]})
    assert "no row for 3 of 3 utterances" in refused(write(frame), segments)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utterance_id,x,x\na1,1,2\n", "column 'x' occurs twice; keep one"),
        ("who,x\na1,1\n", "no column 'utterance_id' (or file, filename, path, name) among its 2"),
        ("utterance_id\na1\n", "no column of features beside 'utterance_id'"),
        ("file,start,end\na1,0,1\n", "no column of features beside 'file'"),
        ("utterance_id,x\n", "no rows; expected one an utterance"),
        ("utterance_id,x\na1,1,2,3\n", "cannot be read as CSV in UTF-8: "),
    ],
)
def test_a_file_that_is_no_table_is_told(text: str, message: str, tmp_path: Path, utterances: pd.DataFrame) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text)
    assert refused(path, utterances).startswith(message)


def test_bytes_that_are_no_text_are_told(tmp_path: Path, utterances: pd.DataFrame) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"utterance_id,x\n\xff\xfe,1\n")
    assert refused(path, utterances).startswith("cannot be read as CSV in UTF-8: ")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and no more")
    assert refused(tmp_path / "t.parquet", utterances).startswith("cannot be read as Parquet: ")
    assert refused(tmp_path, utterances) == "is a folder"
    assert refused(tmp_path / "no.csv", utterances) == "no such file"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_identifiers_are_text_whatever_they_look_like(separator: str, tmp_path: Path) -> None:
    ids = ["03", "NA", "1e5", "'quoted'"]
    lines = [separator.join(each) for each in (("utterance_id", "x"), *zip(ids, "1234", strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    index = pd.Index([one.strip("'") for one in ids], name="utterance_id")
    utterances = pd.DataFrame({"path": [f"{i}.wav" for i in index], "speaker": "s"}, index=index)
    assert read_table(tmp_path / "t.csv", utterances)["x"].tolist() == [1.0, 2.0, 3.0, 4.0]
