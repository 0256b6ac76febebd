"""ESD in two layouts at once: flat below the emotion, and cut into train, evaluation and test."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    for speaker in ("0001", "0010", "0011", "0020"):
        above = folder / "Emotion Speech Dataset" / speaker
        for block, emotion in enumerate(("Neutral", "Angry", "Happy", "Sad", "Surprise")):
            numbers = [350 * block + place for place in (1, 350)]
            parts = [above / emotion / (part if speaker == "0011" else "") for part in ("train", "evaluation")]
            for number, inside in zip(numbers, parts, strict=True):
                clips(inside, f"{speaker}_{number:06d}.wav")
        (above / f"{speaker}.txt").write_bytes("0001_000001\t打远一看\t中立\n".encode("gb2312"))
    clips(folder, "0001_000002.wav", "0001/Angry/0002_000351.wav")
    return folder


ROWS = {
    "0001_000001": {"speaker": "0001", "gender": None, "emotion": "neutral", "text_id": "mandarin001"},
    "0001_000350": {"emotion": "neutral", "text_id": "mandarin350", "scenario": "mandarin"},
    "0010_000351": {"emotion": "angry", "text_id": "mandarin001"},
    "0011_000701": {"speaker": "0011", "emotion": "happy", "text_id": "english001", "scenario": "english"},
    "0011_001400": {"emotion": "sad", "text_id": "english350", "published_emobox": "1"},
    "0020_001750": {"emotion": "surprise", "published_emobox": "4"},
}
AWAY = ("0001_000002", "0002_000351")
SAID = ("2 recordings are not named as those of esd",)
