"""Manifests: what is read, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ser_experiments.corpora import load_corpus
from ser_experiments.errors import InputError
from tests.iemocap_tree import tone

ROWS = [
    ("a.wav", "Anger", "01"),
    ("b.wav", "neutral", "01"),
    ("c.wav", "anger", "02"),
    ("sub/d é.wav", "neutral", "02"),
]


def write(folder: Path, text: str, name: str = "metadata.csv") -> Path:
    for i, (path, _, _) in enumerate(ROWS):
        tone(folder / path, i)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def plain(separator: str = ",", header: str = "path,label,speaker") -> str:
    lines = [separator.join(header.split(","))] + [separator.join(row) for row in ROWS]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_plain(tmp_path: Path, separator: str) -> None:
    corpus = load_corpus("manifest", write(tmp_path / "mine", plain(separator)))
    assert corpus.name == "mine"
    assert corpus.classes == ["anger", "neutral"]
    assert list(corpus.utterances["speaker"]) == ["01", "01", "02", "02"]
    assert list(corpus.utterances.index) == ["a.wav", "b.wav", "c.wav", "sub/d é.wav"]
    assert corpus.utterances["session"].isna().all()


def test_a_folder_will_do(tmp_path: Path) -> None:
    write(tmp_path, plain(header="path,emotion,speaker"))
    assert len(load_corpus("manifest", tmp_path, name="own").utterances) == 4


def test_label_schemes_know_other_words(tmp_path: Path) -> None:
    corpus = load_corpus("manifest", write(tmp_path, plain()), "4class")
    assert corpus.classes == ["angry", "neutral"]


def test_segments_make_ids_of_their_own(tmp_path: Path) -> None:
    text = "path,label,speaker,start,end\na.wav,x,1,0,0.2\na.wav,y,1,0.2,0.4\nb.wav,x,2,,\nc.wav,y,2,,\n"
    table = load_corpus("manifest", write(tmp_path, text)).utterances
    assert list(table.index) == ["a.wav[0-0.2]", "a.wav[0.2-0.4]", "b.wav", "c.wav"]
    assert table["end_s"].iloc[0] == 0.2
    assert np.isnan(table["end_s"].iloc[2])


def test_byte_order_mark_blank_lines_and_extra_columns(tmp_path: Path) -> None:
    text = "\ufeffpath,label,speaker,age\na.wav,x,1,30\n\nb.wav,y,2,31\n"
    table = load_corpus("manifest", write(tmp_path, text)).utterances
    assert list(table["age"]) == ["30", "31"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,speaker\na.wav,1\n", r"no column 'label' \(or 'emotion'\); got path, speaker"),
        ("label,speaker\nx,1\n", "no column 'path'"),
        ("path,label\na.wav,x\n", "no column 'speaker'"),
        ("path,label,speaker\na.wav,,1\n", "line 2: empty 'label'"),
        ("path,label,speaker\na.wav,x,\n", "line 2: empty 'speaker'"),
        ("path,label,speaker\nno.wav,x,1\n", r"1 missing files: 'no.wav' \(line 2\)"),
        ("path,label,speaker\na.wav,x,1\na.wav,y,2\n", "line 3: 'a.wav' again, first in line 2"),
        ("utterance_id,path,label,speaker\nu,a.wav,x,1\nu,b.wav,y,2\n", "'u' again"),
        ("utterance_id,path,label,speaker\n,a.wav,x,1\n", "empty 'utterance_id'"),
        ("path,label,speaker,start\na.wav,x,1,soon\n", "line 2: start is 'soon'; expected seconds"),
        ("path,label,speaker,start,end\na.wav,x,1,2,1\n", "end must be after start"),
        ("path,label,speaker,session\na.wav,x,1,1\nb.wav,x,1,\n", "empty 'session'"),
        ("path,label,speaker\na.wav,x\n", "line 2: 2 fields, expected 3"),
        ("path,path,label,speaker\na.wav,a.wav,x,1\n", "column 'path' occurs twice"),
        ("path,label,speaker\n", "no rows"),
        ("", "no rows"),
        ("path,label,speaker\n../a.wav,x,1\n", "leads out of"),
        ("path,label,speaker\n/etc/passwd,x,1\n", "--allow-outside"),
        ("path,label,speaker\na.wav,x,1\nb.wav,x,2\n", "one class only"),
        ("path,label,speaker\na.wav,x,1\nb.wav,y,1\n", "one speaker only"),
    ],
)
def test_refused_with_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load_corpus("manifest", write(tmp_path / "x", text))
    assert "\n" not in str(caught.value)


def test_not_text(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes(b"\xff\xfe\x00path")
    with pytest.raises(InputError, match="not UTF-8"):
        load_corpus("manifest", tmp_path)


def test_outside_when_allowed(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 1)
    tone(tmp_path / "b.wav", 2)
    file = tmp_path / "in" / "metadata.csv"
    file.parent.mkdir()
    file.write_text("path,label,speaker\n../a.wav,x,1\n../b.wav,y,2\n")
    assert len(load_corpus("manifest", file, allow_outside=True).utterances) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("demoo", None), "unknown corpus 'demoo'; did you mean 'demo'"),
        (("manifest", "nowhere"), "no file nowhere"),
        (("manifest", None), "no root given"),
        (("iemocap", "x", "4clas"), "unknown label scheme '4clas'; did you mean '4class'"),
    ],
)
def test_wrong_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=message):
        load_corpus(*arguments)
