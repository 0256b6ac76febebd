"""CREMA-D with votes of three kinds, a clip without sound, and MP3 files beside the others, three of them broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.corpora.trees import clip

_CODES = ("ANG", "DIS", "FEA", "HAP", "NEU", "SAD")
_BROKEN = ("1064_IEO_DIS_MD", "1064_TIE_SAD_XX", "1076_MTI_NEU_XX")


def build(folder: Path) -> Path:
    names = [f"{actor}_{text}_{code}_XX" for actor in ("1001", "1002", "1048", "1076") for code in _CODES
             for text in ("DFA", "WSI")]  # fmt: skip
    names += ["1001_IEO_SAD_HI", "1001_IEO_SAD_LO", *_BROKEN]
    for name in names:
        clip(folder / "AudioWAV" / f"{name}.wav")
    (folder / "AudioMP3").mkdir()
    for name in ("1001_DFA_ANG_XX", *_BROKEN):
        clip(folder / "AudioMP3" / f"{name}.mp3")
    soundfile.write(folder / "AudioWAV" / "1076_MTI_SAD_XX.wav", np.zeros(1600), 16_000)
    clip(folder / "AudioMP3" / "1076_WSI_DIS_XX.mp3")
    (folder / "processedResults").mkdir()
    (folder / "processedResults" / "tabulatedVotes.csv").write_text(votes(names))
    (folder / "VideoDemographics.csv").write_text(
        "ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,Not Hispanic\n1002,21,Female,Caucasian,Not Hispanic\n"
    )
    return folder


def votes(names: list[str]) -> str:
    """What was heard is what was acted, but for one speaker, of whom two thirds hear what is neutral."""
    lines = ['"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote"']
    for given in (1, 2, 3):
        for number, name in enumerate(names, 1):
            acted = name.split("_")[2][0]
            counts = dict.fromkeys("ADFHNS", 0) | ({"N": 6, "A": 3} if name.startswith("1002") else {acted: 9})
            if name == "1001_DFA_DIS_XX":
                counts = dict.fromkeys("ADFHNS", 0) | {"A": 4, "D": 4}
            cells = ",".join(str(counts[letter]) for letter in "ADFHNS")
            lines.append(f'"{100_000 * given + number}",{cells},"{name}",9,1,"A"')
    return "\n".join(lines) + "\n"


ROWS = {
    "1001_DFA_ANG_XX": {
        "speaker": "1001", "gender": "m", "age": "51", "emotion": "anger", "text_id": "DFA", "intensity": None,
        "perceived_voice": "anger", "votes": "anger=9", "n_raters": 9, "published_emosuperb": "1",
        "published_audeering": "train", "published_peft_ser": "train",
    },
    "1002_WSI_SAD_XX": {
        "gender": "f", "emotion": "sadness", "perceived_voice": "neutral", "perceived_av": "neutral",
        "votes": "neutral=6;anger=3", "agreement": 6 / 9,
    },
    "1001_DFA_DIS_XX": {"perceived_voice": "xxx"},
    "1001_IEO_SAD_HI": {"intensity": "high"},
    "1048_DFA_FEA_XX": {"emotion": "fear", "published_emosuperb": "3", "published_audeering": "test", "gender": None},
    "1064_IEO_DIS_MD": {"intensity": "medium"},
}  # fmt: skip
AWAY = ("1076_MTI_SAD_XX", ".mp3")
SAID = ("1076_MTI_SAD_XX.wav is left out: holds no sound at all", "5 recordings lie here in another encoding too")
