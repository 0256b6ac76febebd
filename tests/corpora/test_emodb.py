"""What listeners said of EMO-DB, in each of the forms in which copies have it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from ser_experiments.corpora import get_corpus, read_corpus
from ser_experiments.corpora._describe import compare_counts, differences
from tests.corpora.trees import emodb


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return emodb.build(tmp_path / "emodb")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_of_audformat_say_the_same(root: Path, ending: str) -> None:
    before = read_corpus("emodb", root)[1].utterances
    (root / "listener_judgements.txt").unlink()
    table = pd.DataFrame(
        {
            "file": "wav/" + before.index + ".wav",
            "emotion": before["emotion"],
            "emotion.confidence": before["agreement"],
        }
    )
    if ending == "csv":
        table.to_csv(root / "db.emotion.csv", index=False)
    else:
        table.set_index("file").to_parquet(root / "db.emotion.parquet")
    pd.testing.assert_frame_equal(read_corpus("emodb", root)[1].utterances, before)


def test_in_1x_all_clips_were_recognised(root: Path) -> None:
    """The list of 1.x has decimal commas, blanks that do not break, and per cents."""
    (root / "listener_judgements.txt").unlink()
    for path in (root / "wav").glob("*a07*"):
        path.unlink()
    shutil.rmtree(root / "laryngo")
    lines = ["Satz       erkannt   nat\xfcrlich", "03a01Wa.wav\xa0  97,50\xa0  80,00", "03b10Wa.wav  65,00 30,00"]
    (root / "erkennung.txt").write_bytes("\n".join(lines).encode("latin-1"))
    table = read_corpus("emodb", root)[1].utterances
    assert table.loc[["03a01Wa", "03b10Wa"], "agreement"].tolist() == [0.975, 0.65]
    assert set(table["scenario"]) == {"recognised"}


def test_without_lists_a_copy_of_2x_is_told_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "wav").mkdir()
    for number in range(540):
        (tmp_path / "wav" / f"{10 + number % 5}a{number % 90:02d}W{'abcdef'[number // 90]}.wav").write_bytes(b"RIFF")
    _, reading = read_corpus("emodb", tmp_path)
    assert any("540 clips are more than the 535 of 1.x" in note for note in reading.notes)


def test_a_complete_copy_is_said_to_be_one(tmp_path: Path) -> None:
    """Files of the names' own counts; their sound does not matter."""
    codes = dict(zip("WLNFATE", (127, 81, 79, 71, 69, 62, 46), strict=True))
    texts = dict(
        zip(
            ["a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"],
            (49, 60, 51, 62, 55, 51, 51, 52, 52, 52),
            strict=True,
        )
    )
    people = dict(
        zip(
            ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"],
            (49, 58, 43, 38, 55, 35, 61, 69, 56, 71),
            strict=True,
        )
    )
    each = [[one for one, n in counts.items() for _ in range(n)] for counts in (people, texts, codes)]
    (tmp_path / "wav").mkdir()
    taken: dict[str, int] = {}
    # Each list in an order of its own, so that few names meet twice; takes tell those apart.
    for place, speaker in enumerate(each[0]):
        stem = f"{speaker}{each[1][place * 7 % 535]}{each[2][place * 11 % 535]}"
        taken[stem] = taken.get(stem, -1) + 1
        (tmp_path / "wav" / f"{stem}{chr(97 + taken[stem])}.wav").write_bytes(b"RIFF")
    spec, reading = read_corpus("emodb", tmp_path)
    assert spec is get_corpus("emodb")
    assert spec.expected is not None
    assert differences(compare_counts(reading.utterances, spec.expected(), spec.schemes)) == []
    next((tmp_path / "wav").glob("03*W*.wav")).unlink()
    reading = read_corpus("emodb", tmp_path)[1]
    said = differences(compare_counts(reading.utterances, spec.expected(), spec.schemes))
    assert "scenario recognised: anger 126, expected 127" in said
    assert "scenario recognised: 03 48, expected 49" in said
