"""EMOVO, of which one clip lasts much longer than the others."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    for speaker in ("f1", "f2", "m1", "m3"):
        codes = ("dis", "gio", "neu", "pau", "rab", "sor", "tri")
        clips(folder / speaker, *(f"{code}-{speaker}-{text}.wav" for code in codes for text in ("b2", "n1")))
    return folder


ROWS = {
    "gio-f2-b2": {"speaker": "f2", "gender": "f", "emotion": "joy", "text_id": "b2", "published_emobox": "1"},
    "pau-m3-n1": {"speaker": "m3", "gender": "m", "emotion": "fear", "published_emobox": "2"},
    "rab-m1-n1": {"emotion": "anger"},
    "sor-m1-n1": {"emotion": "surprise"},
    "tri-m1-n1": {"emotion": "sadness"},
}
