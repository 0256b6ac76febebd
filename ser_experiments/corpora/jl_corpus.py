"""JL-Corpus: four New Zealanders, five primary and five secondary emotions.

Layout: ``Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/male1_angry_7b_2.wav``: speaker, emotion,
sentence, take.
"""

from __future__ import annotations

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_PRIMARY = ("angry", "sad", "neutral", "happy", "excited")
_SECONDARY = ("anxious", "apologetic", "assertive", "concerned", "encouraging")
_WORDS = {word: word for word in (*_PRIMARY, *_SECONDARY)}
_SPEAKERS = ("female1", "female2", "male1", "male2")

RELEASE = Release(
    name="jl_corpus",
    rule=rf"(?P<speaker>(?:fe)?male[12])_(?P<emotion>{'|'.join(_WORDS)})_(?P<text_id>\d+[ab])_(?P<take>[12])",
    id="{speaker}_{emotion}_{text_id}_{take}",
    layout="JL(wav+txt)/male1_angry_7b_2.wav",
    words=_WORDS,
    case={"speaker": str.lower, "text_id": str.lower},
    row=lambda named: {"gender": named["speaker"][0]},
    published={"emobox": {"1": ("male2",), "2": ("female1",), "3": ("male1",), "4": ("female2",)}},
)

SPEC = CorpusSpec(
    name="jl_corpus",
    title="JL-Corpus: four speakers, five primary and five secondary emotions",
    licence="ODC-By, by one source; see the release",
    citation="James et al. (2018), An open source emotional speech corpus for human robot interaction, Interspeech",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(
        own("5class", "ang exc hap neu sad", "the primary emotions: happy and excited apart"),
        own("10class", "ang exc hap neu sad anx apologetic assertive concerned encouraging", "all of the corpus"),
        common="4class",
    ),
    warning="jl_corpus: four speakers; the interval over four speakers is wide",
    expected=whole(dict.fromkeys(_WORDS, 240), texts=30, speakers=dict.fromkeys(_SPEAKERS, 600)),
    facts=Facts("English (New Zealand)", "acted", 2400, 4, 1.412),
    published={"emobox": "EmoBox, each speaker left out once"},
)
