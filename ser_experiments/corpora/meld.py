"""MELD: lines of the series Friends with seven emotions, cut into train, dev and test as released.

Layout: ``train/train_splits/dia0_utt0.mp4``, ``dev_splits_complete/``, ``output_repeated_splits_test/``, and
``{train,dev,test}_sent_emo.csv``. WAV or FLAC files of the same names in the same folders are taken before MP4. Names
repeat from part to part, so that the folder is a part of an id. Of sound in 5.1 the centre is taken, where voices are:
see :mod:`ser_experiments.audio.decoded`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import pandas as pd

from ser_experiments import identity
from ser_experiments.corpora._copy import Copy
from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import counts, together, whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._lists import check_columns, without_recording
from ser_experiments.corpora._released import VIDEO, Release
from ser_experiments.corpora._schemes import own, schemes
from ser_experiments.corpora._spelling import folded_name
from ser_experiments.csvfile import read_csv
from ser_experiments.errors import InputError

_PARTS = ("train", "dev", "test")
_NEEDED = ("Dialogue_ID", "Utterance_ID", "Speaker", "Emotion", "Utterance")
#: Names that are one person's; those that differ in case or marks alone are joined besides.
_SPELLED = {"Dr. Leedbetter": "Dr. Ledbetter"}
_MINUTES = "holds minutes of an episode beside the one line that its label is of"


def _row(named: Mapping[str, str]) -> dict[str, object]:
    folder = named["folder"].lower()
    part = next((one for one in _PARTS if folder.startswith(one)), "test")
    return {"partition": part, "dialog": f"{part}_dia{int(named['number'])}", "turn": int(named["turn"])}


def _labels(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take emotion, speaker and words from the lists of the three parts."""
    parts, notes = [], []
    for part in sorted(set(table["partition"])):
        path = copy.beside(f"{part}_sent_emo.csv")
        if path is None:
            notes.append(f"no {part}_sent_emo.csv: the {part} part has no labels")
            continue
        rows = check_columns(path, read_csv(path), _NEEDED, "the list of MELD")
        ids = [f"{part}_dia{d}_utt{u}" for d, u in zip(rows["Dialogue_ID"], rows["Utterance_ID"], strict=True)]
        parts.append(rows.set_axis(ids)[["Speaker", "Emotion", "Utterance"]])
        notes += without_recording(f"lines of {path.name}", ids, table)
    if not parts:
        raise InputError(
            f"corpus 'meld': no list of labels under {copy.root}; expected train_sent_emo.csv and the like"
        )
    told = pd.concat(parts)
    told = told[~told.index.duplicated()].reindex(table.index)
    texts = told["Utterance"].map(_digest, na_action="ignore")
    return table.assign(emotion=told["Emotion"], speaker=_one_spelling(told["Speaker"]), text_id=texts), notes


def _digest(said: str) -> str:
    """Return what tells that two lines say the same."""
    return identity.of_lines([" ".join(re.findall(r"[\w']+", said.lower()))], size=identity.SHORT)


def _one_spelling(names: pd.Series) -> pd.Series:
    """Give each person one name: the most frequent of those that differ in case, marks or blanks alone."""
    plain = names.replace(_SPELLED)
    counted = plain.value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable")
    first: dict[str, str] = {}
    for name in counted.index:
        first.setdefault(folded_name(name), name)
    return plain.map(lambda name: first[folded_name(name)], na_action="ignore")


RELEASE = Release(
    name="meld",
    rule=r"(?P<folder>(?:train|dev|test|output_repeated_splits_test)[^/]*)/(?:[^/]+/)*?"
    r"dia(?P<number>\d+)_utt(?P<turn>\d+)",
    id="{partition}_dia{number}_utt{turn}",
    layout="train/train_splits/dia0_utt0.mp4 and train_sent_emo.csv",
    row=_row,
    labels=_labels,
    endings=VIDEO,
    apart={r"final_videos_test": "copies in the test folder"},
    bad={"train_dia125_utt3": "is broken in the release"},
    odd={"test_dia38_utt4": _MINUTES, "test_dia220_utt0": _MINUTES},
)

SPEC = CorpusSpec(
    name="meld",
    title="MELD: lines of a television series, official split",
    licence="GPL-3.0, by its repository; the series is not free",
    citation="Poria et al. (2019), MELD: a multimodal multi-party dataset for emotion recognition, ACL",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang dis fea hap neu sad sur", "all of the corpus")),
    warning="meld: the same six actors speak in train, dev and test; folds by speaker are not the official split",
    expected=together(
        whole(
            counts("neutral 4709 joy 1743 surprise 1205 anger 1109 sadness 683 disgust 271 fear 268"),
            by=("partition", "train"),
        ),
        whole(
            counts("neutral 469 joy 163 surprise 150 anger 153 sadness 111 disgust 22 fear 40"),
            by=("partition", "dev"),
        ),
        whole(
            counts("neutral 1256 joy 402 surprise 281 anger 345 sadness 208 disgust 68 fear 50"),
            by=("partition", "test"),
        ),
    ),
    facts=Facts(
        "English (American)",
        "acted, in a television series",
        13706,
        304,
        12.141,
        "https://github.com/declare-lab/MELD",
    ),
)
