"""SUBESCO, where a woman and a man have one number, and one file has a bracket in its name."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    emotions = ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE")
    for speaker in ("F_02_MONIKA", "M_02_ANIK", "M_10_EVAN"):
        clips(folder, *(f"{speaker}_S_{text}_{word}_1.wav" for word in emotions for text in (1, 10)))
    clips(folder, "F_02_MONIKA_S_2_SURPRISE_3].wav")
    return folder


ROWS = {
    "F_02_MONIKA_S_2_SURPRISE_3": {"speaker": "F_02", "gender": "f", "emotion": "surprise", "text_id": "2"},
    "M_02_ANIK_S_10_ANGRY_1": {"speaker": "M_02", "gender": "m", "text_id": "10", "published_emobox": "5"},
}
