"""SAVEE: four Englishmen, seven emotions.

Layout: ``AudioData/DC/a01.wav``; a flat copy of Kaggle has ``ALL/DC_a01.wav``. A sentence's number counts anew in each
emotion.
"""

from __future__ import annotations

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

RELEASE = Release(
    name="savee",
    # Codes of two letters first: "sa01" is no "s" followed by "a01".
    rule=r"(?P<speaker>DC|JE|JK|KL)[/_](?P<emotion>sa|su|a|d|f|h|n)(?P<number>\d\d)",
    id="{speaker}_{emotion}{number}",
    layout="AudioData/DC/a01.wav or ALL/DC_a01.wav",
    words={
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "sa": "sadness",
        "su": "surprise",
    },
    case={"speaker": str.upper},
    row=lambda named: {"gender": "m", "text_id": f"{named['emotion']}{named['number']}"},
    published={"emobox": {"1": ("JE",), "2": ("KL",), "3": ("DC",), "4": ("JK",)}},
)

SPEC = CorpusSpec(
    name="savee",
    title="SAVEE (Surrey): four men",
    licence="for research, by registration with the University of Surrey",
    citation="Haq & Jackson (2009), Speaker-dependent audio-visual emotion recognition, AVSP",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang dis fea hap neu sad sur", "all of the corpus")),
    warning="savee: four speakers, all men; the interval over four speakers is wide, and nothing is said of women",
    expected=whole(
        dict.fromkeys(("anger", "disgust", "fear", "happiness", "sadness", "surprise"), 60) | {"neutral": 120},
        speakers=dict.fromkeys(("DC", "JE", "JK", "KL"), 120),
    ),
    facts=Facts("English (British)", "acted", 480, 4, 0.512, "http://kahlan.eps.surrey.ac.uk/savee/"),
    published={"emobox": "EmoBox, each speaker left out once"},
)
