"""SAVEE in the folders of the release, whose names alone say who speaks."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    for speaker in ("DC", "JE", "JK", "KL"):
        codes = ("a", "d", "f", "h", "n", "sa", "su")
        clips(folder / "AudioData" / speaker, *(f"{code}0{n}.wav" for code in codes for n in (1, 2)))
    (folder / "Info.txt").write_text("15 sentences for each of 7\n")
    return folder


ROWS = {
    "DC_a01": {"speaker": "DC", "gender": "m", "emotion": "anger", "text_id": "a01", "published_emobox": "3"},
    "KL_sa02": {"speaker": "KL", "emotion": "sadness", "text_id": "sa02"},
    "KL_su02": {"emotion": "surprise"},
    "JE_n01": {"emotion": "neutral"},
}
