"""CaFE: twelve actors, six sentences in Canadian French, six emotions in two intensities and neutral speech.

Layout: ``CaFE_48k/Colère/Fort/12-C-2-5.wav``: actor, emotion, intensity, sentence. Archives leave accented letters of
folders in a code page of their own (``ColŠre``), so that names of files alone are read.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_WORDS = {
    "C": "anger",
    "D": "disgust",
    "J": "joy",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}


def _row(named: Mapping[str, str]) -> dict[str, object]:
    # Neutral speech has no intensity.
    intensity = {"1": "weak", "2": "strong"}[named["level"]] if named["emotion"] != "N" else None
    return {"gender": "m" if int(named["speaker"]) % 2 else "f", "intensity": intensity}


RELEASE = Release(
    name="cafe",
    rule=r"(?P<speaker>0[1-9]|1[0-2])-(?P<emotion>[CDJNPST])-(?P<level>[12])-(?P<text_id>[1-6])",
    id="{speaker}-{emotion}-{level}-{text_id}",
    layout="CaFE_48k/Colère/Fort/12-C-2-5.wav",
    words=_WORDS,
    row=_row,
    endings=(".wav", ".flac", ".aiff", ".aif"),
    published={
        "emobox": {"1": ("01", "07", "08", "10"), "2": ("02", "04", "09", "12"), "3": ("03", "05", "06", "11")},
    },
)

SPEC = CorpusSpec(
    name="cafe",
    title="CaFE: twelve actors, six sentences, two intensities",
    licence="see the release",
    citation="Gournay, Lahaie & Lefebvre (2018), A Canadian French emotional speech dataset, ACM MMSys, 399-402",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang dis fea hap neu sad sur", "all of the corpus")),
    expected=whole(
        dict.fromkeys(_WORDS.values(), 144) | {"neutral": 72},
        speakers={f"{actor:02d}": 78 for actor in range(1, 13)},
        text_id={str(text): 156 for text in range(1, 7)},
    ),
    facts=Facts("French (Canadian)", "acted", 936, 12, 1.155),
    published={"emobox": "EmoBox, three folds; no speaker is on both sides"},
)
