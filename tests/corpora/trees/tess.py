"""TESS in folders whose names spell one emotion in two ways, with a speaker's name cut short."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clip, clips


def build(folder: Path) -> Path:
    spelled = {"ps": {"OAF": "OAF_Pleasant_surprise", "YAF": "YAF_pleasant_surprised"}}
    for speaker in ("OAF", "YAF"):
        for emotion in ("angry", "disgust", "fear", "happy", "neutral", "ps", "sad"):
            inside = folder / spelled.get(emotion, {}).get(speaker, f"{speaker}_{emotion}")
            clips(inside, *(f"{speaker}_{word}_{emotion}.wav" for word in ("back", "lid")))
    clip(folder / "OAF_neutral" / "OA_bite_neutral.wav")
    clip(folder / "OAF_fear" / "OAF_food_fear.wav", rate=96_000)
    return folder


ROWS = {
    "OAF_back_ps": {"speaker": "OAF", "gender": "f", "emotion": "pleasant surprise", "code": "sur", "text_id": "back"},
    "YAF_lid_sad": {"speaker": "YAF", "emotion": "sad"},
    "OAF_bite_neutral": {"speaker": "OAF", "emotion": "neutral"},
}
SAID = ("OAF_food_fear: has another sample rate",)
