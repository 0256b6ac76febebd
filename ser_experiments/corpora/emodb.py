"""EMO-DB, the Berlin database of emotional speech: ten actors, ten German sentences, seven emotions.

Layout of 1.x: ``wav/03a01Fa.wav``, with ``erkennung.txt`` (how many of twenty listeners recognised each) beside it.
2.0 has clips in ``wav/`` besides that fewer than 80 % recognised, ``laryngo/``, which is no speech, and either
``listener_judgements.txt`` or the tables of audformat.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from ser_experiments.corpora._copy import Copy
from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import counts, whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes
from ser_experiments.csvfile import read_csv
from ser_experiments.files import MIB, read_bytes

#: The share of listeners from which a clip was taken into 1.x, and how many were.
_RECOGNISED, _IN_1X = 0.8, 535
_MEN = {"03", "10", "11", "12", "15"}


def _judged(copy: Copy, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Add what listeners said, where the copy has it; without it every clip is one that they recognised."""
    of_all = copy.beside("listener_judgements.txt", "db.emotion.csv", "db.emotion.parquet")
    path = of_all or copy.beside("erkennung.txt")
    agreement = table.index.to_series().map(_shares(path) if path else {}).astype(float)
    # 1.x is what was recognised: what its file says otherwise of one of its own clips moves none.
    doubtful = (agreement < _RECOGNISED) & (of_all is not None)
    scenario = doubtful.map({True: "doubtful", False: "recognised"})
    if of_all is not None or len(table) <= _IN_1X:
        return table.assign(agreement=agreement, scenario=scenario), []
    note = f"{len(table)} clips are more than the {_IN_1X} of 1.x, and what listeners recognised is not told: all count"
    return table.assign(agreement=agreement, scenario=scenario), [note]


def _shares(path: Path) -> dict[str, float]:
    """Return which share of the listeners recognised each clip."""
    cells: Iterable[tuple[str, str]]
    if path.name.lower().startswith("db."):
        rows = pd.read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv(path)
        rows = rows if "file" in rows else rows.reset_index()
        cells = zip(rows["file"].astype(str), rows["emotion.confidence"].astype(str), strict=True)
    else:
        # Both lists are in Latin-1, with blanks that do not break.
        lines = (line.split() for line in read_bytes(path, most=64 * MIB).decode("latin-1").splitlines())
        cells = ((line[0], line[1]) for line in lines if len(line) > 1)
    found = {}
    for name, share in cells:
        with suppress(ValueError):
            found[name.rpartition("/")[2].removesuffix(".wav")] = float(share.replace(",", "."))
    scale = 100.0 if max(found.values(), default=0.0) > 1 else 1.0
    return {clip: share / scale for clip, share in found.items()}


RELEASE = Release(
    name="emodb",
    rule=r"(?P<speaker>\d\d)(?P<text_id>[ab]\d\d)(?P<emotion>[WLEAFTN])(?P<take>[a-z])",
    id="{speaker}{text_id}{emotion}{take}",
    layout="wav/03a01Fa.wav",
    words={
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    case={"text_id": str.lower, "take": str.lower},
    row=lambda named: {"gender": "m" if named["speaker"] in _MEN else "f"},
    labels=_judged,
    apart={r"(^|/)laryngo/": "laryngograms, no speech", r"(^|/)wav_laryng/": "speech and laryngogram in one file"},
    published={
        "audeering": {"train": ("03", "08", "09", "10", "11", "13"), "test": ("12", "14", "15", "16")},
    },
)

SPEC = CorpusSpec(
    name="emodb",
    title="EMO-DB (Berlin): ten actors, ten sentences",
    licence="CC0 1.0, as published by audEERING (others say CC BY 4.0)",
    citation="Burkhardt et al. (2005), A database of German emotional speech, Interspeech, 1517-1520",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang bor dis fea hap neu sad", "all of the corpus")),
    subsets=("all", "recognised", "doubtful"),
    expected=whole(
        {"anger": 127, "boredom": 81, "neutral": 79, "happiness": 71, "fear": 69, "sadness": 62, "disgust": 46},
        speakers=10,
        texts=10,
        by=("scenario", "recognised"),
        text_id=counts("a01 49 a02 60 a04 51 a05 62 a07 55 b01 51 b02 51 b03 52 b09 52 b10 52"),
        speaker=counts("03 49 08 58 09 43 10 38 11 55 12 35 13 61 14 69 15 56 16 71"),
    ),
    facts=Facts("German", "acted", 535, 10, 0.413, "https://github.com/audeering/emodb"),
    published={"audeering": "audEERING 1.2.0, train and test by speaker"},
)
