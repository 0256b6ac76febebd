"""ASED, where one file begins with a capital, speakers lack classes, and two files are one recording."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.corpora.trees import clip, clips


def build(folder: Path) -> Path:
    inside = {"n": "01Neutral", "f": "02Fearful", "h": "03Happy", "s": "04Sad", "a": "05Angry"}
    for number, (code, name) in enumerate(inside.items(), 1):
        for letter, speaker in ((1, "29"), (2, "02"), (2, "47")):
            clips(folder / name, *(f"{code}{number}-{text:02d}-01-0{letter}-{speaker}.wav" for text in (2, 4)))
    clips(folder / "01Neutral", "n1-01-01-02-34.wav")
    clip(folder / "04Sad" / "S4-04-02-01-29.wav")
    shutil.copy(folder / "04Sad" / "S4-04-02-01-29.wav", folder / "04Sad" / "s4-07-01-01-29.wav")
    return folder


ROWS = {
    "s4-04-02-01-29": {"speaker": "29", "gender": "f", "emotion": "sadness", "text_id": "04"},
    "a5-02-01-02-02": {"speaker": "02", "gender": "m", "emotion": "anger", "text_id": "02"},
}
