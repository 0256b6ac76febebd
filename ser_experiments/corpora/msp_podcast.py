"""MSP-Podcast: speech cut out of podcasts, with the votes of crowds, in the official partitions.

Layout: ``Audios/MSP-PODCAST_0001_0008.wav`` (``Audio/`` in early releases) and ``Labels/labels_consensus.csv`` or
``.json``, which early releases spell ``labels_concensus``. Speakers whom nobody knows are grouped by podcast:
``Unknown`` is not one person. The podcast is the session, as the people of one podcast may be the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._copy import Copy
from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._lists import check_columns, list_of_labels, without_recording
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes
from ser_experiments.corpora._votes import counted
from ser_experiments.csvfile import is_gap, read_csv
from ser_experiments.errors import InputError
from ser_experiments.files import read_json

_WORDS = {
    "A": "anger", "H": "happiness", "S": "sadness", "N": "neutral", "U": "surprise", "F": "fear", "D": "disgust",
    "C": "contempt", "O": "other", "X": "xxx",
}  # fmt: skip
_NUMBERS = {"EmoVal": "valence", "EmoAct": "activation", "EmoDom": "dominance"}
_NEEDED = ("EmoClass", "SpkrID", "Gender", "Split_Set")
#: The tests after the first share speakers with it and are a part of no partition; the labels of the third are hidden.
_PARTITIONS = {"train": "train", "development": "dev", "validation": "dev", "test1": "test"}
#: How many labels a release has, where that is known.
_RELEASES = {73_042: "1.8", 151_654: "1.11", 149_307: "1.11", 207_136: "1.12", 264_705: "2.0"}


def _labels(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Take emotion, attributes, speaker and partition from the consensus, and the votes where they are there."""
    names = [f"labels_con{letter}ensus.{ending}" for letter in "sc" for ending in ("csv", "json")]
    path = list_of_labels("msp_podcast", copy, names, called=f"{names[0]} or {names[1]}")
    told = _consensus(path)
    release = _RELEASES.get(len(told))
    notes = [f"{path.name} has {len(told)} labels, " + (f"as many as release {release}" if release else
             "which is no release whose count is known here")]  # fmt: skip
    notes += without_recording("labels", told.index, table)
    table = table.join(told)
    unknown = table["speaker"].isna() & table["emotion"].notna()
    if unknown.any():
        notes.append(f"{unknown.sum()} recordings are of unknown speakers; those of one podcast count as one speaker")
    table["speaker"] = table["speaker"].mask(unknown, "unknown of podcast " + table["session"])
    others = table.loc[table["partition"].isna() & table["emotion"].notna(), "split_set"]
    for name, n in others.value_counts().sort_index().items():
        notes.append(f"{n} recordings of {name} are in no partition: its speakers may be those of another")
    detailed = copy.beside("labels_detailed.json")
    return (table if detailed is None else table.join(_votes(detailed))), notes


def _consensus(path: Path) -> pd.DataFrame:
    """Return what is written of each recording, by its name without a suffix."""
    if path.suffix.lower() == ".json":
        rows = pd.DataFrame.from_dict({**_json(path)}, orient="index").astype(object)
    else:
        rows = read_csv(path)
        rows = rows.set_index("FileName") if "FileName" in rows else rows
    check_columns(path, rows, (*_NEEDED, *_NUMBERS), "the consensus labels of MSP-Podcast")
    told = rows.set_axis([str(name).rpartition(".")[0] or str(name) for name in rows.index])
    told = told[~told.index.duplicated()]
    # A speaker's number may have become 1.0 in a table with gaps.
    speaker = told["SpkrID"].map(lambda cell: None if is_gap(cell) else str(cell).removesuffix(".0"))
    found = pd.DataFrame(
        {
            "emotion": told["EmoClass"].map(_WORDS),
            "speaker": speaker.astype(object).where(speaker.notna(), None),
            "gender": told["Gender"].map({"Male": "m", "Female": "f"}),
            "split_set": told["Split_Set"],
            "partition": told["Split_Set"].str.lower().map(_PARTITIONS),
        }
    )
    return found.assign(**{ours: pd.to_numeric(told[its], errors="coerce") for its, ours in _NUMBERS.items()})


def _votes(path: Path) -> pd.DataFrame:
    """Return which emotions the raters named first, counted; what they wrote after ``Other`` is one word."""
    found = {}
    for name, raters in _json(path).items():
        words = (str(one.get("EmoClass_Major", "")).strip().lower() for one in raters.values())
        said = Counter("other" if word.startswith("other") else word for word in words if word)
        found[name.rpartition(".")[0] or name] = counted(said)
    return pd.DataFrame.from_dict(found, orient="index", columns=["votes", "n_raters", "agreement"])


def _json(path: Path) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    held: dict[str, dict[str, dict[str, object]]] = read_json(path)
    if not isinstance(held, dict) or not all(isinstance(one, dict) for one in held.values()):
        raise InputError(f"{path}: expected an object with an object for each recording")
    return held


RELEASE = Release(
    name="msp_podcast",
    rule=r"MSP-PODCAST_(?P<session>[^_/]+)_(?P<segment>[^/]+)",
    id="MSP-PODCAST_{session}_{segment}",
    layout="Audios/MSP-PODCAST_0001_0008.wav and Labels/labels_consensus.csv",
    case={"session": str.lower, "segment": str.lower},
    labels=_labels,
    odd={"MSP-PODCAST_1023_0235": "is stereo at 44.1 kHz, where the others are mono at 16 kHz; others leave it out"},
)

SPEC = CorpusSpec(
    name="msp_podcast",
    title="MSP-Podcast: natural speech of podcasts, with the votes of crowds, official partitions",
    licence="academic, by agreement of an institution with the University of Texas at Dallas",
    citation="Lotfian & Busso (2019), Building naturalistic emotionally balanced speech corpus, IEEE TAC 10(4):471-483",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(
        own("8class", "ang con dis fea hap neu sad sur", "of the challenges: without other and without agreement"),
    ),
    shares_room=True,
    facts=Facts(
        "English", "natural", homepage="https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html"
    ),
)
