"""Small copies of the corpora: a function of each one's name makes it in a folder and returns the root to read."""

from __future__ import annotations

from pathlib import Path

from tests.iemocap_tree import add_dialog, small_tree, tone


def iemocap(folder: Path) -> Path:
    """Two sessions with every code that a label scheme names."""
    root = small_tree(folder)
    for session, dialog in ((1, "Ses01F_impro02"), (3, "Ses03F_impro02")):
        add_dialog(
            root, session, dialog, {f"{dialog}_{x}{i:03d}": c for x in "FM" for i, c in enumerate(["sur", "dis"])}
        )
    return root


def manifest(folder: Path) -> Path:
    """Four speakers in two scenarios, with words that every label scheme knows."""
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
