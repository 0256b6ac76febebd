"""Speech and song of RAVDESS, with a stereo file, one recording under two names, and the sound of a video."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.corpora.trees import clip, clips


def build(folder: Path) -> Path:
    for actor in ("01", "02", "07", "21"):
        speech = folder / "Audio_Speech_Actors_01-24" / f"Actor_{actor}"
        song = folder / "Audio_Song_Actors_01-24" / f"Actor_{actor}"
        clips(speech, *(f"03-01-{code:02d}-01-01-01-{actor}.wav" for code in range(1, 9)))
        clips(song, *(f"03-02-{code:02d}-01-02-01-{actor}.wav" for code in range(1, 7)))
    speech = folder / "Audio_Speech_Actors_01-24"
    clip(speech / "Actor_01" / "03-01-02-01-01-02-01.wav", channels=2, rate=48_000)
    clip(speech / "Actor_07" / "03-01-03-01-02-01-07.wav")
    shutil.copy(speech / "Actor_07" / "03-01-03-01-02-01-07.wav", speech / "Actor_07" / "03-01-03-01-02-02-07.wav")
    clip(folder / "Video_Speech_Actor_01" / "Actor_01" / "01-01-01-01-01-01-01.wav")
    return folder


ROWS = {
    "03-01-05-01-01-01-02": {
        "speaker": "02", "gender": "f", "emotion": "angry", "text_id": "01", "scenario": "speech",
        "intensity": "normal", "published_emobox": "5", "published_audeering": "train",
    },
    "03-02-06-01-02-01-21": {
        "speaker": "21", "gender": "m", "emotion": "fearful", "text_id": "02", "scenario": "song",
        "published_emobox": "1", "published_audeering": "test",
    },
    "03-01-02-01-01-01-01": {"emotion": "calm"},
    "03-01-07-01-01-01-01": {"emotion": "disgust"},
    "03-01-08-01-01-01-01": {"emotion": "surprised"},
    "03-01-03-01-02-02-07": {"speaker": "07"},
}  # fmt: skip
AWAY = ("01-01-01-01-01-01-01.wav",)
SAID = (
    "1 files are left out: the sound of videos",
    "03-01-02-01-01-02-01: is stereo",
    "03-01-03-01-02-02-07: is the recording 03-01-03-01-02-01-07 once more",
)
