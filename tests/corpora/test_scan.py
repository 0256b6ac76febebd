"""Recordings that nobody wrote a loader for: what their paths say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ser_experiments.corpora import load_corpus
from ser_experiments.corpora._scan import scan
from ser_experiments.errors import InputError
from tests.command import ser
from tests.corpora.trees import clips


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for label in ("angry", "sad", "Happy"):
        clips(tmp_path / "voices" / label, *(f"{who}_{n:02d}.wav" for who in ("anna", "bert") for n in (1, 2)))
    return tmp_path / "voices"


def test_a_pattern_says_what_the_parts_are(folder: Path) -> None:
    found = scan(folder, "{label}/{speaker}_{text}.wav")
    assert found.others == []
    row = found.table.set_index("path").loc["angry/anna_01.wav"]
    assert row.to_dict() == {"label": "angry", "speaker": "anna", "text_id": "01"}


def test_it_is_guessed_where_one_part_alone_can_be_what(folder: Path) -> None:
    assert scan(folder).pattern == "{label}/{speaker}_{any}.wav"
    clips(folder, "readme.wav")
    assert scan(folder).others == ["readme.wav"]


def test_what_cannot_be_guessed_is_asked(folder: Path, tmp_path: Path) -> None:
    clips(tmp_path / "numbers", *(f"{word}_{a}_{b}.wav" for word in ("joy", "fear") for a in (1, 2) for b in (1, 2)))
    with pytest.raises(InputError, match="no parts of 'fear_1_1.wav' may be the speaker; say which part is what"):
        scan(tmp_path / "numbers")
    clips(tmp_path / "plain", "a_1.wav", "b_2.wav")
    with pytest.raises(InputError, match="no parts of 'a_1.wav' are words for emotions"):
        scan(tmp_path / "plain")


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("{label}/{x}.wav", r"unknown \{x\}"),
        ("{label}/{any}.wav", r"\{speaker\} must be in it once"),
        ("{label}/{speaker}_{text}_{text}.wav", r"\{text\} is in it twice"),
        ("{label}-{speaker}.wav", "fits none of 12 recordings, e.g. 'Happy/anna_01.wav'"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_said(folder: Path, pattern: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        scan(folder, pattern)


def test_the_list_that_is_written_is_a_corpus(folder: Path, tmp_path: Path) -> None:
    shown = ser("corpora", "scan", str(folder))
    assert shown.returncode == 0, shown.stderr
    assert "12 recordings" in shown.stdout
    assert "nothing is written" in shown.stdout
    for target in (folder / "metadata.csv", tmp_path / "elsewhere.csv"):
        done = ser("corpora", "scan", str(folder), "--write", str(target))
        assert done.returncode == 0, done.stderr
        assert f"written: {target}" in done.stdout
        corpus = load_corpus("manifest", target)
        assert len(corpus.utterances) == 12
        assert set(corpus.utterances["speaker"]) == {"anna", "bert"}
        assert set(pd.read_csv(target)["label"]) == {"angry", "sad", "Happy"}
    again = ser("corpora", "scan", str(folder), "--write", str(target))
    assert again.returncode == 2
    assert "is there already; choose another name" in again.stderr


def test_a_list_that_cannot_be_written_is_said(folder: Path) -> None:
    done = ser("corpora", "scan", str(folder), "--write", str(folder / "nowhere" / "list.csv"))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr


def test_a_name_that_is_no_text_is_said(folder: Path) -> None:
    (folder / "sad" / "anna_01.wav").rename(folder / "sad" / "anna_01\udce9.wav")
    done = ser("corpora", "scan", str(folder), "--write", str(folder / "list.csv"))
    assert done.returncode == 0, done.stderr
    assert "note: 1 recordings are not named so, e.g. sad/anna_01" in done.stdout
    assert len(pd.read_csv(folder / "list.csv")) == 11
