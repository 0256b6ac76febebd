"""ESD, the emotional speech dataset: ten speakers of Mandarin and ten of English, 350 sentences each, five emotions.

Layout: ``Emotion Speech Dataset/0001/Angry/0001_000351.wav``; one copy has ``train/``, ``evaluation/`` and ``test/``
below the emotion. The number of an utterance says all: the emotion by its block of 350, the sentence by its place in
it. Transcripts are in five encodings and not read. Which speakers are women is not told: public lists contradict each
other.
"""

from __future__ import annotations

from collections.abc import Mapping

from ser_experiments.corpora._corpus import CorpusSpec
from ser_experiments.corpora._counts import whole
from ser_experiments.corpora._facts import Facts
from ser_experiments.corpora._released import Release
from ser_experiments.corpora._schemes import own, schemes

_WORDS = ("neutral", "angry", "happy", "sad", "surprise")
_TEXTS = 350


def _row(named: Mapping[str, str]) -> dict[str, object]:
    block, sentence = divmod(int(named["number"]) - 1, _TEXTS)
    language = "mandarin" if int(named["speaker"]) <= 10 else "english"
    return {"emotion": _WORDS[block], "scenario": language, "text_id": f"{language}{sentence + 1:03d}"}


RELEASE = Release(
    name="esd",
    # The folder of the speaker is a part of the rule: 0001_000351 alone may be anybody's.
    rule=r"(?P<speaker>00(?:0[1-9]|1\d|20))/(?:.+/)?(?P=speaker)_(?P<number>00(?:0\d{3}|1[0-6]\d\d|17[0-4]\d|1750))",
    id="{speaker}_{number}",
    layout="0001/Angry/0001_000351.wav",
    words={word: word for word in _WORDS},
    row=_row,
    published={
        "emobox": {
            "1": ("0005", "0011", "0016", "0018"),
            "2": ("0012", "0014", "0015", "0019"),
            "3": ("0003", "0004", "0006", "0009"),
            "4": ("0007", "0008", "0013", "0020"),
            "5": ("0001", "0002", "0010", "0017"),
        },
    },
)

SPEC = CorpusSpec(
    name="esd",
    title="ESD: twenty speakers of two languages, 350 sentences in every emotion",
    licence="for research, by agreement with its authors",
    citation="Zhou et al. (2022), Emotional voice conversion: theory, databases and ESD, Speech Communication 137:1-18",
    read=RELEASE.read,
    recognises=RELEASE.recognises,
    told_by=RELEASE.told_by,
    schemes=schemes(own("5class", "ang hap neu sad sur", "all of the corpus"), common="4class"),
    subsets=("all", "mandarin", "english"),
    expected=whole(dict.fromkeys(_WORDS, 7000), texts=700, speakers={f"{one:04d}": 1750 for one in range(1, 21)}),
    facts=Facts(
        "Mandarin and English", "acted", 35000, 20, 29.071, "https://github.com/HLTSingapore/Emotional-Speech-Data"
    ),
    published={"emobox": "EmoBox, five folds of both languages, of which the tested speakers are known"},
)
