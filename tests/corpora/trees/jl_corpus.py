"""JL-Corpus, with words and transcripts beside each other."""

from __future__ import annotations

from pathlib import Path

from ser_experiments.corpora.jl_corpus import _WORDS
from tests.corpora.trees import clips


def build(folder: Path) -> Path:
    above = folder / "Raw JL corpus (unchecked and unannotated)" / "JL(wav+txt)"
    for speaker in ("female1", "female2", "male1", "male2"):
        clips(above, *(f"{speaker}_{word}_{text}_1.wav" for word in _WORDS for text in ("7b", "10a")))
        (above / f"{speaker}_angry_7b_1.txt").write_text("Jack views an art piece\n")
    return folder


ROWS = {
    "male1_angry_7b_1": {"speaker": "male1", "gender": "m", "emotion": "angry", "text_id": "7b"},
    "female2_excited_10a_1": {"speaker": "female2", "gender": "f", "emotion": "excited", "published_emobox": "4"},
    "male2_apologetic_7b_1": {"emotion": "apologetic", "code": "apologetic"},
}
