"""CaFE as it comes out of an archive, with the letters of its folders in a code page of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from tests.corpora.trees import clips

_FOLDERS = {"C": "ColŠre", "D": "D‚go–t", "J": "Joie", "N": "Neutre", "P": "Peur", "S": "Surprise", "T": "Tristesse"}


def build(folder: Path) -> Path:
    for actor in ("01", "02", "11", "12"):
        for code, inside in _FOLDERS.items():
            above = folder / "CaFE_48k" / inside
            if code == "N":
                clips(above, *(f"{actor}-N-1-{text}.wav" for text in (1, 5)))
                continue
            clips(above / "Faible", f"{actor}-{code}-1-5.wav")
            clips(above / "Fort", f"{actor}-{code}-2-5.wav")
    if os.name == "posix":
        # Other programs write the bytes of the archive as they are, which is no UTF-8.
        (folder / "CaFE_48k" / _FOLDERS["C"]).rename(folder / "CaFE_48k" / os.fsdecode(b"Col\x8are"))
    return folder


def complete() -> Iterator[str]:
    for actor in range(1, 13):
        for code in "CDJNPST":
            for level in (1,) if code == "N" else (1, 2):
                yield from (f"CaFE_48k/{actor:02d}-{code}-{level}-{text}.wav" for text in range(1, 7))


ROWS = {
    "12-C-2-5": {"speaker": "12", "gender": "f", "emotion": "anger", "text_id": "5", "intensity": "strong"},
    "01-P-1-5": {"gender": "m", "emotion": "fear", "intensity": "weak", "published_emobox": "1"},
    "11-N-1-1": {"emotion": "neutral", "intensity": None, "published_emobox": "3"},
    "02-D-1-5": {"emotion": "disgust"},
    "02-T-1-5": {"emotion": "sadness"},
}
