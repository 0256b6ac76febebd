"""What the recordings of a table are like is measured once, and of many recordings of some."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import soundfile

from ser_experiments.audio.quality import quality
from ser_experiments.features import quality as module
from ser_experiments.features.quality import qualities
from tests.served import voice

RATE = 16_000


@pytest.fixture
def utterances(tmp_path: Path) -> pd.DataFrame:
    for place in range(5):
        soundfile.write(tmp_path / f"{place}.wav", voice(0.5, pitch=100.0 + 30 * place), RATE, subtype="FLOAT")
    (tmp_path / "5.wav").write_bytes(b"no audio")
    index = pd.Index([f"u{place}" for place in range(6)], name="utterance_id")
    return pd.DataFrame({"path": [str(tmp_path / f"{place}.wav") for place in range(6)]}, index=index)


def test_they_are_measured_once(utterances: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = qualities(utterances, cache=tmp_path / "cache")
    # What cannot be read is left out.
    assert list(first.index) == [f"u{place}" for place in range(5)]
    assert tuple(first.iloc[1]) == pytest.approx(tuple(quality(voice(0.5, pitch=130.0), RATE)))
    original, read = module.quality_of, []
    monkeypatch.setattr(module, "quality_of", lambda path, **piece: (read.append(path), original(path, **piece))[1])
    pd.testing.assert_frame_equal(qualities(utterances, cache=tmp_path / "cache"), first)
    more = pd.concat([utterances, utterances.iloc[:1].assign(start_s=0.1, end_s=0.3).set_axis(["piece"])])
    assert qualities(more, cache=tmp_path / "cache").loc["piece", "duration_s"] == pytest.approx(0.2)
    assert [Path(path).name for path in read] == ["5.wav", "5.wav", "0.wav"]


def test_of_many_some_are_looked_at(utterances: pd.DataFrame, tmp_path: Path) -> None:
    found = qualities(utterances.iloc[:5], cache=tmp_path / "cache", most=3)
    assert list(found.index) == ["u0", "u2", "u4"]
    assert qualities(utterances.iloc[:0], cache=tmp_path / "cache").empty
