"""nEMO, where one speaker lacks a class."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    emotions = ("neutral", "sadness", "anger", "happiness", "fear", "surprised")
    for speaker in ("EB0", "MP0", "MK0", "WR0"):
        for emotion in emotions[: 5 if speaker == "MP0" else 6]:
            clips(folder, *(f"samples/{speaker}_{emotion}_{sentence}.wav" for sentence in (1, 14)))
    (folder / "data.tsv").write_text("file_id\temotion\tspeaker_id\nEB0_anger_1.wav\tanger\tEB0   \n")
    return folder


ROWS = {
    "EB0_anger_1": {"speaker": "EB0", "gender": "f", "emotion": "anger", "text_id": "1"},
    "MK0_surprised_14": {"speaker": "MK0", "gender": "f", "emotion": "surprised", "text_id": "14"},
    "WR0_fear_1": {"speaker": "WR0", "gender": "m", "emotion": "fear"},
    "MP0_sadness_1": {"gender": "m"},
}
