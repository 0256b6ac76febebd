"""ShEMO, where F stands for a woman and for fear, and one speaker has nearly nothing."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    for speaker, inside in (("F01", "female"), ("F21", "female"), ("M01", "male"), ("M36", "male")):
        clips(folder / inside, *(f"{speaker}{code}{n:02d}.wav" for code in "AFHNSW" for n in (1, 2)))
    clips(folder / "male", "M10N01.wav")
    (folder / "transcript").mkdir()
    (folder / "transcript" / "F01A01.ort").write_text("\ufeffx\n")
    return folder


ROWS = {
    "F01F01": {"speaker": "F01", "gender": "f", "emotion": "fear", "text_id": None},
    "M36S02": {"speaker": "M36", "gender": "m", "emotion": "sadness"},
    "M01W01": {"emotion": "surprise"},
    "M01A01": {"emotion": "anger"},
}
