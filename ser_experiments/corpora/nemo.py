"""nEMO: nine actors, ninety Polish sentences, six emotions.

Layout: ``samples/SPK_emotion_sentence.wav`` and ``data.tsv``.
"""

from __future__ import annotations

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import counts, whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_WOMEN = {"EB0", "KD0", "IC0", "MK0"}

RELEASE = Release(
    name="nemo",
    rule=r"(?P<speaker>[A-Z]{2}0)_(?P<emotion>neutral|sadness|anger|happiness|fear|surprised)_(?P<text_id>\d+)",
    id="{speaker}_{emotion}_{text_id}",
    layout="samples/SPK_emotion_sentence.wav",
    words={
        "neutral": "neutral",
        "sadness": "sadness",
        "anger": "anger",
        "happiness": "happiness",
        "fear": "fear",
        "surprised": "surprised",
    },
    case={"speaker": str.upper},
    row=lambda named: {"gender": "f" if named["speaker"] in _WOMEN else "m"},
)

SPEC = CorpusSpec(
    name="nemo",
    title="nEMO: nine actors, ninety sentences",
    licence="CC BY-NC-SA 4.0",
    citation="Christop (2024), nEMO: dataset of emotional speech in Polish, LREC-COLING",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(
        own("6class-surprised", "ang fea hap neu sad sur", "all of the corpus: surprised, and nobody disgusted"),
        common="4class",
    ),
    expected=whole(
        {"neutral": 809, "sadness": 769, "anger": 749, "happiness": 749, "fear": 736, "surprised": 669},
        texts=90,
        speakers=counts("WR0 539 EB0 539 KS0 540 MP0 256 KD0 540 MK0 450 TP0 539 IC0 540 SM0 538"),
    ),
    facts=Facts("Polish", "acted", 4481, 9, 3.07, "https://github.com/amu-cai/nEMO"),
)
