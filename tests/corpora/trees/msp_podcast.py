"""MSP-Podcast in the spelling of early releases, with unknown speakers, hidden labels and a stereo clip."""

from __future__ import annotations

import json
from pathlib import Path

from tests.corpora.trees import clip

_COLUMNS = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"


def build(folder: Path) -> Path:
    lines, detailed = [_COLUMNS], {}
    who = (
        ("0001", "12", "Male", "Train"), ("0002", "7", "Female", "Train"), ("0003", "Unknown", "Unknown", "Train"),
        ("0004", "Unknown", "Female", "Train"), ("0005", "30", "Male", "Validation"), ("0006", "41", "Female", "Test1"),
        ("0007", "41", "Female", "Test2"),
    )  # fmt: skip
    for podcast, speaker, gender, part in who:
        for segment, code in enumerate("AHSNUFDCOX"):
            name = f"MSP-PODCAST_{podcast}_{segment:04d}.wav"
            clip(folder / "Audio" / name)
            lines.append(f"{name},{code},4.2,3.0,5.1,{speaker},{gender},{part}")
            detailed[name] = {
                "worker1": {
                    "EmoClass_Major": "Angry",
                    "EmoClass_Second": "Angry",
                    "EmoAct": 5,
                    "EmoDom": 5,
                    "EmoVal": 2,
                },
                "worker2": {"EmoClass_Major": "Other-annoyed", "EmoAct": 4, "EmoDom": 4, "EmoVal": 3},
            }
    clip(folder / "Audio" / "MSP-PODCAST_1023_0235.wav", channels=2, rate=44_100)
    lines.append("MSP-PODCAST_1023_0235.wav,N,4.2,3.0,5.1,99,Male,Train")
    lines.append("MSP-PODCAST_0001_9999.wav,N,4.2,3.0,5.1,12,Male,Train")
    clip(folder / "Audio" / "MSP-PODCAST_test3_0001.wav")
    (folder / "Labels").mkdir()
    (folder / "Labels" / "labels_concensus.csv").write_text("\n".join(lines) + "\n")
    (folder / "Labels" / "labels_detailed.json").write_text(json.dumps(detailed))
    return folder


ROWS = {
    "MSP-PODCAST_0001_0000": {
        "speaker": "12", "gender": "m", "session": "0001", "emotion": "anger", "partition": "train", "activation": 4.2,
        "valence": 3.0, "dominance": 5.1, "votes": "angry=1;other=1", "n_raters": 2,
    },
    "MSP-PODCAST_0003_0001": {"speaker": "unknown of podcast 0003", "gender": None, "emotion": "happiness"},
    "MSP-PODCAST_0004_0001": {"speaker": "unknown of podcast 0004", "gender": "f"},
    "MSP-PODCAST_0005_0007": {"partition": "dev", "emotion": "contempt"},
    "MSP-PODCAST_0006_0004": {"partition": "test", "emotion": "surprise"},
    "MSP-PODCAST_0007_0009": {"partition": None, "split_set": "Test2", "emotion": "xxx", "code": "xxx"},
    "MSP-PODCAST_1023_0235": {"speaker": "99"},
}  # fmt: skip
AWAY = ("MSP-PODCAST_test3_0001", "MSP-PODCAST_0001_9999")
SAID = (
    "labels_concensus.csv has 72 labels, which is no release",
    "1 labels have no recording, e.g. MSP-PODCAST_0001_9999",
    "20 recordings are of unknown speakers; those of one podcast count as one speaker",
    "10 recordings of Test2 are in no partition",
    "1 recordings have no label and are left out, e.g. MSP-PODCAST_test3_0001",
    "MSP-PODCAST_1023_0235: is stereo",
)
