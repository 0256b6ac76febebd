"""A database in audformat with two parts, two sources of labels, speakers in a table of their own, and a segment."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.corpora.trees import clip

HEADER = """
name: small
languages: [deu]
schemes:
  emotion: {dtype: str, labels: [anger, happiness, neutral, sadness, fear, disgust, no_agreement]}
  gender: {dtype: str, labels: [female, male]}
  speaker: {dtype: str, labels: speaker}
splits: {train: {type: train}, test: {type: test}}
tables:
  files: {type: filewise, columns: {speaker: {scheme_id: speaker}, transcription: {}}}
  emotion.categories.train.gold_standard: {type: filewise, split_id: train, columns: {emotion: {scheme_id: emotion}}}
  emotion.categories.test.gold_standard: {type: segmented, split_id: test, columns: {emotion: {scheme_id: emotion}}}
  emotion.categories.train.desired: {type: filewise, split_id: train, columns: {emotion: {scheme_id: emotion}}}
misc_tables:
  speaker: {columns: {gender: {scheme_id: gender}}}
"""
EMOTIONS = ("anger", "happiness", "neutral", "sadness", "fear", "disgust", "no_agreement")


def build(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [(f"wav/{speaker}{text}_{n}.wav", speaker, text, word)
            for speaker in ("03", "08", "09") for text in ("a", "b") for n, word in enumerate(EMOTIONS)]  # fmt: skip
    for file, *_ in rows:
        clip(folder / file, seconds=0.4)
    table = pd.DataFrame(rows, columns=["file", "speaker", "transcription", "emotion"])
    (folder / "db.yaml").write_text(HEADER)
    table[["file", "speaker", "transcription"]].to_csv(folder / "db.files.csv", index=False)
    train, test = table[table["speaker"] != "09"], table[table["speaker"] == "09"]
    gone = pd.DataFrame({"file": ["wav/gone.wav"], "emotion": ["anger"]})
    pd.concat([train[["file", "emotion"]], gone]).to_csv(
        folder / "db.emotion.categories.train.gold_standard.csv", index=False
    )
    train[["file"]].assign(emotion="neutral").to_csv(folder / "db.emotion.categories.train.desired.csv", index=False)
    segments = test[["file"]].assign(
        start=pd.Timedelta(0.1, "s"), end=[pd.NaT, *[pd.Timedelta(0.3, "s")] * (len(test) - 1)], emotion=test["emotion"]
    )
    segments.to_parquet(folder / "db.emotion.categories.test.gold_standard.parquet", index=False)
    (folder / "db.speaker.csv").write_text("speaker,gender\n03,male\n08,female\n09,\n")
    return folder
