"""EMOVO: six actors, fourteen Italian sentences, seven emotions.

Layout: ``f2/gio-f2-b2.wav``: emotion, speaker, sentence.
"""

from __future__ import annotations

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_WORDS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
_SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")

RELEASE = Release(
    name="emovo",
    rule=r"(?P<emotion>dis|gio|neu|pau|rab|sor|tri)-(?P<speaker>[fm][123])-(?P<text_id>[bldn]\d)",
    id="{emotion}-{speaker}-{text_id}",
    layout="f1/gio-f1-b1.wav",
    words=_WORDS,
    case={"speaker": str.lower, "text_id": str.lower},
    row=lambda named: {"gender": named["speaker"][0]},
    published={"emobox": {str(fold): (one,) for fold, one in enumerate(("f2", "m3", "m2", "f3", "f1", "m1"), 1)}},
)

SPEC = CorpusSpec(
    name="emovo",
    title="EMOVO: six actors, fourteen sentences",
    licence="CC BY-NC-SA, by one source; see the release",
    citation="Costantini et al. (2014), EMOVO corpus: an Italian emotional speech database, LREC, 3501-3504",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang dis fea hap neu sad sur", "all of the corpus")),
    expected=whole(dict.fromkeys(_WORDS.values(), 84), texts=14, speakers=dict.fromkeys(_SPEAKERS, 98)),
    facts=Facts("Italian", "acted", 588, 6, 0.51),
    published={"emobox": "EmoBox, each speaker left out once"},
)
