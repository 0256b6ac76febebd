"""EMOVO, of which one clip lasts much longer than the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    for speaker in ("f1", "f2", "m1", "m3"):
        codes = ("dis", "gio", "neu", "pau", "rab", "sor", "tri")
        clips(folder / speaker, *(f"{code}-{speaker}-{text}.wav" for code in codes for text in ("b2", "n1")))
    return folder


def complete() -> Iterator[str]:
    texts = ("b1", "b2", "b3", "l1", "l2", "l3", "l4", "d1", "d2", "n1", "n2", "n3", "n4", "n5")
    for speaker in ("f1", "f2", "f3", "m1", "m2", "m3"):
        for code in ("dis", "gio", "neu", "pau", "rab", "sor", "tri"):
            yield from (f"{speaker}/{code}-{speaker}-{text}.wav" for text in texts)


ROWS = {
    "gio-f2-b2": {"speaker": "f2", "gender": "f", "emotion": "joy", "text_id": "b2", "published_emobox": "1"},
    "pau-m3-n1": {"speaker": "m3", "gender": "m", "emotion": "fear", "published_emobox": "2"},
    "rab-m1-n1": {"emotion": "anger"},
    "sor-m1-n1": {"emotion": "surprise"},
    "tri-m1-n1": {"emotion": "sadness"},
}
