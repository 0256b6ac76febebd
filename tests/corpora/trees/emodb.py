"""2.0 of EMO-DB: clips that few recognised among the others, and laryngograms."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clip, clips

_MEN_AND_WOMEN = ("03", "09", "12", "14")


def build(folder: Path) -> Path:
    lines = ["sample\trecognized\tnatural"]
    for speaker in _MEN_AND_WOMEN:
        for code in "WLEAFTN":
            for text, share in (("a01", "0.95"), ("b10", "0.8"), ("a07", "0.35")):
                name = f"{speaker}{text}{code}a"
                clip(folder / "wav" / f"{name}.wav")
                lines.append(f"{name}.wav\t{share}\t0.5")
        clips(folder, f"laryngo/{speaker}a01Wa.wav", f"wav_laryng/{speaker}a01Waxx.wav")
    (folder / "listener_judgements.txt").write_bytes("\r\n".join([*lines, "größe\t\xa0"]).encode("latin-1"))
    return folder


# The genders of 09 and 12 were once exchanged in the release of audEERING.
ROWS = {
    "03a01Wa": {"speaker": "03", "gender": "m", "emotion": "anger", "text_id": "a01", "published_audeering": "train"},
    "09a01Aa": {"speaker": "09", "gender": "f", "emotion": "fear", "agreement": 0.95, "scenario": "recognised"},
    "12b10Ea": {"speaker": "12", "gender": "m", "emotion": "disgust", "agreement": 0.8, "scenario": "recognised"},
    "14a07La": {"speaker": "14", "gender": "f", "emotion": "boredom", "agreement": 0.35, "scenario": "doubtful"},
    "14a07Ta": {"emotion": "sadness", "published_audeering": "test"},
    "14a07Fa": {"emotion": "happiness"},
    "14a07Na": {"emotion": "neutral"},
}
AWAY = ("laryngo/03a01Wa.wav", "03a01Waxx")
SAID = ("4 files are left out: laryngograms, no speech", "4 files are left out: speech and laryngogram in one file")
