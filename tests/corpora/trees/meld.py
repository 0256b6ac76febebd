"""MELD with ids that repeat from part to part, copies in the test folder, and names in two spellings."""

from __future__ import annotations

from pathlib import Path

from tests.corpora.trees import clips

_HEAD = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime"
_EMOTIONS = ("neutral", "joy", "surprise", "anger", "sadness", "disgust", "fear")
_FOLDERS = {
    "train": "train/train_splits",
    "dev": "dev/dev_splits_complete",
    "test": "test/output_repeated_splits_test",
}


def build(folder: Path) -> Path:
    for part, inside in _FOLDERS.items():
        lines = [_HEAD]
        for dialog in (0, 38):
            for turn, emotion in enumerate(_EMOTIONS):
                speaker = ("Monica", "Joey", "Phoebe Sr" if part == "dev" else "Phoebe Sr.")[(turn + dialog) % 3]
                lines.append(line(len(lines), speaker, emotion, dialog, turn))
                clips(folder / inside, f"dia{dialog}_utt{turn}.wav")
        lines.append(line(99, "Dr. Leedbetter" if part == "dev" else "Dr. Ledbetter", "joy", 110, 7))
        if part != "dev":
            clips(folder / inside, "dia110_utt7.wav")
        (folder / f"{part}_sent_emo.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    clips(folder / _FOLDERS["train"], "dia125_utt3.wav", "dia777_utt0.wav")
    clips(folder / _FOLDERS["test"], "final_videos_testdia0_utt0.wav", "final_videos_testdia0_utt1.wav")
    return folder


def line(number: int, speaker: str, emotion: str, dialog: int, turn: int) -> str:
    """Write a line of a list, with typographic quotes and a comma in what is said."""
    said = f"“Oh, it’s number {turn}!”"
    return f'{number},"{said}",{speaker},{emotion},neutral,{dialog},{turn},8,21,"00:16:16,059","00:16:21,731"'


ROWS = {
    "train_dia0_utt0": {"speaker": "Monica", "gender": None, "emotion": "neutral", "partition": "train"},
    "dev_dia0_utt3": {"speaker": "Monica", "emotion": "anger", "partition": "dev", "dialog": "dev_dia0"},
    "dev_dia0_utt2": {"speaker": "Phoebe Sr.", "emotion": "surprise"},
    "test_dia38_utt4": {"speaker": "Monica", "emotion": "sadness", "partition": "test"},
    "test_dia110_utt7": {"speaker": "Dr. Ledbetter"},
}
AWAY = ("train_dia125_utt3", "train_dia777_utt0", "final_videos_testdia0_utt0.wav")
SAID = (
    "2 files are left out: copies in the test folder",
    "dia125_utt3.wav is left out: is broken",
    "test_dia38_utt4: holds minutes",
    "1 recordings have no label and are left out, e.g. train_dia777_utt0",
    "1 lines of dev_sent_emo.csv have no recording, e.g. dev_dia110_utt7",
)
