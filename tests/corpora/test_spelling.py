"""One person under two spellings would be two speakers: both are named, and nothing runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ser_experiments import load_corpus
from ser_experiments.corpora._spelling import folded_name
from ser_experiments.errors import InputError
from tests.command import ser
from tests.iemocap_tree import tone

SAME = [
    ("S03", "s03"), ("03", "3"), ("1.0", "1"), ("01.00", "1"), ("spk_03", "spk-03"), ("spk 03", "spk03"),
    ("Anna ", "anna"), ("A  B", "a b"), ("Jos\u00e9", "Jose\u0301"), ("\uff33\uff10\uff13", "S3"), ("S3", "S3\ufeff"),
    ("S-003", "s.3"), ("1,0", "1"), ("P 01", "P\u00a01"), ("'07", "7"), ("Speaker #3", "speaker 03"), ("\u2163", "IV"),
    ("O'Brien", "O\u2019Brien"), ("ana\u200b", "ANA"), ("\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2"),
    ("(anna)", "anna"), ("STRASSE", "straße"), ("speaker-1", "Speaker_01"), ("F\u0661", "f1"), ("1_02", "01-2"),
]  # fmt: skip
OTHER = [
    ("S03", "S30"), ("1", "10"), ("1-1", "11"), ("1.1", "11"), ("anna", "hanna"), ("03a", "03b"), ("0", "1"),
    ("F1", "M1"), ("-", "?"), ("1.5", "1"), ("s1", "1"), ("ann", "anne"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_is_one_name(one: str, other: str) -> None:
    assert folded_name(one) == folded_name(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_is_two_names(one: str, other: str) -> None:
    assert folded_name(one) != folded_name(other)


def manifest(folder: Path, speakers: list[str], sessions: list[str] | None = None) -> Path:
    lines = ["path,label,speaker" + (",session" if sessions else "")]
    for at, speaker in enumerate(speakers):
        for label in ("anger", "joy"):
            tone(folder / f"{at}{label}.wav", 10 * at + len(label), seconds=0.1)
            lines.append(f"{at}{label}.wav,{label},{speaker}" + (f",{sessions[at]}" if sessions else ""))
    (folder / "metadata.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize(("one", "other"), [("S03", "s03"), ("03", "3"), ("1.0", "1"), ("spk_03", "spk-03")])
def test_a_speaker_in_two_spellings_stops_a_run(one: str, other: str, tmp_path: Path) -> None:
    root = manifest(tmp_path, [one, "b", other])
    with pytest.raises(InputError) as caught:
        load_corpus("manifest", root)
    said = str(caught.value)
    assert f"speaker {one!r} (line 2, '0anger.wav') and {other!r} (line 6, '2anger.wav') are one name" in said
    assert load_corpus("manifest", root, as_spelled=True).utterances["speaker"].nunique() == 3


def test_so_do_sessions(tmp_path: Path) -> None:
    root = manifest(tmp_path, ["a", "b", "c"], ["Day 1", "Day 2", "day_01"])
    with pytest.raises(InputError, match=r"session 'Day 1' \(line 2.*\) and 'day_01' \(line 6"):
        load_corpus("manifest", root)


def test_the_command_says_how_they_are_two(tmp_path: Path, project_folder: Path) -> None:
    root = str(manifest(tmp_path / "mine", ["A1", "b", "a1"]))
    found = ser("run", "dummy", "--corpus", "manifest", "--root", root, "--no-log")
    assert found.returncode == 2
    assert "--as-spelled" in found.stderr
    assert ser("run", "dummy", "--corpus", "manifest", "--root", root, "--no-log", "--as-spelled").returncode == 0
