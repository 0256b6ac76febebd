"""SUBESCO, where a woman and a man have one number, and one file has a bracket in its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    emotions = ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE")
    for speaker in ("F_02_MONIKA", "M_02_ANIK", "M_10_EVAN"):
        clips(folder, *(f"{speaker}_S_{text}_{word}_1.wav" for word in emotions for text in (1, 10)))
    clips(folder, "F_02_MONIKA_S_2_SURPRISE_3].wav")
    return folder


def complete() -> Iterator[str]:
    """Twenty speakers, of which one file has a bracket in its name."""
    for letter in "FM":
        for number in range(1, 11):
            for text in range(1, 11):
                for word in ("ANGRY", "DISGUST", "FEAR", "HAPPY", "NEUTRAL", "SAD", "SURPRISE"):
                    for take in range(1, 6):
                        odd = "]" if (letter, number, text, word, take) == ("F", 2, 2, "SURPRISE", 3) else ""
                        yield f"{letter}_{number:02d}_NAME_S_{text}_{word}_{take}{odd}.wav"


ROWS = {
    "F_02_MONIKA_S_2_SURPRISE_3": {"speaker": "F_02", "gender": "f", "emotion": "surprise", "text_id": "2"},
    "M_02_ANIK_S_10_ANGRY_1": {"speaker": "M_02", "gender": "m", "text_id": "10", "published_emobox": "5"},
}
