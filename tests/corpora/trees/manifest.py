"""Four speakers in two scenarios, with words that every label scheme knows."""

from __future__ import annotations

from pathlib import Path

from tests.iemocap_tree import tone


def build(folder: Path) -> Path:
    words = ["anger", "joy", "excited", "neutral", "sad", "frustration", "surprise", "disgust"]
    lines = ["path;label;speaker;scenario;partition"]
    for speaker in ("01", "02", "03", "04"):
        for i, word in enumerate(words * 2):
            path = f"{speaker}/{i:02d}.wav"
            tone(folder / path, 100 * int(speaker) + i, seconds=0.1)
            scenario = "improvised" if i < len(words) else "scripted"
            lines.append(f"{path};{word};{speaker};{scenario};{'test' if speaker == '04' else 'train'}")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    return folder
