"""ShEMO: 87 speakers of Persian, cut out of radio plays.

Layout: ``male/M36S02.wav``, ``female/F01A01.wav``: gender and number of the speaker, emotion, number of the utterance.
F at the beginning is a woman, F in the middle is fear.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes


def _row(named: Mapping[str, str]) -> dict[str, object]:
    return {"speaker": f"{named['letter']}{named['speaker']}", "gender": named["letter"].lower()}


RELEASE = Release(
    name="shemo",
    rule=r"(?P<letter>[MF])(?P<speaker>\d\d)(?P<emotion>[AFHNSW])(?P<number>\d+)",
    id="{speaker}{emotion}{number}",
    layout="male/M36S02.wav and female/F01A01.wav",
    words={"A": "anger", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness", "W": "surprise"},
    case={"letter": str.upper},
    row=_row,
)

SPEC = CorpusSpec(
    name="shemo",
    title="ShEMO: 87 speakers, from radio plays",
    licence="for research; see the release",
    citation="Mohamad Nezami et al. (2019), ShEMO: a large-scale validated database for Persian, LRE 53:1-16",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(
        own("5class", "ang hap neu sad sur", "all of the corpus but fear, of which there are fewer than forty clips"),
        own("6class-surprised", "ang fea hap neu sad sur", "all of the corpus: surprised, and nobody disgusted"),
        common="4class",
    ),
    expected=whole({}, n_utterances=3000, speakers=87),
    facts=Facts("Persian", "acted, in radio plays", 3000, 87),
)
