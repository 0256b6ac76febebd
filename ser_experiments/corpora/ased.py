"""ASED: 65 speakers of Amharic, seven texts, five emotions.

Layout: ``04Sad/s4-04-02-01-29.wav``: emotion, text, repetition, gender (01 is a woman), speaker.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes


def _row(named: Mapping[str, str]) -> dict[str, object]:
    return {"gender": "f" if named["letter"] == "1" else "m"}


RELEASE = Release(
    name="ased",
    rule=r"(?P<emotion>[afhns])(?P<digit>\d)-(?P<text_id>\d\d)-(?P<repetition>\d\d)-0(?P<letter>[12])-(?P<speaker>\d\d)",
    id="{emotion}{digit}-{text_id}-{repetition}-0{letter}-{speaker}",
    layout="04Sad/s4-04-02-01-29.wav",
    words={"a": "anger", "f": "fear", "h": "happiness", "n": "neutral", "s": "sadness"},
    row=_row,
)

SPEC = CorpusSpec(
    name="ased",
    title="ASED: 65 speakers, seven texts",
    licence="not stated; see the release",
    citation="Retta et al. (2023), A new Amharic speech emotion dataset and classification benchmark, ACM TALLIP 22(1)",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("5class", "ang fea hap neu sad", "all of the corpus"), common="4class"),
    expected=whole(
        {"neutral": 522, "fear": 510, "anger": 486, "happiness": 486, "sadness": 470},
        speakers=65,
        texts=7,
        gender={"f": 921, "m": 1553},
    ),
    facts=Facts("Amharic", "acted", 2474, 65, 2.106),
)
