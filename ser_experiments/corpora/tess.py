"""TESS: two women say "Say the word ..." with two hundred words in seven emotions.

Layout: ``OAF_back_angry.wav``, flat or in folders such as ``OAF_angry/``. The copies of Kaggle hold everything twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

#: A few copies have files of the older speaker by the name of ``OA``.
_SPEAKERS = {"oaf": "OAF", "oa": "OAF", "yaf": "YAF"}


def _row(named: Mapping[str, str]) -> dict[str, object]:
    return {"speaker": _SPEAKERS[named["speaker"].lower()], "gender": "f"}


RELEASE = Release(
    name="tess",
    rule=r"(?P<speaker>OAF|YAF|OA)_(?P<text_id>[a-z]+)_(?P<emotion>angry|disgust|fear|happy|neutral|ps|sad)",
    id="{speaker}_{text_id}_{emotion}",
    layout="OAF_back_angry.wav, flat or in folders",
    words={
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happy",
        "neutral": "neutral",
        "ps": "pleasant surprise",
        "sad": "sad",
    },
    case={"text_id": str.lower},
    row=_row,
    odd={"OAF_food_fear": "has another sample rate than the others (96,000 Hz instead of 24,414 Hz)"},
)

SPEC = CorpusSpec(
    name="tess",
    title="TESS (Toronto): two women, two hundred words in one sentence",
    licence="CC BY-NC-ND 4.0, by one source; see the release",
    citation="Dupuis & Pichora-Fuller (2010), Toronto emotional speech set (TESS), University of Toronto",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("7class", "ang dis fea hap neu sad sur", "all of the corpus")),
    warning="tess: two speakers, one sentence: leaving a speaker out gives two folds, and no interval means anything",
    expected=whole(
        dict.fromkeys(("angry", "disgust", "fear", "happy", "neutral", "pleasant surprise", "sad"), 400),
        texts=200,
        speakers={"OAF": 1400, "YAF": 1400},
    ),
    facts=Facts("English (Canadian)", "acted", 2800, 2, 1.598, "https://tspace.library.utoronto.ca/handle/1807/24487"),
)
